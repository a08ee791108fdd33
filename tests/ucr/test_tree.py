import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import trio
from trio.testing import MockClock

from actors import ActorStopped, BreakerSpec
from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.config.model import Config, Provider, Server
from ucr.logs import make_log
from ucr.secret import Secret
from ucr.stress.network import MemoryNetwork, Refuse
from ucr.stress.upstream import Answer, Handler, SeenRequest
from ucr.tree import open_tree

CONFIG = Config(
    server=Server(grace_s=2.0),
    providers=(
        Provider("one", "anthropic", "http://one.test", max_requests=3),
        Provider("off", "anthropic", "http://off.test", enabled=False),
        Provider("two", "openai-chat", "http://two.test/v1"),
    ),
)


@dataclass(frozen=True, slots=True)
class Unheard:
    """A message that the provider's actor does not know, and so crashes at."""


class Lines:
    """A log, and what was written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        moment = datetime(2026, 11, 25, tzinfo=UTC)
        self.log = make_log("info", (), (self.written.append,), lambda: moment)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.written]


async def test_each_enabled_provider_has_a_child_that_admits(autojump_clock: MockClock) -> None:
    async with open_tree(CONFIG, MemoryNetwork(), Lines().log) as tree:
        assert list(tree.children) == ["one", "two"]
        assert tree.children["one"].spec.max_requests == 3
        with await tree.children["one"].admit("r1", deadline=trio.current_time() + 1):
            assert tree.board["one"].status.in_flight == 1
        assert tree.board["two"].status.state == "serving"


async def test_children_admit_nobody_after_the_tree_has_closed(autojump_clock: MockClock) -> None:
    async with open_tree(CONFIG, MemoryNetwork(), Lines().log) as tree:
        pass
    assert tree.board == {}
    with pytest.raises(ActorStopped):
        await tree.children["one"].admit("r1", deadline=trio.current_time() + 1)


async def test_a_crash_is_logged_by_name_and_the_child_comes_back(autojump_clock: MockClock) -> None:
    lines = Lines()
    async with open_tree(CONFIG, MemoryNetwork(), lines.log) as tree:
        tree.children["one"].ref.tell(Unheard())  # type: ignore[arg-type]
        await trio.sleep(1)
        with await tree.children["one"].admit("r1", deadline=trio.current_time() + 1):
            pass
    crashed, restarted = lines.events()
    assert (crashed["event"], crashed["level"], crashed["actor"]) == ("actor.crashed", "warning", "one")
    assert "Unheard" in str(crashed["error"])
    assert (restarted["event"], restarted["actor"]) == ("actor.restarted", "one")


MESSAGES = "/v1/messages"
ASK = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
WELL = answers.says(200, answers.chat_reply())
BROKEN = answers.says(500, {"error": {"message": "broken", "type": "server_error"}})
BUSY = answers.says(429, {"error": {"message": "slow down"}}, (("retry-after", "7"),))


async def statuses(world: World, times: int, ask: object = ASK) -> list[int]:
    return [(await world.ask(MESSAGES, ask)).status for _ in range(times)]


def told(world: World, prefix: str) -> list[str]:
    return [line["event"] for line in world.lines if line["event"].startswith(prefix)]


async def test_after_five_failures_a_provider_is_asked_no_more_until_a_probe_succeeds(
    autojump_clock: MockClock,
) -> None:
    config = config_of(provider("up", "openai-chat"), max_attempts=1)
    async with open_router(config, up=(*[BROKEN] * 5, WELL)) as world:
        assert await statuses(world, 5) == [500] * 5
        began = trio.current_time()
        heard = await world.ask(MESSAGES, ASK)
        assert trio.current_time() - began < 0.05
        assert (heard.status, heard.json()["error"]["type"]) == (529, "overloaded_error")
        assert 24 <= int(heard.headers["retry-after"]) <= 30
        assert len(world.upstreams["up"].requests) == 5
        await trio.sleep(30)
        assert await statuses(world, 3) == [200] * 3
    assert told(world, "breaker.") == ["breaker.opened", "breaker.half_opened", "breaker.closed"]
    line = next(line for line in world.lines if line["event"] == "breaker.opened")
    assert (line["level"], line["provider"], line["model"], line["failures"]) == (
        "warning",
        "up",
        "up-model",
        5,
    )
    assert 24 <= line["for_s"] <= 30


async def test_half_open_only_one_request_at_a_time_is_let_through(autojump_clock: MockClock) -> None:
    async def slowly(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(5)
        await WELL(request, answer)

    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=(*[BROKEN] * 5, slowly)) as world:
        await statuses(world, 5)
        await trio.sleep(30)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(statuses, world, 1)
            await world.upstreams["up"].wait_requests(6)
            heard = await world.ask(MESSAGES, ASK)
            assert (heard.status, heard.headers["retry-after"]) == (529, "1")
        assert await statuses(world, 1) == [200]
        assert len(world.upstreams["up"].requests) == 7


async def test_a_probe_whose_client_leaves_makes_place_for_the_next(autojump_clock: MockClock) -> None:
    async def never(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep_forever()

    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=(*[BROKEN] * 5, never, WELL)) as world:
        await statuses(world, 5)
        await trio.sleep(30)
        with trio.move_on_after(3):
            await world.ask(MESSAGES, ASK)
        await world.upstreams["up"].wait_aborted(1)
        assert await statuses(world, 1) == [200]


async def test_a_probe_that_hangs_counts_as_failed_after_its_limit(autojump_clock: MockClock) -> None:
    async def never(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep_forever()

    config = config_of(provider("up", "openai-chat", breaker=BreakerSpec(probe_s=10)))
    async with open_router(config, up=(*[BROKEN] * 5, never, WELL)) as world, trio.open_nursery() as nursery:
        await statuses(world, 5)
        await trio.sleep(30)
        nursery.start_soon(statuses, world, 1)
        await trio.sleep(10)
        heard = await world.ask(MESSAGES, ASK)
        assert heard.status == 529
        assert 48 <= int(heard.headers["retry-after"]) <= 60
        await trio.sleep(60)
        assert await statuses(world, 1) == [200]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_what_is_wrong_with_a_request_is_no_fault_of_its_provider(
    status: int, autojump_clock: MockClock
) -> None:
    wrong = answers.says(status, {"error": {"message": "no", "type": "invalid_request_error"}})
    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=(*[wrong] * 20, WELL)) as world:
        assert 529 not in await statuses(world, 20)
        assert await statuses(world, 1) == [200]
    assert told(world, "breaker.") == []


async def test_clients_that_leave_are_no_fault_of_their_provider(autojump_clock: MockClock) -> None:
    async def never(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep_forever()

    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=(*[never] * 12, WELL)) as world:
        for left in range(12):
            with trio.move_on_after(1):
                await world.ask(MESSAGES, ASK)
            await world.upstreams["up"].wait_aborted(left + 1)
        assert await statuses(world, 1) == [200]
    assert told(world, "breaker.") == []


async def test_one_model_may_fail_while_another_of_the_same_provider_serves(autojump_clock: MockClock) -> None:
    async def by_model(request: SeenRequest, answer: Answer) -> None:
        handler: Handler = BROKEN if b'"bad"' in request.body else WELL
        await handler(request, answer)

    config = config_of(
        provider("up", "openai-chat", default_model="bad", models=("good", "bad")), max_attempts=1
    )
    async with open_router(config, up=by_model) as world:
        assert await statuses(world, 6, {**ASK, "model": "bad"}) == [500] * 5 + [529]
        assert await statuses(world, 2, {**ASK, "model": "good"}) == [200] * 2


async def test_a_provider_that_refuses_connections_is_left_alone_for_every_model(
    autojump_clock: MockClock,
) -> None:
    config = config_of(provider("up", "openai-chat", models=("one", "two")))
    async with open_router(config, up=WELL) as world:
        for _ in range(5):
            world.network.script("up.test", 80, Refuse())
        assert await statuses(world, 5, {**ASK, "model": "one"}) == [529] * 5
        assert await statuses(world, 1, {**ASK, "model": "two"}) == [529]
        assert world.upstreams["up"].connections == 0
    line = next(line for line in world.lines if line["event"] == "breaker.opened")
    assert (line["provider"], line["model"]) == ("up", None)


async def test_a_key_at_its_limit_rests_and_the_other_key_is_used(autojump_clock: MockClock) -> None:
    keys = (Secret("k-1-of-the-provider"), Secret("k-2-of-the-provider"))
    config = config_of(provider("up", "openai-chat", api_keys=keys))
    async with open_router(config, up=(BUSY, WELL)) as world:
        assert (await statuses(world, 4))[1:] == [200] * 3
        await trio.sleep(7)
        await statuses(world, 1)
        used = [seen.header("authorization") for seen in world.upstreams["up"].requests]
    assert [str(value)[-17] for value in used][:2] == ["1", "2"]
    assert used[1] == used[2]
    assert "Bearer k-1-of-the-provider" in used[3:]
    line = next(line for line in world.lines if line["event"] == "key.cooled")
    assert (line["provider"], line["key"], line["kind"], line["for_s"]) == ("up", 0, "rate_limit", 7)


async def test_a_provider_whose_only_key_is_at_its_limit_is_not_asked_until_it_has_rested(
    autojump_clock: MockClock,
) -> None:
    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=(BUSY, WELL)) as world:
        for wait in (0, 3):
            await trio.sleep(wait)
            heard = await world.ask(MESSAGES, ASK)
            assert (heard.status, heard.json()["error"]["type"]) == (429, "rate_limit_error")
            assert heard.headers["retry-after"] == str(7 - wait)
        assert len(world.upstreams["up"].requests) == 1
        await trio.sleep(4)
        assert await statuses(world, 1) == [200]
    assert told(world, "breaker.") == []


async def test_a_breaker_can_be_turned_off(autojump_clock: MockClock) -> None:
    config = config_of(provider("up", "openai-chat", breaker=BreakerSpec(enabled=False)))
    async with open_router(config, up=BROKEN) as world:
        assert await statuses(world, 20) == [500] * 20
