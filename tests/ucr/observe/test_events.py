from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import lockstep_stream_pair
from trio_websocket import ConnectionClosed, ConnectionRejected

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from tests.world.websocket import open_feed
from ucr.access import digest
from ucr.observe.feed import MOST_LISTENERS
from ucr.observe.listener import LIMIT_BYTES
from ucr.worker import MOST_GENERATIONS

pytestmark = pytest.mark.usefixtures("both_lanes")

ASK = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
CONFIG = config_of(provider("up", "anthropic"))
LOCKED = config_of(provider("up", "anthropic"), admin_key_sha256=digest("admin-key"))
REPLY = answers.says(200, answers.anthropic_reply())
BROKEN = answers.says(500, {"type": "error", "error": {"type": "api_error", "message": "no"}})


async def refusal(world: World, headers: Mapping[str, str] = {}) -> ConnectionRejected:
    refused: list[ConnectionRejected] = []
    try:
        async with open_feed(world, headers):
            pass
    except* ConnectionRejected as group:
        refused += [error for error in group.exceptions if isinstance(error, ConnectionRejected)]
    return refused[0]


async def test_a_client_hears_statistics_and_requests_that_finish(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world, open_feed(world) as feed:
        first = await feed.next()
        heard = await world.ask("/v1/messages", ASK)
        line = await feed.next("request.finished")
        later = await feed.next("statistics")
    assert (first["event"], first["requests"]["total"]) == ("statistics", 0)
    assert line == world.finished[0]
    assert (line["request_id"], line["status"]) == (heard.headers["request-id"], 200)
    assert later["requests"]["total"] == 1
    assert later["providers"]["up"]["breaker"] == "closed"


async def test_a_client_hears_that_a_breaker_opens(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=BROKEN) as world, open_feed(world) as feed:
        await feed.next("statistics")
        for _ in range(5):
            await world.ask("/v1/messages", ASK)
        opened = await feed.next("breaker.opened")
        told = await feed.next("statistics")
    assert (opened["provider"], opened["level"]) == ("up", "warning")
    assert told["providers"]["up"]["breaker"] == "open"
    assert told["requests"]["errors"] == 5


async def test_who_has_left_costs_nothing_more(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        assert world.hear is None
        async with open_feed(world) as feed:
            await feed.next()
            assert world.hear is not None
        await trio.sleep(5)
        assert world.hear is None


async def test_the_admin_key_is_wanted_where_there_is_one(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        missing = await refusal(world)
        wrong = await refusal(world, {"x-api-key": "other"})
        async with open_feed(world, {"authorization": "Bearer admin-key"}) as feed:
            assert (await feed.next())["event"] == "statistics"
    assert (missing.status_code, wrong.status_code) == (401, 401)
    assert missing.body is not None
    assert b"the admin key is missing" in missing.body


async def test_too_many_wrong_keys_are_told_to_wait(autojump_clock: object) -> None:
    async with open_router(LOCKED, up=REPLY) as world:
        statuses = [(await refusal(world, {"x-api-key": "other"})).status_code for _ in range(31)]
    assert statuses == [401] * 30 + [429]


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.test"}, {"sec-fetch-site": "cross-site"}, {"x-forwarded-for": "10.0.0.1"}],
)
async def test_a_foreign_page_hears_nothing(headers: dict[str, str], autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        assert (await refusal(world, headers)).status_code == 403


async def test_the_page_of_the_router_itself_may_listen(autojump_clock: object) -> None:
    async with (
        open_router(CONFIG, up=REPLY) as world,
        open_feed(world, {"origin": "http://127.0.0.1:3000"}) as feed,
    ):
        assert (await feed.next())["event"] == "statistics"


async def test_one_more_than_there_is_room_for_is_told_so(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                for _ in range(MOST_LISTENERS):
                    await nursery.start(listen, world)
                refused = await refusal(world)
                scope.cancel()
    assert refused.status_code == 529


async def test_those_who_come_at_the_same_moment_are_no_more_than_there_is_room_for(
    autojump_clock: object,
) -> None:
    refused: list[int] = []

    async def come(world: World) -> None:
        try:
            async with open_feed(world):
                await trio.sleep(10)
        except* ConnectionRejected as group:
            refused.extend(
                error.status_code for error in group.exceptions if isinstance(error, ConnectionRejected)
            )

    async with open_router(CONFIG, up=REPLY) as world, trio.open_nursery() as nursery:
        for _ in range(MOST_LISTENERS + 8):
            nursery.start_soon(come, world)
    assert refused == [529] * 8


async def listen(world: World, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    async with open_feed(world):
        task_status.started()
        await trio.sleep_forever()


async def test_one_who_does_not_read_is_sent_away_and_the_others_hear_all(autojump_clock: object) -> None:
    lines = [b'{"event":"x","number":%d,"text":"%s"}\n' % (number, b"x" * 4000) for number in range(100)]
    assert sum(map(len, lines)) > LIMIT_BYTES
    async with open_router(CONFIG, make_pair=lockstep_stream_pair, up=REPLY) as world:
        async with open_feed(world) as slow, open_feed(world) as quick:
            await slow.next()
            await quick.next()
            for number, line in enumerate(lines):
                assert world.hear is not None
                world.hear(line)
                assert (await quick.next("x"))["number"] == number
            await trio.sleep(1)
            with pytest.raises(ConnectionClosed):
                while True:
                    await slow.next()
            assert (await quick.next())["event"] == "statistics"
        view = await world.worker.take_view()
    assert view.metrics.total("ucr_feed_clients_dropped_total") == 1


async def test_a_worker_that_drains_lets_its_listeners_go(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world, open_feed(world) as feed:
        await feed.next()
        began_s = trio.current_time()
        world.stop.set()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await feed.next()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1001
        assert trio.current_time() - began_s < 2


async def test_a_listener_holds_up_no_change_of_the_configuration(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world, open_feed(world) as feed:
        await feed.next()
        for number in range(MOST_GENERATIONS + 2):
            router = replace(CONFIG.router, token_threshold=1000 + number)
            await world.worker.follow(replace(CONFIG, router=router))
            await trio.sleep(0.01)
        assert world.worker.api.generation.number == MOST_GENERATIONS + 3


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 100, b"\x81\xfe\xff\xff" + b"x" * 100_000, b"GET / HTTP/1.1\r\n\r\n"]
)
async def test_garbage_ends_one_connection(garbage: bytes, autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world, open_feed(world) as good:
        await good.next()
        visitor = await world.connect()
        await visitor.stream.send_all(HANDSHAKE)
        assert (await visitor.stream.receive_some()).startswith(b"HTTP/1.1 101 ")
        await visitor.stream.send_all(garbage)
        with trio.fail_after(60):
            while await visitor.stream.receive_some():
                pass
        assert (await good.next())["event"] == "statistics"


HANDSHAKE = (
    b"GET /ws/events HTTP/1.1\r\nhost: 127.0.0.1:3000\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_bytes_behind_the_handshake_harm_nobody(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(HANDSHAKE + b"\x82\x7f" + b"\xff" * 200)
        with trio.fail_after(60):
            while await visitor.stream.receive_some():
                pass
        assert not [line for line in world.lines if line["level"] == "error"]
        assert (await world.ask("/v1/messages", ASK)).status == 200


async def test_a_connection_may_turn_to_the_feed_after_requests(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", ASK)
        assert (await visitor.hear()).status == 200
        await visitor.stream.send_all(HANDSHAKE)
        assert (await visitor.stream.receive_some()).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/ws/events", "GET", 426), ("/ws/events", "POST", 405)]
)
async def test_what_is_no_websocket_is_told_so(
    path: str, method: str, status: int, autojump_clock: object
) -> None:
    async with open_router(CONFIG, up=REPLY) as world:
        heard: Any = await world.ask(path, method=method)
    assert heard.status == status
    assert heard.headers.get("upgrade") == ("websocket" if status == 426 else None)


@pytest.mark.parametrize("lacks", ["sec-websocket-key", "sec-websocket-version", "connection"])
async def test_half_a_handshake_is_an_ordinary_request(lacks: str, autojump_clock: object) -> None:
    lines = [line for line in HANDSHAKE.split(b"\r\n") if not line.startswith(lacks.encode())]
    async with open_router(CONFIG, up=REPLY) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(b"\r\n".join(lines))
        assert (await visitor.stream.receive_some()).startswith(b"HTTP/1.1 426 ")


async def test_elsewhere_a_websocket_is_an_ordinary_request(autojump_clock: object) -> None:
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    async with open_router(CONFIG, up=REPLY) as world:
        heard = await world.ask("/v1/providers", method="GET", headers=upgrade)
    assert heard.status == 200
