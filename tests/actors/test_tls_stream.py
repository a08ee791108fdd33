"""TLS over one connection: both directions, both ends, and clients that do it wrong."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trustme
from trio.testing import MockClock

from actors.tls_stream import TlsStream
from tests.world.certificates import client_context, encrypted, files_in
from tests.world.sockets import connected as connected_by_socket
from ucr.stress.network import MemoryStream, stream_pair


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def context(authority: trustme.CA, tmp_path: Path) -> Iterator[ssl.SSLContext]:
    files = files_in(tmp_path, authority)
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(files.cert, files.key)
    made.set_alpn_protocols(["http/1.1"])
    yield made


Client = trio.SSLStream[trio.abc.Stream]


async def connected(context: ssl.SSLContext, trust: ssl.SSLContext) -> tuple[TlsStream, Client, MemoryStream]:
    """Return the server's end, the client's, and the connection below the client's."""
    server, below = stream_pair()
    stream = TlsStream(server, context)
    return stream, await shaken(stream, below, trust), below


async def shaken(stream: TlsStream, below: trio.abc.Stream, trust: ssl.SSLContext) -> Client:
    """Shake hands with a client over the connection below it, and return its end."""
    clients: list[Client] = []

    async def connect() -> None:
        clients.append(await encrypted(below, trust))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connect)
        nursery.start_soon(stream.handshake)
    return clients[0]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_what_one_end_sends_the_other_receives(
    version: ssl.TLSVersion, context: ssl.SSLContext, authority: trustme.CA
) -> None:
    trust = client_context(authority, "h2", "http/1.1")
    trust.maximum_version = version
    stream, client, _ = await connected(context, trust)
    assert stream.protocol == "http/1.1"
    assert repr(stream) == f"<TlsStream {version.name.replace('_', '.')}, http/1.1>"
    large = bytes(range(256)) * 2_000
    received = b""

    async def echo() -> None:
        await stream.send_all(await stream.receive_some() + large)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        await client.send_all(b"abc")
        while len(received) < 3 + len(large):
            received += await client.receive_some()
    assert received == b"abc" + large


async def test_no_more_is_received_than_was_asked_for(context: ssl.SSLContext, authority: trustme.CA) -> None:
    stream, client, _ = await connected(context, client_context(authority))
    await client.send_all(b"abcd")
    assert [await stream.receive_some(1), await stream.receive_some(2), await stream.receive_some()] == [
        b"a",
        b"bc",
        b"d",
    ]


