"""The upstream is either hypercorn, a whole server, or h2 on the other side of streams in memory, step by step."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from h2.errors import ErrorCodes
from h2.events import RequestReceived
from h2.settings import SettingCodes
from hypercorn.config import Config
from hypercorn.trio import serve
from trio.testing import MockClock

from actors.errors import PoolError
from actors.http1 import header_block
from actors.http2 import Http2Session
from actors.network import RealNetwork
from actors.pool import Pool
from actors.request import Limits, Origin, UpstreamRequest
from actors.tls import client_tls
from tests.world.http2 import Handle, Http2Upstream, Peer
from tests.world.pools import HELLO, LIMITS
from tests.world.sweep import Scenario, cancellation_sweep
from ucr.stress.network import MemoryNetwork

ORIGIN = Origin("http", "upstream.test", 80)
BIG = UpstreamRequest("POST", "/v1/messages", (), bytes(range(256)) * 4000)


async def call(pool: Pool, request: UpstreamRequest = HELLO, limits: Limits = LIMITS) -> bytes:
    with await pool.start(request, limits) as response:
        return await response.read()


# --- a whole server ---


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what was asked: the version, the path, a header, and the size of the body."""
    while scope["type"] == "lifespan":
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    key = dict(scope["headers"]).get(b"x-api-key", b"")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]})
    body = f"{scope['http_version']} {scope['path']} {key.decode()} {size}".encode()
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def open_hypercorn(directory: Path, alpn: list[str], *, http2: bool = True) -> AsyncIterator[Pool]:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(directory / "key.pem")
    for index, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(directory / "cert.pem", append=index > 0)
    config = Config()
    config.bind, config.alpn_protocols = ["127.0.0.1:0"], alpn
    config.certfile, config.keyfile = str(directory / "cert.pem"), str(directory / "key.pem")
    config.accesslog = config.errorlog = None
    context = client_tls(http2=http2)
    authority.configure_trust(context)
    ended = trio.Event()
    async with trio.open_nursery() as nursery:
        [url] = await nursery.start(partial(serve, echo, config, shutdown_trigger=ended.wait))
        origin = Origin("https", "localhost", int(url.rpartition(":")[2]))
        pool = Pool(origin, RealNetwork(), tls=context, http2=http2)
        yield pool
        await pool.aclose()
        ended.set()


@pytest.mark.slow
async def test_a_whole_server_is_spoken_to_in_http2(tmp_path: Path) -> None:
    async with open_hypercorn(tmp_path, ["h2", "http/1.1"]) as pool:
        request = UpstreamRequest("POST", "/a", (), b"x" * 300_000, header_block((("X-Api-Key", "k"),)))
        with await pool.start(request, LIMITS) as response:
            assert (response.status, dict(response.headers)["x-a"]) == (200, "b")
            assert await response.read() == b"2 /a k 300000"
        assert await call(pool) == b"2 /v1/messages  12"
        assert (pool.statistics().opened, pool.statistics().reused) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("alpn", "http2"), [(["http/1.1"], True), (["h2", "http/1.1"], False)])
async def test_http1_is_spoken_where_one_side_does_not_want_the_other(
    alpn: list[str], http2: bool, tmp_path: Path
) -> None:
    async with open_hypercorn(tmp_path, alpn, http2=http2) as pool:
        assert await call(pool) == b"1.1 /v1/messages  12"


# --- the other side of a stream ---


@asynccontextmanager
async def open_peer(*handles: Handle) -> AsyncIterator[Pool]:
    """Answer the n-th request with the n-th handler, and those after the last with the last."""
    network = MemoryNetwork()
    upstream = Http2Upstream(*handles)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, upstream.serve, [network.listener(ORIGIN.host, ORIGIN.port)])
        pool = Pool(ORIGIN, network, http2=True)
        yield pool
        await pool.aclose()
        assert pool.statistics().open == 0
        assert all(stream.is_closed for stream in network.streams)
        nursery.cancel_scope.cancel(reason="the test has ended")


async def say_ok(peer: Peer, request: RequestReceived) -> None:
    await peer.answer(request, b"ok")


async def test_the_head_says_what_http2_says() -> None:
    seen: list[list[tuple[str, str]]] = []

    async def note(peer: Peer, request: RequestReceived) -> None:
        seen.append([(str(name), str(value)) for name, value in request.headers])
        await peer.answer(request, b"ok")

    async with open_peer(note) as pool:
        request = UpstreamRequest(
            "POST", "/a?b", (("X-C", "d"), ("Host", "evil")), b"{}", header_block((("k", "v"),))
        )
        assert await call(pool, request) == b"ok"
    assert seen == [
        [
            (":method", "POST"),
            (":authority", "upstream.test"),
            (":scheme", "http"),
            (":path", "/a?b"),
            ("x-c", "d"),
            ("k", "v"),
            ("accept-encoding", "identity"),
            ("content-length", "2"),
        ]
    ]


