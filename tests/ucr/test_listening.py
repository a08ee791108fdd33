import socket

import pytest
import trio

from ucr.config.model import Config, Server
from ucr.errors import ConfigError
from ucr.listening import bind, inherited, listeners, pass_on, passed_on, port_of

ANY = Config(server=Server(port=0))


def test_a_free_port_is_found_and_named() -> None:
    (bound,) = bind(ANY)
    with bound:
        assert port_of((bound,)) == bound.getsockname()[1] > 0
        assert bound.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not bound.get_inheritable()


def test_a_port_that_is_taken_is_a_problem_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: cannot be listened on"):
            bind(Config(server=Server(port=port)))


@pytest.mark.parametrize("host", ["a\0b", "::1\0", "a" * 70, f"{'a' * 70}.b", "é..x", "::1:zz"])
def test_a_host_that_can_be_none_is_a_problem_with_a_remedy(host: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be listened on: .*; choose another --host"):
        bind(Config(server=Server(host=host, port=0)))


async def test_a_socket_that_was_passed_on_is_accepted_from() -> None:
    (bound,) = bind(ANY)
    bound.set_inheritable(True)
    port = port_of((bound,))
    again = inherited((bound.detach(),))
    assert not again[0].get_inheritable()
    (listener,) = listeners(again)
    async with listener, await trio.open_tcp_stream("127.0.0.1", port), await listener.accept() as accepted:
        assert accepted.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_sockets_go_over_the_control_stream_and_what_follows_them_stays_in_it() -> None:
    near, far = socket.socketpair()
    sockets = bind(ANY)
    port = port_of(sockets)
    with near, far:
        pass_on(near, sockets)
        near.sendall(b"x")
        sockets[0].close()
        again = passed_on(far)
        assert again is not None
        assert not again[0].get_inheritable()
        assert far.recv(2) == b"x"
    (listener,) = listeners(again)
    async with listener, await trio.open_tcp_stream("127.0.0.1", port):
        await trio.aclose_forcefully(await listener.accept())


def test_a_parent_that_is_gone_passes_nothing_on() -> None:
    near, far = socket.socketpair()
    with far:
        near.close()
        assert passed_on(far) is None
