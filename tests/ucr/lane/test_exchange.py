"""One request on a connection: its body, its answer, and what may follow."""

import gzip

import pytest
import trio
from trio.testing import MockClock

from actors import Pump
from ucr.badge import Badge
from ucr.bodies import Bodies
from ucr.errors import ApiError
from ucr.lane.exchange import LaneExchange, Means
from ucr.lane.head import read_head
from ucr.lane.line import Line
from ucr.lane.reply import Forms
from ucr.lane.watch import Watch
from ucr.stress.network import MemoryStream, stream_pair

LIMIT = 1000
JSON = (("content-type", "application/json"), ("content-length", "2"))


def opened(
    *fields: bytes,
    came: bytes = b"",
    line: bytes = b"POST / HTTP/1.1",
    bodies_limit: int = 10 * LIMIT,
    on: Line | None = None,
) -> tuple[LaneExchange, MemoryStream]:
    """Return an exchange and its client."""
    server, client = stream_pair()
    head = read_head(b"\r\n".join([line, b"host: a", *fields, b"", b""]))
    made = LaneExchange(
        Means(Bodies(bodies_limit), Watch(Pump()), Forms()),
        on or Line(server, 30.0, "127.0.0.1"),
        head,
        Badge(),
        came,
        "req_1",
        "now",
    )
    return made, client


def ended(exchange: LaneExchange) -> LaneExchange:
    exchange.end()
    return exchange


async def refusal(exchange: LaneExchange) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await exchange.body(LIMIT)
    return caught.value


async def test_a_body_that_nobody_has_read_is_not_kept_after_the_end() -> None:
    exchange, _ = opened(b"Content-Length: 3", came=b"abc")
    assert exchange.whole == b"abc"
    assert ended(exchange).whole is None


async def test_a_request_is_read_from_its_head() -> None:
    exchange, _ = opened(b"X-A: 1", line=b"POST /v1/messages?beta=true HTTP/1.1")
    assert (exchange.method, exchange.path, exchange.query) == ("POST", "/v1/messages", "beta=true")
    assert exchange.headers == {"host": "a", "x-a": "1"}
    assert (exchange.peer, exchange.request_id, exchange.fault) == ("127.0.0.1", "req_1", None)


async def test_a_body_that_came_with_its_head_is_not_waited_for() -> None:
    exchange, _ = opened(b"content-length: 3", came=b"abcGET /")
    assert await exchange.body(LIMIT) == b"abc"
    assert exchange.rest == b"GET /"


async def test_a_body_that_comes_later_is_waited_for(autojump_clock: MockClock) -> None:
    exchange, client = opened(b"transfer-encoding: chunked", came=b"3\r\na")
    await client.send_all(b"bc\r\n0\r\n\r\n")
    assert await exchange.body(LIMIT) == b"abc"


async def test_a_coded_body_is_decoded() -> None:
    packed = gzip.compress(b"abc")
    exchange, _ = opened(b"content-encoding: gzip", b"content-length: %d" % len(packed), came=packed)
    assert await exchange.body(LIMIT) == b"abc"


async def test_who_asks_for_leave_to_send_a_body_gets_it_when_the_body_is_wanted() -> None:
    exchange, client = opened(b"content-length: 3", b"expect: 100-continue")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(exchange.body, LIMIT)
        assert await client.receive_some() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send_all(b"abc")


async def test_who_asks_for_leave_to_send_too_much_is_refused_at_once() -> None:
    exchange, client = opened(b"content-length: 1001", b"expect: 100-continue")
    assert (await refusal(exchange)).status == 413
    await exchange.start(413, JSON)
    await exchange.send(b"{}")
    assert (await client.receive_some()).startswith(b"HTTP/1.1 413 ")


async def test_a_body_of_unknown_length_is_refused_as_soon_as_it_passes_the_limit(
    autojump_clock: MockClock,
) -> None:
    exchange, client = opened(b"transfer-encoding: chunked")
    await client.send_all(b"fff\r\n" + b"." * 1001)
    assert (await refusal(exchange)).status == 413
    exchange, _ = opened(b"transfer-encoding: chunked", came=b"fff\r\n" + b"." * 1001)
    assert (await refusal(exchange)).status == 413


async def test_broken_chunks_are_refused_early_and_late(autojump_clock: MockClock) -> None:
    early, _ = opened(b"transfer-encoding: chunked", came=b"x\r\n")
    assert early.fault is not None
    assert early.fault.status == 400
    late, client = opened(b"transfer-encoding: chunked")
    await client.send_all(b"x\r\n")
    assert (await refusal(late)).status == 400


