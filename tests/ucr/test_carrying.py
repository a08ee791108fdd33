"""Streams that a pump carries, over real sockets: the same bytes as otherwise, and the same ends."""

import re
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.config.model import Cache, Server, Timeouts
from ucr.stress.upstream import Answer, Handler, SeenRequest

MESSAGES = "/v1/messages"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
STREAM: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": TURN, "stream": True}
CHAT: dict[str, Any] = {"model": "gpt-x", "messages": TURN, "stream": True}
DIALECTS = pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
_CREATED = re.compile(rb'"created":[0-9]+,')
WORDS = [f"word {number} " for number in range(30)]


def text_of(dialect: str, *pieces: str) -> list[bytes]:
    return answers.anthropic_text(*pieces) if dialect == "anthropic" else answers.chat_text(*pieces)


def flowing(world: World) -> int:
    return world.worker.api.generation.router.pump.flowing


def noting(world: list[World], seen: list[int], pieces: list[bytes], then: Handler | None = None) -> Handler:
    """Return an upstream that notes before each piece how many streams are carried."""

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, answers.SSE)
        for piece in pieces:
            await trio.sleep(1)
            seen.append(flowing(world[0]))
            await answer.send(piece)
        await (answer.finish() if then is None else then(request, answer))

    return handler


@DIALECTS
@pytest.mark.parametrize(
    ("path", "body"), [(MESSAGES, STREAM), ("/v1/chat/completions", CHAT)], ids=["messages", "chat"]
)
async def test_the_client_gets_the_same_bytes_as_without_a_pump(
    dialect: str, path: str, body: dict[str, Any], autojump_clock: object
) -> None:
    heard: list[bytes] = []
    worlds: list[World] = []
    seen: list[int] = []
    for over_sockets in (False, True):
        handler = noting(worlds, seen, text_of(dialect, *WORDS))
        async with open_router(
            config_of(provider("up", dialect)), over_sockets=over_sockets, up=handler
        ) as world:
            worlds[:] = [world]
            answer = await world.ask(path, body)
            heard.append(answer.body)
            assert answer.is_complete
            await world.wait_finished(1)
            assert flowing(world) == 0
            line = world.finished[0]
            assert (line["status"], line["output_tokens"], line["error_type"]) == (200, 7, None)
    without, carried = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert set(without) == {0}
    assert sum(carried) >= len(WORDS) - 2, "from the first words on"
    assert _plain(heard[0]) == _plain(heard[1])


def _plain(body: bytes) -> list[bytes]:
    """Return the lines, without the ids and times that differ from answer to answer."""
    body = _CREATED.sub(b"", body)
    return [line for line in body.split(b"\n") if b"message_start" not in line and b'"role"' not in line]


async def test_a_silence_ends_the_stream_and_content_puts_that_off(autojump_clock: object) -> None:
    async def slow(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, answers.SSE)
        for piece in answers.chat_text(*WORDS[:8])[:8]:
            await answer.send(piece)
            await trio.sleep(9)
        await trio.sleep_forever()

    config = config_of(provider("up", "openai-chat", timeouts=Timeouts(idle_s=10.0)))
    async with open_router(config, over_sockets=True, up=slow) as world:
        began_s = trio.current_time()
        heard = await world.ask(MESSAGES, STREAM)
        assert trio.current_time() - began_s == pytest.approx(7 * 9 + 10)
    assert heard.events()[-1]["error"]["type"] == "timeout_error"
    assert "no content within 10 s" in heard.events()[-1]["error"]["message"]
    assert [event["delta"]["text"] for event in heard.events() if "delta" in event] == WORDS[:8]


async def test_comments_are_no_content_there_either(autojump_clock: object) -> None:
    async def chatter(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, answers.SSE)
        await answer.send(answers.chat_text("hi")[0])
        while True:
            await trio.sleep(1)
            await answer.send(b": still here\n\n")

    config = config_of(provider("up", "openai-chat", timeouts=Timeouts(idle_s=10.0)))
    async with open_router(config, over_sockets=True, up=chatter) as world:
        with trio.fail_after(12):
            heard = await world.ask(MESSAGES, STREAM)
    assert "no content within 10 s" in heard.events()[-1]["error"]["message"]


