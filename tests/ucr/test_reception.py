"""How an answer is read: what counts as life, and what becomes of it when nobody waits any more."""

from dataclasses import replace
from typing import Any

import pytest
import trio

from actors import Pump
from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.config.model import Timeouts
from ucr.dialects.roles import is_strict

MESSAGES = "/v1/messages"
CHAT = "/v1/chat/completions"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": TURN}
STREAM: dict[str, Any] = {**ASK, "stream": True}
DIALECTS = pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])


def text_of(dialect: str, *pieces: str) -> list[bytes]:
    return answers.anthropic_text(*pieces) if dialect == "anthropic" else answers.chat_text(*pieces)


async def leave(world: World, body: dict[str, Any], after_s: float) -> None:
    """Ask, wait a while, and go."""
    visitor = await world.connect()
    await visitor.send(MESSAGES, body)
    await trio.sleep(after_s)
    await visitor.stream.aclose()


class Asked(Pump):
    """A pump that counts how often it is asked to catch up."""

    times = 0

    def catch_up(self) -> None:
        self.times += 1


@pytest.mark.parametrize("stream", [False, True])
async def test_whoever_has_his_turn_looks_after_the_other_streams(stream: bool, autojump_clock: object) -> None:
    """At the beginning and the head; of a stream also at each of its turns, and at its end."""
    upstream = (
        answers.streams(text_of("anthropic", "a", "b"))
        if stream
        else answers.says(200, answers.anthropic_reply())
    )
    async with open_router(config_of(provider("up", "anthropic")), up=upstream) as world:
        pump = Asked()
        api = world.worker.api
        api.publish(replace(api.generation.router, pump=pump))
        heard = await world.ask(MESSAGES, {**ASK, "stream": stream})
    assert heard.status == 200
    assert pump.times >= 4 if stream else pump.times == 2


@pytest.mark.parametrize("noise", [b": still here\n\n", b'event: ping\ndata: {"type": "ping"}\n\n'])
async def test_pings_and_comments_are_no_sign_of_life(noise: bytes, autojump_clock: object) -> None:
    async def pings(request: Any, answer: Any) -> None:
        await answer.head(200, answers.SSE)
        await answer.send(answers.anthropic_text("hi")[0])
        while True:
            await trio.sleep(1)
            await answer.send(noise)

    config = config_of(provider("up", "anthropic", timeouts=Timeouts(idle_s=10.0)))
    async with open_router(config, up=pings) as world:
        with trio.fail_after(12):
            heard = await world.ask(MESSAGES, STREAM)
    assert (heard.status, heard.json()["error"]["type"]) == (504, "timeout_error")
    assert "no content within 10 s" in heard.json()["error"]["message"]


@DIALECTS
async def test_a_slow_stream_lives_as_long_as_its_content_comes(dialect: str, autojump_clock: object) -> None:
    config = config_of(provider("up", dialect, timeouts=Timeouts(idle_s=10.0)))
    slow = answers.streams(text_of(dialect, *"abcdefgh"), pause_s=9.0)
    async with open_router(config, up=slow) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert (heard.status, heard.events()[-1]["type"]) == (200, "message_stop")


@DIALECTS
async def test_a_body_that_breaks_after_the_stream_in_it_costs_only_its_connection(
    dialect: str, autojump_clock: object
) -> None:
    async def breaks(request: Any, answer: Any) -> None:
        await answer.head(200, answers.SSE)
        events = b"".join(text_of(dialect, "hi"))
        await answer.raw(b"%x\r\n%b\r\nno chunk\r\n" % (len(events), events))

    async with open_router(
        config_of(provider("up", dialect), provider("other", dialect)),
        up=breaks,
        other=answers.streams(text_of(dialect, "twice")),
    ) as world:
        heard = await world.ask(MESSAGES, STREAM)
        assert [event["type"] for event in heard.events()].count("message_stop") == 1
        assert world.finished[0]["attempts"] == 1
        assert world.worker.tree.children["up"].status.succeeded == 1
        assert world.worker.tree.children["up"].pool.statistics().open == 0


@DIALECTS
async def test_a_client_that_leaves_ends_the_answer_and_what_it_cost_is_estimated(
    dialect: str, autojump_clock: object
) -> None:
    slow = answers.streams(text_of(dialect, *["word " * 20] * 50), pause_s=1.0)
    async with open_router(config_of(provider("up", dialect)), up=slow) as world:
        await leave(world, STREAM, 10.5)
        await world.upstreams["up"].wait_aborted(1)
        await world.wait_finished(1)
        status = (await world.ask("/v1/providers", method="GET")).json()["data"][0]["status"]
    line = world.finished[0]
    assert (line["status"], line["error_type"], line["usage_estimated"]) == (200, "client_gone", True)
    assert 200 <= line["output_tokens"] <= 400
    assert line["input_tokens"] > 0
    assert (status["in_flight"], status["abandoned"], status["failures"]) == (0, 1, {})


@DIALECTS
@pytest.mark.parametrize("body", [ASK, STREAM])
async def test_an_answer_may_be_read_on_so_that_its_cost_is_known(
    dialect: str, body: dict[str, Any], autojump_clock: object
) -> None:
    slow = answers.streams(text_of(dialect, *"abcdefgh"), pause_s=1.0)
    config = config_of(provider("up", dialect), on_disconnect="drain", drain_s=30.0)
    async with open_router(config, up=slow) as world:
        await leave(world, body, 3.5)
        await world.wait_finished(1)
        status = (await world.ask("/v1/providers", method="GET")).json()["data"][0]["status"]
    line = world.finished[0]
    assert (line["input_tokens"], line["output_tokens"], line["usage_estimated"]) == (11, 7, False)
    assert (status["succeeded"], status["abandoned"]) == (1, 0)


async def test_reading_on_has_an_end(autojump_clock: object) -> None:
    slow = answers.streams(answers.chat_text(*"abcdefgh" * 10), pause_s=1.0)
    config = config_of(provider("up", "openai-chat"), on_disconnect="drain", drain_s=5.0)
    async with open_router(config, up=slow) as world:
        await leave(world, STREAM, 3.5)
        with trio.fail_after(6):
            await world.upstreams["up"].wait_aborted(1)


async def test_a_shutdown_ends_the_reading_on(autojump_clock: object) -> None:
    slow = answers.streams(answers.chat_text(*"abcdefgh" * 100), pause_s=1.0)
    config = config_of(provider("up", "openai-chat"), on_disconnect="drain", drain_s=600.0)
    async with open_router(config, up=slow) as world:
        await leave(world, STREAM, 3.5)
        world.stop.set()
        with trio.fail_after(60):
            await world.upstreams["up"].wait_aborted(1)


async def test_an_answer_that_says_nothing_of_its_cost_is_estimated(autojump_clock: object) -> None:
    pieces = [
        answers.chat_chunk({"content": "word " * 10}),
        answers.chat_chunk({}, "stop"),
        b"data: [DONE]\n\n",
    ]
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.streams(pieces)) as world:
        await world.ask(MESSAGES, STREAM)
    assert world.finished[0]["usage_estimated"] is True
    assert 8 <= world.finished[0]["output_tokens"] <= 20


@pytest.mark.parametrize(("agent", "strict"), [("ai-sdk/5", True), ("claude-cli/2", False), ("", False)])
def test_only_readers_that_need_it_get_the_documented_events_alone(agent: str, strict: bool) -> None:
    assert is_strict(agent) is strict