async def test_a_body_is_sent_as_the_upstream_has_room_for_it() -> None:
    async def check(peer: Peer, request: RequestReceived) -> None:
        await peer.answer(request, b"whole" if peer.body == BIG.body else b"torn")

    async with open_peer(check) as pool:
        assert [await call(pool, BIG), await call(pool, BIG)] == [b"whole", b"whole"]
        assert pool.statistics().opened == 1


async def test_an_answer_larger_than_the_window_comes_whole() -> None:
    async def stream(peer: Peer, request: RequestReceived) -> None:
        peer.h2.send_headers(request.stream_id, [(":status", "200")])
        left = 3_000_000
        while left:
            await peer.flush()
            window = min(peer.h2.local_flow_control_window(request.stream_id), 16_384, left)
            if window:
                peer.h2.send_data(request.stream_id, bytes(window), end_stream=window == left)
                left -= window
            else:
                peer.h2.receive_data(bytes(await peer.stream.receive_some(65_536)))
        await peer.flush()

    async with open_peer(stream) as pool:
        assert len(await call(pool)) == 3_000_000


async def test_interim_answers_and_trailers_are_passed_over() -> None:
    async def informed(peer: Peer, request: RequestReceived) -> None:
        peer.h2.send_headers(request.stream_id, [(":status", "103")])
        peer.h2.send_headers(request.stream_id, [(":status", "200")])
        peer.h2.send_data(request.stream_id, b"ok")
        peer.h2.send_headers(request.stream_id, [("x-sum", "1")], end_stream=True)
        await peer.flush()

    async with open_peer(informed) as pool:
        with await pool.start(HELLO, LIMITS) as response:
            assert (response.status, response.headers, await response.read()) == (200, (), b"ok")


async def test_a_coded_body_is_decoded() -> None:
    async def zipped(peer: Peer, request: RequestReceived) -> None:
        await peer.answer(request, gzip.compress(b"text" * 100), **{"content-encoding": "gzip"})

    async with open_peer(zipped) as pool:
        assert await call(pool) == b"text" * 100


async def test_leaving_an_answer_closes_its_connection() -> None:
    left = trio.Event()

    async def stream(peer: Peer, request: RequestReceived) -> None:
        peer.h2.send_headers(request.stream_id, [(":status", "200")])
        peer.h2.send_data(request.stream_id, b"one")
        await peer.flush()
        while await peer.stream.receive_some(100):
            pass
        left.set()

    async with open_peer(stream) as pool:
        with await pool.start(HELLO, LIMITS) as response:
            assert await response.receive() == b"one"
        await left.wait()
        assert pool.statistics().open == 0


async def test_an_answer_that_was_accepted_before_a_farewell_is_read_to_its_end() -> None:
    async def farewell(peer: Peer, request: RequestReceived) -> None:
        peer.h2.send_headers(request.stream_id, [(":status", "200")])
        peer.h2.send_data(request.stream_id, b"one ")
        before = peer.h2.data_to_send()
        last = request.stream_id.to_bytes(4, "big")
        goaway = b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + last + bytes(4)
        peer.h2.send_data(request.stream_id, b"two", end_stream=True)
        await peer.stream.send_all(before + goaway + peer.h2.data_to_send())

    async with open_peer(farewell, say_ok) as pool:
        assert await call(pool) == b"one two"
        assert pool.statistics().idle == 0
        assert await call(pool) == b"ok"
        assert pool.statistics().opened == 2


async def test_a_connection_whose_upstream_takes_no_exchange_for_now_is_not_kept() -> None:
    async def take_no_more(peer: Peer, request: RequestReceived) -> None:
        peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 0})
        await say_ok(peer, request)

    async with open_peer(take_no_more, say_ok) as pool:
        assert [await call(pool), await call(pool)] == [b"ok", b"ok"]
        assert (pool.statistics().opened, pool.statistics().open) == (2, 1)


async def goodbye(peer: Peer, _request: RequestReceived) -> None:
    """End the connection without having looked at the request."""
    peer.h2.close_connection(last_stream_id=0)
    await peer.flush()


