"""What both lanes do alike on the wire."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair, wait_all_tasks_blocked

from tests.world import answers
from tests.world.router import FRONT_LANE, World, config_of, open_router, provider
from ucr.config.model import Server
from ucr.guard import GuardedServer
from ucr.lane.front import FrontServer
from ucr.server import server_of


@pytest.mark.parametrize(("front_lane", "kind"), [(True, FrontServer), (False, GuardedServer)])
async def test_the_front_lane_can_be_turned_off(
    front_lane: bool, kind: type, autojump_clock: MockClock
) -> None:
    config = config_of(provider("up", "openai-chat"), server=Server(front_lane=front_lane))
    async with open_router(config) as world:
        assert isinstance(server_of(replace(config), world.worker.api, lambda _: None), kind)
        assert (await world.ask("/health", method="GET")).status == 200


@pytest.mark.usefixtures("both_lanes")
async def test_how_many_connections_there_may_be_is_configured(autojump_clock: MockClock) -> None:
    config = config_of(provider("up", "openai-chat"), server=Server(max_connections=2))
    async with open_router(config) as world:
        first, _second = [await world.connect() for _ in range(2)]
        await wait_all_tasks_blocked()
        assert (await world.ask("/health", method="GET")).status == 529
        await first.stream.aclose()
        await wait_all_tasks_blocked()
        assert (await world.ask("/health", method="GET")).status == 200


CONFIG = config_of(provider("up", "openai-chat"))
ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
HOST = b"host: 127.0.0.1\r\n"
BOTH = pytest.mark.usefixtures("both_lanes")


def post(body: object, fields: bytes = b"", version: bytes = b"1.1") -> bytes:
    """Return a request as bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = b"POST /v1/messages HTTP/" + version + b"\r\n" + HOST + b"content-type: application/json\r\n"
    return head + b"content-length: %d\r\n" % len(data) + fields + b"\r\n" + data


async def exchanged(world: World, data: bytes) -> bytes:
    """Send bytes and return all that comes until the end, or for 5 s."""
    visitor = await world.connect()
    await visitor.stream.send_all(data)
    received = b""
    with trio.move_on_after(5):
        while piece := await visitor.stream.receive_some():
            received += piece
        received += b"<end>"
    await visitor.stream.aclose()
    return received


@BOTH
async def test_a_client_of_http_1_0_gets_whole_answers_and_streams_that_end_with_the_connection(
    autojump_clock: MockClock,
) -> None:
    up = (answers.says(200, answers.chat_reply()), answers.streams(answers.chat_text("one", "two")))
    async with open_router(CONFIG, up=up) as world:
        whole = await exchanged(world, post(ASK, version=b"1.0"))
        stream = await exchanged(world, post({**ASK, "stream": True}, version=b"1.0"))
    for received in (whole, stream):
        head, _, body = received.partition(b"\r\n\r\n")
        assert b" 200 " in head
        assert b"transfer-encoding" not in head.lower()
        assert body.endswith(b"<end>")
    assert b"content-length: " in whole.lower()
    assert b"message_stop" in stream
    assert not re.search(rb"\r\n[0-9a-f]+\r\n", stream.partition(b"\r\n\r\n")[2])


@BOTH
@pytest.mark.parametrize("path", [b"/", b"/health", b"/v1/models", b"/v1/nothing"])
async def test_an_answer_to_head_has_no_body_and_another_may_follow(
    path: bytes, autojump_clock: MockClock
) -> None:
    head = b"HEAD " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /ready HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n"
    async with open_router(CONFIG) as world:
        received = await exchanged(world, head + last)
    first, _, rest = received.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 ")
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert rest.endswith(b'{"status":"ready"}<end>')


@BOTH
@pytest.mark.parametrize("fields", [b"expect: 100-continue\r\n", b"Expect: 100-Continue\r\n"])
async def test_who_waits_for_leave_to_send_a_body_gets_it_once(
    fields: bytes, autojump_clock: MockClock
) -> None:
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        head, _, body = post(ASK, fields).partition(b"\r\n\r\n")
        visitor = await world.connect()
        await visitor.stream.send_all(head + b"\r\n\r\n")
        assert (await visitor.stream.receive_some()).startswith(b"HTTP/1.1 100 ")
        await visitor.stream.send_all(body)
        assert (await visitor.stream.receive_some()).startswith(b"HTTP/1.1 200 ")


@BOTH
async def test_who_waits_for_leave_to_send_too_much_is_refused(autojump_clock: MockClock) -> None:
    """The front lane gives leave when the body is wanted, hypercorn as soon as the head is there."""
    small = replace(CONFIG, server=Server(body_limit_bytes=10))
    head = post(ASK, b"expect: 100-continue\r\n").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    async with open_router(small) as world:
        received = await exchanged(world, head)
    statuses = re.findall(rb"HTTP/1.1 ([0-9]{3}) ", received)
    assert statuses == ([b"413"] if FRONT_LANE.get() else [b"100", b"413"])
    assert received.endswith(b"<end>")


@BOTH
@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"TLS/1.2", b"foo"])
async def test_a_foreign_upgrade_on_a_post_is_ignored(upgrade: bytes, autojump_clock: MockClock) -> None:
    fields = b"connection: upgrade\r\nupgrade: " + upgrade + b"\r\nhttp2-settings: AAMAAABk\r\n"
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        received = await exchanged(world, post(ASK, fields))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"upgrade" not in received.lower()


@BOTH
async def test_requests_in_one_piece_are_answered_in_their_order(autojump_clock: MockClock) -> None:
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        data = b"".join(
            [
                post(ASK),
                b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n",
                b"GET /v1/providers HTTP/1.1\r\n" + HOST + b"\r\n",
                post(b"{bad"),
                b"GET /ready HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
            ]
        )
        received = await exchanged(world, data)
    assert re.findall(rb"HTTP/1.1 ([0-9]{3}) ", received) == [b"200", b"200", b"200", b"400", b"200"]
    assert received.endswith(b'{"status":"ready"}<end>')


@BOTH
async def test_a_client_that_says_no_more_while_it_waits_has_left(autojump_clock: MockClock) -> None:
    """What half-closes may as well have closed: a proxy that gave up looks the same, and the call costs money."""
    async with open_router(CONFIG, up=answers.never()) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", ASK)
        await world.upstreams["up"].wait_requests(1)
        await visitor.stream.send_eof()
        with trio.fail_after(1):
            await world.upstreams["up"].wait_aborted(1)
        assert await visitor.stream.receive_some() == b""


@BOTH
async def test_who_half_closes_between_requests_is_closed_without_a_word(autojump_clock: MockClock) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        await visitor.send("/health", method="GET")
        assert (await visitor.hear()).status == 200
        await visitor.stream.send_eof()
        with trio.fail_after(1):
            assert await visitor.stream.receive_some() == b""


@BOTH
async def test_a_client_that_takes_nothing_for_30_s_is_cut_off_and_its_call_ended(
    autojump_clock: MockClock,
) -> None:
    pieces = answers.chat_text(*["x" * 100_000] * 100)
    async with open_router(CONFIG, lockstep_stream_pair, up=answers.streams(pieces)) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", {**ASK, "stream": True})
        began = trio.current_time()
        await world.upstreams["up"].wait_aborted(1)
        assert 30 <= trio.current_time() - began <= 32
