import gc
import socket
import ssl
from contextlib import suppress

import pytest
import trio
import trustme

from actors.errors import PoolError
from actors.network import RealNetwork, close_now, poll_of
from actors.tls import Tls, client_tls
from actors.tls_stream import TlsStream
from ucr.stress.network import stream_pair


class Fixed:
    """A resolver that always finds the same."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(self, host: str) -> tuple[str, ...]:
        await trio.lowlevel.checkpoint()
        return self._addresses


async def socket_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    left, right = trio.socket.socketpair()
    return trio.SocketStream(left), trio.SocketStream(right)


async def echo_once(stream: trio.abc.Stream) -> None:
    with suppress(trio.BrokenResourceError):
        await stream.send_all(await stream.receive_some(100))


async def serve_echo(nursery: trio.Nursery, tls: ssl.SSLContext | None = None) -> int:
    """Serve on a port of the loopback interface and return it."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    served = [trio.SSLListener(listener, tls) for listener in listeners] if tls else listeners
    nursery.start_soon(trio.serve_listeners, echo_once, served)
    port: int = listeners[0].socket.getsockname()[1]
    return port


async def test_a_name_is_connected_to_without_delaying_small_packets(nursery: trio.Nursery) -> None:
    port = await serve_echo(nursery)
    network = RealNetwork(Fixed("127.0.0.1"))
    async with await network.connect("upstream.test", port, tls=None, server_hostname=None) as stream:
        assert isinstance(stream, trio.SocketStream)
        assert stream.getsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY)
        assert stream.getsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_KEEPALIVE)
        await stream.send_all(b"hello")
        assert await stream.receive_some(100) == b"hello"
    nursery.cancel_scope.cancel()


async def test_an_address_that_refuses_gives_way_to_the_next(nursery: trio.Nursery) -> None:
    port = await serve_echo(nursery)
    network = RealNetwork(Fixed("127.0.0.2", "127.0.0.1"))
    async with await network.connect("upstream.test", port, tls=None, server_hostname=None) as stream:
        await stream.send_all(b"hello")
        assert await stream.receive_some(100) == b"hello"
    nursery.cancel_scope.cancel()


async def test_an_address_of_the_new_kind_is_connected_to(nursery: trio.Nursery) -> None:
    listeners = await trio.open_tcp_listeners(0, host="::1")
    nursery.start_soon(trio.serve_listeners, echo_once, listeners)
    network = RealNetwork(Fixed("::1"))
    port = listeners[0].socket.getsockname()[1]
    async with await network.connect("upstream.test", port, tls=None, server_hostname=None) as stream:
        await stream.send_all(b"hello")
        assert await stream.receive_some(100) == b"hello"
    nursery.cancel_scope.cancel()


async def test_who_cannot_connect_leaves_no_socket_behind() -> None:
    with socket.socket() as door:  # bound and not listening: nobody else gets its port, and it refuses
        door.bind(("127.0.0.1", 0))
        network = RealNetwork(Fixed("127.0.0.1"))
        with pytest.raises(ConnectionRefusedError):
            await network.connect("upstream.test", door.getsockname()[1], tls=None, server_hostname=None)
        with trio.CancelScope() as scope:
            scope.cancel()
            await network.connect("upstream.test", door.getsockname()[1], tls=None, server_hostname=None)
        assert scope.cancelled_caught
    gc.collect()  # a socket that was left open would be warned of, and the warning is an error


async def test_a_name_that_leads_to_the_metadata_service_is_refused() -> None:
    network = RealNetwork(Fixed("169.254.169.254"))
    with pytest.raises(PoolError, match="is no place for an upstream"):
        await network.connect("innocent.test", 80, tls=None, server_hostname=None)


async def test_tls_is_spoken_with_a_peer_whose_name_is_verified(nursery: trio.Nursery) -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("upstream.test").configure_cert(server)
    port = await serve_echo(nursery, server)
    network = RealNetwork(Fixed("127.0.0.1"))
    tls = Tls(client_tls())
    authority.configure_trust(tls.context)
    async with await network.connect("upstream.test", port, tls=tls, server_hostname=None) as stream:
        await stream.send_all(b"hello")
        assert await stream.receive_some(100) == b"hello"
        poll = poll_of(stream)
        assert poll is not None
        assert not poll.poll(0)
    with pytest.raises(trio.BrokenResourceError) as caught:
        await network.connect("other.test", port, tls=tls, server_hostname=None)
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    nursery.cancel_scope.cancel()


async def test_a_stream_with_a_late_byte_or_an_end_is_not_quiet() -> None:
    ours, theirs = await socket_pair()
    poll = poll_of(ours)
    assert poll is not None
    async with ours, theirs:
        assert not poll.poll(0)
        await theirs.send_all(b"x")
        assert poll.poll(0)
        assert await ours.receive_some(1) == b"x"
        assert not poll.poll(0)
        await theirs.aclose()
        assert poll.poll(0)


async def test_a_stream_without_a_socket_is_believed_to_be_quiet() -> None:
    ours, _ = stream_pair()
    assert poll_of(ours) is None


async def test_a_stream_is_closed_without_waiting_also_through_tls() -> None:
    for secure in (False, True):
        ours, theirs = await socket_pair()
        close_now(TlsStream(ours, client_tls(), server_hostname="a.test") if secure else ours)
        assert await theirs.receive_some(1) == b""
        with pytest.raises(trio.ClosedResourceError):
            await ours.receive_some(1)
        await theirs.aclose()
    left, right = stream_pair()
    close_now(left)
    assert await right.receive_some(1) == b""


async def test_the_repr_shows_the_resolver() -> None:
    assert repr(RealNetwork()) == "<RealNetwork <CachedResolver 0/500 names>>"
