from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio

from actors import ActorChild, ActorCrashed, Mailbox, open_supervisor
from actors.lookup import Expire
from tests.world import answers
from tests.world.crash_sweep import CrashScenario, crash_sweep
from tests.world.echo import Echo, EchoMessage, Keep, Release, Say
from tests.world.router import Heard, World, config_of, open_router, provider
from ucr.config.model import Cache
from ucr.stress.upstream import Answer, SeenRequest

ASK: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}],
}
PIECES = answers.anthropic_text("Hel", "lo")
REPLY = answers.says(200, answers.anthropic_reply())


@asynccontextmanager
async def echo_scenario(outcomes: list[list[str]]) -> AsyncIterator[CrashScenario]:
    """Five askers of an echo actor, two of whom are kept waiting."""
    got: list[str] = []
    outcomes.append(got)

    async with open_supervisor() as supervisor:
        mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=9)
        child: ActorChild[EchoMessage] = ActorChild(mailbox, Echo)

        async def ask(message: Say | Keep) -> None:
            try:
                got.append(await child.ref.ask(message))
            except ActorCrashed:
                got.append("crashed")

        async def act() -> None:
            await supervisor.start(child)
            async with trio.open_nursery() as nursery:
                for message in (Say("a"), Keep("b"), Say("c"), Keep("d"), Say("e")):
                    nursery.start_soon(ask, message)
                await trio.sleep(1)
                child.ref.tell(Release())

        async def check() -> None:
            seen = mailbox.statistics()
            assert (seen.asked, seen.unanswered, seen.queued) == (5, 0, 0)

        yield CrashScenario(mailbox, act, check)


def test_whatever_message_crashes_an_actor_every_asker_is_answered() -> None:
    outcomes: list[list[str]] = []
    messages = crash_sweep(partial(echo_scenario, outcomes))
    assert messages == 6
    assert [len(got) for got in outcomes] == [5] * 7
    undisturbed, *disturbed = outcomes
    assert "crashed" not in undisturbed
    assert all("crashed" in got for got in disturbed)


def test_the_sweep_finds_an_asker_that_one_crash_forgets() -> None:
    class Forgetful(ActorChild[EchoMessage]):
        def crashed(self, error: BaseException | None) -> None:
            """Fail nobody: the bug that the sweep is there to find."""

    @asynccontextmanager
    async def scenario() -> AsyncIterator[CrashScenario]:
        async with open_supervisor() as supervisor:
            mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=9)
            child = Forgetful(mailbox, Echo)

            async def act() -> None:
                await supervisor.start(child)
                with trio.move_on_after(60) as scope:
                    await child.ref.ask(Say("a"))
                assert not scope.cancelled_caught

            async def check() -> None:
                pass

            yield CrashScenario(mailbox, act, check)

    with pytest.RaisesGroup(AssertionError, flatten_subgroups=True):
        crash_sweep(scenario)


async def slow_stream(_seen: SeenRequest, answer: Answer) -> None:
    """A stream that takes a minute."""
    await answer.head(200, answers.SSE)
    for piece in PIECES:
        await trio.sleep(60 / len(PIECES))
        await answer.send(piece)
    await answer.finish()


async def slow_reply(seen: SeenRequest, answer: Answer) -> None:
    """A whole answer, after a second."""
    await trio.sleep(1)
    await REPLY(seen, answer)


def mailbox_of(world: World, actor: str) -> Mailbox[Any]:
    tree = world.worker.tree
    if actor == "metrics":
        return tree.metrics.mailbox
    if actor == "cache":
        assert tree.cache is not None
        return tree.cache.mailbox
    return tree.children["up"].mailbox


@asynccontextmanager
async def router_scenario(actor: str, heard: list[Heard]) -> AsyncIterator[CrashScenario]:
    """A long stream and, while it runs, other requests: at one time, for the one permit that is left."""
    config = config_of(provider("up", "anthropic", max_requests=2), cache=Cache())
    streamed: list[Heard] = []
    async with open_router(config, up=(REPLY, slow_stream, slow_reply)) as world:
        await world.ask("/v1/messages", ASK)

        async def stream() -> None:
            streamed.append(await world.ask("/v1/messages", {**ASK, "stream": True}))

        async def ask(number: int) -> None:
            heard.append(await world.ask("/v1/messages", {**ASK, "max_tokens": 60 + number}))

        async def act() -> None:
            if world.worker.tree.cache is not None:
                world.worker.tree.cache.ref.offer(Expire())
            await trio.sleep(1)
            async with trio.open_nursery() as nursery:
                for number in range(3):
                    nursery.start_soon(ask, number)

        async def check() -> None:
            await trio.sleep(60)
            assert [one.body for one in streamed] == [b"".join(PIECES).replace(b'"up"', b'"claude-x"')]
            heard.append(await world.ask("/v1/messages", {**ASK, "max_tokens": 90}))
            assert heard[-1].status == 200

        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream)
            await trio.sleep(5)
            yield CrashScenario(mailbox_of(world, actor), act, check)


@pytest.mark.slow
@pytest.mark.parametrize("actor", ["metrics", "cache"])
def test_a_crash_of_metrics_or_cache_costs_no_request(actor: str) -> None:
    heard: list[Heard] = []
    assert crash_sweep(partial(router_scenario, actor, heard)) >= 2
    assert {one.status for one in heard} == {200}


@pytest.mark.slow
def test_a_crash_of_a_provider_costs_the_admissions_in_hand_at_most() -> None:
    """Three requests for one permit: the first gets it at once, and up to two wait in the actor's hands."""
    heard: list[Heard] = []
    runs = 1 + crash_sweep(partial(router_scenario, "up", heard))
    assert runs == 4
    statuses = [one.status for one in heard]
    assert len(statuses) == 4 * runs
    assert set(statuses) <= {200, 500, 529}
    assert statuses[:4] == [200] * 4
    assert sum(status != 200 for status in statuses) <= 2 * (runs - 1)