async def test_a_body_that_stops_is_given_up_after_30_s(autojump_clock: MockClock) -> None:
    exchange, _client = opened(b"content-length: 3", came=b"a")
    assert (await refusal(exchange)).status == 408
    assert trio.current_time() == 30


@pytest.mark.parametrize(("amount", "given_up_s"), [(1, 30.002), (20_000, 300)])
async def test_a_body_may_neither_trickle_nor_last_for_ever(
    amount: int, given_up_s: float, autojump_clock: MockClock
) -> None:
    exchange, client = opened(b"content-length: 1000000", bodies_limit=10**6)

    async def trickle() -> None:
        while True:
            await trio.sleep(29)
            await client.send_all(b"." * amount)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trickle)
        with pytest.raises(ApiError) as caught:
            await exchange.body(10**6)
        nursery.cancel_scope.cancel()
    assert caught.value.status == 408
    assert trio.current_time() == pytest.approx(given_up_s)


async def test_a_client_that_leaves_in_its_body_cancels_its_request(autojump_clock: MockClock) -> None:
    server, client = stream_pair()
    line = Line(server, 30.0)
    head = read_head(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n")
    exchange = LaneExchange(Means(Bodies(LIMIT), Watch(Pump()), Forms()), line, head, Badge(), b"a", "", "")
    await client.aclose()
    with line.scope:
        await exchange.body(LIMIT)
        pytest.fail("it was not cancelled")
    assert line.scope.cancelled_caught


async def test_the_head_of_an_answer_leaves_with_its_first_part() -> None:
    exchange, client = opened()
    await exchange.start(200, JSON)
    await exchange.send(b"{}")
    await exchange.finish()
    assert (await client.receive_some()).endswith(b"\r\n\r\n{}")
    assert (exchange.sent_bytes, ended(exchange).keeps_alive) == (2, True)


async def test_a_stream_is_sent_part_by_part_in_chunks() -> None:
    exchange, client = opened()
    await exchange.start(200, ())
    await exchange.send(b"one")
    assert (await client.receive_some()).endswith(b"\r\n\r\n3\r\none\r\n")
    await exchange.send(b"")
    await exchange.send(b"two")
    assert await client.receive_some() == b"3\r\ntwo\r\n"
    assert not ended(exchange).keeps_alive
    await exchange.finish()
    assert await client.receive_some() == b"0\r\n\r\n"
    assert ended(exchange).keeps_alive


async def test_head_last_part_and_end_leave_together() -> None:
    exchange, client = opened()
    await exchange.start(200, ())
    await exchange.finish(b"one")
    assert (await client.receive_some()).endswith(b"\r\n\r\n3\r\none\r\n0\r\n\r\n")
    assert (exchange.sent_bytes, ended(exchange).keeps_alive) == (3, True)


async def test_an_answer_whose_last_part_nobody_took_has_no_end(autojump_clock: MockClock) -> None:
    server, client = stream_pair()
    line = Line(server, 30.0)
    exchange, _ = opened(on=line)
    await exchange.start(200, ())
    await client.aclose()
    with line.scope:
        await exchange.finish(b"one")
        pytest.fail("it was not cancelled")
    assert line.scope.cancelled_caught
    assert not exchange.is_finished


async def test_an_answer_without_a_body_is_sent_at_its_end() -> None:
    exchange, client = opened(line=b"HEAD / HTTP/1.1")
    await exchange.start(200, JSON)
    await exchange.send(b"{}")
    await exchange.finish()
    assert (await client.receive_some()).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("fields", "came", "kept"),
    [
        ((b"content-length: 3",), b"abc", True),
        ((b"content-length: 3",), b"ab", False),
        ((b"content-length: 3", b"connection: close"), b"abc", False),
        ((b"transfer-encoding: chunked",), b"0\r\n\r\n", True),
        ((b"transfer-encoding: chunked",), b"0\r\n", False),
    ],
)
async def test_an_answer_before_the_end_of_its_request_is_the_last(
    fields: tuple[bytes, ...], came: bytes, kept: bool
) -> None:
    exchange, client = opened(*fields, came=came)
    await exchange.start(401, JSON)
    await exchange.send(b"{}")
    await exchange.finish()
    assert ended(exchange).keeps_alive is kept
    assert (b"connection: close" in await client.receive_some()) is not kept


async def test_the_last_answer_says_so_where_it_still_can() -> None:
    exchange, client = opened()
    exchange.close_after()
    await exchange.start(200, JSON)
    await exchange.send(b"{}")
    await exchange.finish()
    assert b"connection: close" in await client.receive_some()
    assert not ended(exchange).keeps_alive
