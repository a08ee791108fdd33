"""What one connection does to a server, and what it does not."""

import json
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.stress.upstream import Answer, SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}

CONFIG = config_of(provider("up", "openai-chat"))

HOSTILE = {
    "h2c": b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n"
    b"http2-settings: \xff\xff*\r\n\r\n",
    "prior-knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 32,
    "websocket": b"GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85garbage",
    "garbage": b"\x16\x03\x01\x00\xff" * 100,
    "no-host": b"GET /health HTTP/1.1\r\n\r\n",
    "two-hosts": b"GET /v1/models HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "huge-head": b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"a" * 100_000 + b"\r\n\r\n",
    "non-ascii": b"GET /\xc3\xa9 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
}


async def is_alive(world: World) -> bool:
    return (await world.ask("/health", method="GET")).status == 200


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_bytes_end_nothing_but_their_own_connection(data: bytes, autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(data)
        await visitor.stream.receive_some()
        await visitor.stream.aclose()
        assert await is_alive(world)
        assert "connection.crashed" not in [line["event"] for line in world.lines]


async def test_a_foreign_upgrade_is_answered_as_plain_http(autojump_clock: object) -> None:
    headers = {"connection": "upgrade", "upgrade": "h2c"}
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask("/health", method="GET", headers=headers)
    assert heard.status == 200


async def all_of(stream: Any) -> bytes:
    """Return everything that comes until the end."""
    received = b""
    while data := await stream.receive_some():
        received += data
    return received


HALF_HEADS = {
    "at-once": b"GET / HTTP/1.1\r\nhost: 127",
    "after-another": b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nG",
}


@pytest.mark.parametrize("data", HALF_HEADS.values(), ids=HALF_HEADS.keys())
async def test_a_head_that_does_not_come_to_its_end_is_told_so_after_10_s(
    data: bytes, autojump_clock: object
) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        began = trio.current_time()
        await visitor.stream.send_all(data)
        *_, head, body = (await all_of(visitor.stream)).split(b"\r\n\r\n")
        assert 10 <= trio.current_time() - began <= 13
    assert b"HTTP/1.1 408 " in head
    assert b"connection: close" in head.lower()
    assert json.loads(body)["error"]["type"] == "timeout_error"


async def test_a_head_that_drips_is_given_up_all_the_same(autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        began = trio.current_time()
        received = b""

        async def drip() -> None:
            while True:
                await visitor.stream.send_all(b"x")
                await trio.sleep(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drip)
            while not received:
                received = await visitor.stream.receive_some()
            assert 9 <= trio.current_time() - began <= 11
            nursery.cancel_scope.cancel()
    assert received.startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_has_begun_behind_a_request_does_not_end_its_answer(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=answers.late(30)) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", ASK)
        await visitor.stream.send_all(b"GET ")
        began = trio.current_time()
        assert (await visitor.hear()).status == 200
        assert trio.current_time() - began == 30


async def test_who_says_nothing_at_all_is_told_nothing(autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        assert await all_of(visitor.stream) == b""


async def test_an_idle_connection_is_closed_after_the_keep_alive_time(autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        began = trio.current_time()
        assert await visitor.stream.receive_some() == b""
        assert 71 <= trio.current_time() - began <= 74


async def test_a_stop_closes_idle_connections_at_once(autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        await visitor.send("/health", method="GET")
        await visitor.hear()
        world.stop.set()
        with trio.fail_after(1):
            assert await visitor.stream.receive_some() == b""


FOLLOWING = {
    "line-end": b"\r\n",
    "request": b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
}


@pytest.mark.parametrize("following", FOLLOWING.values(), ids=FOLLOWING.keys())
async def test_a_client_that_leaves_is_noticed_behind_bytes_of_a_next_request(
    following: bytes, autojump_clock: object
) -> None:
    async with open_router(CONFIG, up=answers.never()) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", ASK)
        await visitor.stream.send_all(following)
        await world.upstreams["up"].wait_requests(1)
        await visitor.stream.aclose()
        with trio.fail_after(0.1):
            await world.upstreams["up"].wait_aborted(1)


async def test_requests_sent_together_are_answered_in_turn(autojump_clock: object) -> None:
    """What is read ahead of the second turn is kept for it, in whatever pieces it comes."""
    body = json.dumps({**ASK, "system": "x" * 200_000}).encode()
    head = b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    request = head + b"content-length: %d\r\n\r\n" % len(body) + body

    async def slowly(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(1)
        await answers.says(200, answers.chat_reply())(request, answer)

    async with open_router(CONFIG, up=slowly) as world, trio.open_nursery() as nursery:
        visitor = await world.connect()
        nursery.start_soon(visitor.stream.send_all, request * 3)
        received = b""
        while received.count(b"HTTP/1.1 200") < 3 or not received.endswith(b"}"):
            received += await visitor.stream.receive_some()
        assert len(world.upstreams["up"].requests) == 3


async def test_an_answer_before_the_end_of_its_request_is_not_lost(autojump_clock: object) -> None:
    """Closing at once would reset the connection under a client that is still sending."""
    head = b"POST /v1/nothing HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 3000000\r\n\r\n"
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(head)
        heard = await visitor.hear()
        for _ in range(3):
            await visitor.stream.send_all(b" " * 1_000_000)
            await trio.sleep(0.5)
        assert heard.status == 404
        assert await visitor.stream.receive_some() == b""
        began = trio.current_time()
        with pytest.raises(trio.BrokenResourceError):
            while True:
                await visitor.stream.send_all(b" ")
                await trio.sleep(0.1)
        assert trio.current_time() - began < 2


@pytest.mark.parametrize("name", ["no-host", "huge-head", "non-ascii"])
async def test_what_is_no_http_is_told_so_in_json(name: str, autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(HOSTILE[name])
        answer = b""
        while data := await visitor.stream.receive_some():
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1].startswith(b"4")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