async def test_the_whole_time_of_a_request_ends_it_in_the_pump_too(autojump_clock: object) -> None:
    endless = answers.streams([answers.chat_chunk({"content": "on "})] * 100, pause_s=1.0)
    config = config_of(provider("up", "openai-chat", timeouts=Timeouts(total_s=5.5)))
    async with open_router(config, over_sockets=True, up=endless) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert "longer than 5.5 s" in heard.events()[-1]["error"]["message"]


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_connection_that_ends_too_early_is_told(how: str, autojump_clock: object) -> None:
    async def breaks(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(1)
        await (answer.reset() if how == "reset" else answer.close())

    worlds: list[World] = []
    seen: list[int] = []
    handler = noting(worlds, seen, answers.chat_text(*WORDS)[:9], breaks)
    async with open_router(config_of(provider("up", "openai-chat")), over_sockets=True, up=handler) as world:
        worlds.append(world)
        heard = await world.ask(MESSAGES, STREAM)
    assert (heard.is_complete, heard.events()[-1]["type"]) == (True, "error")
    assert sum(seen) >= 7
    assert len([event for event in heard.events() if "delta" in event]) == 9


async def test_an_error_in_the_stream_is_its_end(autojump_clock: object) -> None:
    error = b'data: {"error": {"message": "no more of this", "type": "server_error"}}\n\n'
    handler = answers.streams([*answers.chat_text(*WORDS)[:9], error], pause_s=1.0)
    async with open_router(config_of(provider("up", "openai-chat")), over_sockets=True, up=handler) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert "no more of this" in heard.events()[-1]["error"]["message"]


async def test_a_client_that_leaves_ends_the_call(autojump_clock: object) -> None:
    endless = answers.streams([answers.chat_chunk({"content": "on "})] * 1000, pause_s=1.0)
    async with open_router(config_of(provider("up", "openai-chat")), over_sockets=True, up=endless) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, STREAM)
        await trio.sleep(5.5)
        assert flowing(world) == 1
        await visitor.stream.aclose()
        await world.wait_finished(1)
        await world.upstreams["up"].wait_closed()
        assert flowing(world) == 0
    assert world.finished[0]["error_type"] == "client_gone"


async def test_a_client_that_reads_slowly_holds_its_upstream_back_and_loses_nothing(
    autojump_clock: object,
) -> None:
    words = [f"{number:06d} " * 4000 for number in range(150)]
    sent = 0

    async def handler(request: SeenRequest, answer: Answer) -> None:
        nonlocal sent
        await answer.head(200, answers.SSE)
        for piece in answers.chat_text(*words):
            await answer.send(piece)
            sent += len(piece)
            await trio.sleep(0.01)
        await answer.finish()

    config = config_of(provider("up", "openai-chat"), server=Server(max_connections=10))
    async with open_router(config, over_sockets=True, up=handler) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, STREAM)
        await trio.sleep(20)
        before = sent
        assert before < 4000 * 7 * len(words), "the upstream waits"
        assert flowing(world) == 0
        heard = await visitor.hear()
        await visitor.stream.aclose()
    assert heard.is_complete
    assert [
        event["delta"]["text"] for event in heard.events() if event["type"] == "content_block_delta"
    ] == words


async def test_a_silent_stream_is_kept_alive_while_it_is_carried(autojump_clock: object) -> None:
    async def pausing(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, answers.SSE)
        for piece in answers.chat_text(*WORDS[:3]):
            await answer.send(piece)
            await trio.sleep(40)
        await answer.finish()

    async with open_router(config_of(provider("up", "openai-chat")), over_sockets=True, up=pausing) as world:
        heard = await world.ask(MESSAGES, STREAM)
    kinds = [event["type"] for event in heard.events()]
    assert kinds.count("ping") >= 4
    assert kinds[-1] == "message_stop"


async def test_a_follower_that_comes_in_the_middle_gets_all(autojump_clock: object) -> None:
    handler = answers.streams(answers.chat_text(*WORDS), pause_s=1.0)
    config = config_of(provider("up", "openai-chat"), cache=Cache(enabled=True))
    heard: list[list[str]] = []
    async with open_router(config, over_sockets=True, up=handler) as world:

        async def ask() -> None:
            answer = await world.ask(MESSAGES, STREAM)
            heard.append(
                [event["delta"]["text"] for event in answer.events() if event["type"] == "content_block_delta"]
            )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.sleep(10.5)
            assert flowing(world) == 1
            nursery.start_soon(ask)
        assert len(world.upstreams["up"].requests) == 1
    assert heard == [WORDS, WORDS]


async def test_what_a_worker_does_when_it_ends_reaches_streams_in_the_pump(autojump_clock: object) -> None:
    endless = answers.streams([answers.chat_chunk({"content": "on "})] * 1000, pause_s=1.0)
    config = config_of(provider("up", "openai-chat"), server=Server(grace_s=5.0))
    async with open_router(config, over_sockets=True, up=endless) as world, trio.open_nursery() as nursery:

        async def ask() -> None:
            heard = await world.ask(MESSAGES, STREAM)
            assert "shutting down" in heard.events()[-1]["error"]["message"]

        nursery.start_soon(ask)
        await trio.sleep(3.5)
        assert flowing(world) == 1
        world.stop.set()


async def test_time_in_the_pump_is_time_of_the_provider(autojump_clock: object) -> None:
    handler = answers.streams(answers.chat_text(*WORDS), pause_s=1.0)
    async with open_router(config_of(provider("up", "openai-chat")), over_sockets=True, up=handler) as world:
        await world.ask(MESSAGES, STREAM)
        await world.wait_finished(1)
    line = world.finished[0]
    assert line["total_ms"] > 1000 * len(WORDS)
    assert line["overhead_ms"] < 100