async def test_records_that_come_with_one_read_are_received_together(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, client, _ = await connected(context, client_context(authority))
    await client.send_all(b"before")
    assert await stream.receive_some() == b"before"
    for word in (b"one ", b"two ", b"three"):
        await client.send_all(word)
    assert await stream.receive_some(6) == b"one tw"
    assert await stream.receive_some() == b"o three"


@pytest.mark.parametrize("way", ["garbage", "end"])
async def test_what_ends_a_read_takes_none_of_the_words_before_it(
    way: str, context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, client, below = await connected(context, client_context(authority))
    await client.send_all(b"before")
    assert await stream.receive_some() == b"before"

    async def leave() -> None:
        await client.send_all(b"the last ")
        await client.send_all(b"words")
        if way == "end":
            await client.aclose()
        else:
            await below.send_all(b"no TLS at all, and long enough for a record's head")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave)
        await trio.testing.wait_all_tasks_blocked()
        assert await stream.receive_some() == b"the last words"
        if way == "end":
            assert await stream.receive_some() == b""
        else:
            with pytest.raises(trio.BrokenResourceError):
                await stream.receive_some()


@pytest.mark.parametrize("is_polite", [True, False])
async def test_a_client_that_leaves_has_ended(
    is_polite: bool, context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, client, below = await connected(context, client_context(authority))
    await (client if is_polite else below).aclose()
    assert await stream.receive_some() == b""


async def test_an_end_is_said_in_tls_and_what_comes_then_is_not_looked_at(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, client, _ = await connected(context, client_context(authority))
    await stream.send_all(b"last")
    await stream.send_eof()
    await stream.send_eof()
    assert await client.receive_some() == b"last"
    assert await client.receive_some() == b""  # a client of trio breaks at an end that was not announced
    await client.send_all(b"too late")
    assert b"too late" not in await stream.receive_some()


async def test_garbage_in_the_handshake_is_told_and_refused(context: ssl.SSLContext) -> None:
    server, client = stream_pair()
    await client.send_all(b"\x16\x03\x01\x00\x05garbage")
    with pytest.raises(ssl.SSLError):
        await TlsStream(server, context).handshake()
    assert (await client.receive_some())[:1] == b"\x15"  # an alert


async def test_garbage_after_the_handshake_breaks_the_connection(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, _, below = await connected(context, client_context(authority))
    await below.send_all(b"\x17\x03\x03\x00\x05abcde")
    with pytest.raises(trio.BrokenResourceError):
        await stream.receive_some()


async def test_a_client_that_is_gone_breaks_who_sends(
    context: ssl.SSLContext, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    stream, _, below = await connected(context, client_context(authority))
    await below.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await stream.send_all(b"x")
    await stream.aclose()


async def test_it_looks_like_the_connection_below(context: ssl.SSLContext) -> None:
    server, _client = stream_pair()
    stream = TlsStream(server, context)
    assert stream.socket is server.socket
    await stream.wait_send_all_might_not_block()


async def test_over_a_socket_it_speaks_as_over_any_stream(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    large = bytes(range(256)) * 8_000
    async with connected_by_socket() as (below, client_below):
        stream = TlsStream(below, context)
        client = await shaken(stream, client_below, client_context(authority))

        async def echo() -> None:
            received = 0
            while received < len(large):
                data = await stream.receive_some()
                received += len(data)
                await stream.send_all(data)
            await stream.send_eof()

        got = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(echo)
            nursery.start_soon(client.send_all, large)
            while data := await client.receive_some():
                got += data
    assert got == large


@pytest.mark.parametrize("size", [5, 400_000])
async def test_what_the_system_does_not_take_at_once_is_sent_before_anything_else(
    size: int, context: ssl.SSLContext, authority: trustme.CA
) -> None:
    words = (bytes(range(256)) * (size // 256 + 1))[:size]
    async with connected_by_socket() as (below, client_below):
        stream = TlsStream(below, context)
        client = await shaken(stream, client_below, client_context(authority))

        taken = stream.send_now(words)
        is_small = size == 5
        assert 0 < taken <= size
        assert (stream.owes, stream.is_settled) == (not is_small, is_small)
        assert stream.send_now(b"more") == (4 if is_small else 0)

        async def send_rest() -> None:
            await stream.send_all(words[taken:])
            assert not stream.owes
            await stream.send_all(b"the end")
            await stream.send_eof()

        got = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_rest)
            while data := await client.receive_some():
                got += data
    assert got == words + (b"more" if is_small else b"") + b"the end"


async def test_what_is_owed_leaves_without_further_words(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    async with connected_by_socket() as (below, client_below):
        stream = TlsStream(below, context)
        await shaken(stream, client_below, client_context(authority))
        while not stream.owes:
            assert stream.send_now(bytes(100_000)) == 100_000
        await client_below.aclose()
        assert stream.send_now(b"x") == 0
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"")


async def test_nothing_is_sent_without_waiting_where_the_system_cannot_be_asked(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, _, _ = await connected(context, client_context(authority))
    assert (stream.send_now(b"abc"), stream.owes) == (0, False)


@pytest.mark.parametrize("said", [b"the last words", b""])
async def test_an_end_that_the_other_side_says_in_tls_ends_what_is_fed(
    said: bytes, context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, client, _ = await connected(context, client_context(authority))
    await client.send_all(b"before")
    assert await stream.receive_some() == b"before"
    assert stream.is_settled

    async def leave() -> None:
        await client.send_all(said)
        await client.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave)
        await trio.testing.wait_all_tasks_blocked()
        came = await stream.transport_stream.receive_some()
        assert stream.feed(bytes(came)) == said
    assert not stream.is_settled
    assert await stream.receive_some() == b""


async def test_garbage_behind_the_last_words_takes_none_of_them(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    stream, client, below = await connected(context, client_context(authority))
    await client.send_all(b"before")
    assert await stream.receive_some() == b"before"
    await client.send_all(b"the last words")
    came = bytes(await stream.transport_stream.receive_some())
    await below.send_all(b"no TLS at all, and long enough for a record's head")
    came += bytes(await stream.transport_stream.receive_some())
    assert stream.feed(came) == b"the last words"
    assert not stream.is_settled
    with pytest.raises(trio.BrokenResourceError):
        await stream.receive_some()


async def test_a_client_of_a_socket_that_resets_breaks_who_reads_and_who_sends(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    async with connected_by_socket() as (below, client_below):
        stream = TlsStream(below, context)
        client_below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01" + b"\x00" * 7)
        await client_below.aclose()
        with pytest.raises((trio.BrokenResourceError, ssl.SSLError)):
            await stream.handshake()


async def test_who_reads_does_not_wait_until_what_is_owed_is_taken(
    context: ssl.SSLContext, authority: trustme.CA
) -> None:
    """An upstream may refuse a request before it has read it, and read no more."""
    async with connected_by_socket() as (below, client_below):
        stream = TlsStream(below, context)
        client = await shaken(stream, client_below, client_context(authority))
        while not stream.owes:
            stream.send_now(bytes(100_000))
        await client.send_all(b"too much")
        with trio.fail_after(60):
            assert await stream.receive_some() == b"too much"
        assert stream.owes