async def refuse(peer: Peer, request: RequestReceived) -> None:
    peer.h2.reset_stream(request.stream_id, ErrorCodes.REFUSED_STREAM)
    await peer.flush()


async def leave(peer: Peer, _request: RequestReceived) -> None:
    raise trio.BrokenResourceError


@pytest.mark.parametrize("end", [goodbye, refuse, leave])
async def test_a_kept_connection_that_ends_without_an_answer_is_replaced(end: Handle) -> None:
    async with open_peer(say_ok, end, say_ok) as pool:
        assert [await call(pool), await call(pool)] == [b"ok", b"ok"]
        assert (pool.statistics().stale, pool.statistics().failed, pool.statistics().opened) == (1, 0, 2)


@pytest.mark.parametrize("end", [goodbye, refuse, leave])
async def test_a_fresh_connection_that_ends_without_an_answer_is_a_reset(end: Handle) -> None:
    async with open_peer(end) as pool:
        with pytest.raises(PoolError) as caught:
            await call(pool)
        assert (caught.value.kind, caught.value.phase) == ("reset", "first_byte")


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_body_that_is_cut_off_is_a_reset_after_its_last_bytes(how: str) -> None:
    async def cut(peer: Peer, request: RequestReceived) -> None:
        peer.h2.send_headers(request.stream_id, [(":status", "200")])
        peer.h2.send_data(request.stream_id, b"half")
        if how == "reset":
            peer.h2.reset_stream(request.stream_id, ErrorCodes.INTERNAL_ERROR)
        await peer.flush()
        if how == "close":
            raise trio.BrokenResourceError

    async with open_peer(cut) as pool:
        with await pool.start(HELLO, LIMITS) as response:
            assert await response.receive() == b"half"
            with pytest.raises(PoolError) as caught:
                await response.receive()
        assert (caught.value.kind, caught.value.phase) == ("reset", "idle")


async def send_raw(data: bytes, peer: Peer, _request: RequestReceived) -> None:
    await peer.stream.send_all(data)


async def send_many_headers(peer: Peer, request: RequestReceived) -> None:
    fields = {f"x-{number}": "y" * 1000 for number in range(100)}
    await peer.answer(request, b"ok", **fields)


async def send_pings(peer: Peer, _request: RequestReceived) -> None:
    for _ in range(4000):
        peer.h2.ping(b"12345678")
    await peer.flush()


async def send_too_much(peer: Peer, request: RequestReceived) -> None:
    await peer.answer(request, bytes(10_000), bytes(10_000))


@pytest.mark.parametrize(
    ("handle", "kind"),
    [
        (partial(send_raw, b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), "protocol"),
        (partial(send_raw, b"\xff\xff\xff" + bytes(40)), "protocol"),
        (send_many_headers, "too_large"),
        (send_pings, "too_large"),
        (send_too_much, "too_large"),
    ],
    ids=["HTTP/1.1", "huge frame", "many headers", "pings", "large body"],
)
async def test_what_an_upstream_may_not_say_ends_the_exchange(handle: Handle, kind: str) -> None:
    async with open_peer(handle) as pool:
        with pytest.raises(PoolError) as caught:
            await call(pool, limits=Limits(body_bytes=16_000))
        assert caught.value.kind == kind
        assert pool.statistics().open == 0


async def test_silence_ends_at_the_limits(autojump_clock: MockClock) -> None:
    async def stall(peer: Peer, request: RequestReceived) -> None:
        await trio.sleep_forever()

    async with open_peer(stall) as pool:
        with pytest.raises(PoolError, match="no answer within 300 s"):
            await call(pool)
        assert trio.current_time() == 300


@pytest.mark.slow
@pytest.mark.parametrize("size", [10, 150_000], ids=["small", "larger than the window"])
def test_no_step_at_which_an_exchange_is_cancelled_loses_a_connection(size: int) -> None:
    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        async with open_peer(say_ok) as pool:
            await call(pool)

            async def act() -> None:
                assert await call(pool, UpstreamRequest("POST", "/", (), bytes(size))) == b"ok"

            async def check() -> None:
                statistics = pool.statistics()
                assert statistics.open == statistics.idle <= 1
                assert await call(pool) == b"ok"

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 3


def test_a_session_shows_its_state() -> None:
    session = Http2Session(ORIGIN, LIMITS)
    assert repr(session) == "<Http2Session with http://upstream.test>"
    reader = session.begin(HELLO, LIMITS)
    reader.feed_eof()
    assert repr(session) == "<Http2Session with http://upstream.test, spent>"
    assert repr(reader) == "<Http2Reader no head, 0 bytes so far>"
