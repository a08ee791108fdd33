"""The sockets that a router listens on."""

import socket

from ucr.config.model import Config
from ucr.door import Door
from ucr.errors import ConfigError, Problem

_WRITE_TIMEOUT_MS = 60_000
BACKLOG = 1024
MOST_SOCKETS = 16
"""So many can be passed on at once."""
_PASSED_ON = b"\0"
"""Descriptors travel with a byte at least."""


def bind(config: Config) -> tuple[socket.socket, ...]:
    """Bind the port of the configuration; raise `ConfigError` with a remedy when that cannot be.

    Accepted connections inherit the options: no delay, and a limit for data that is never acknowledged.
    """
    host, port = config.server.host, config.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _WRITE_TIMEOUT_MS)
        bound.bind((host, port))
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except (OSError, ValueError, TypeError) as error:  # the last two: text that can be no name of a host
        bound.close()
        why = f"cannot be listened on: {getattr(error, 'strerror', None) or error}; choose another --host or --port"
        raise ConfigError((Problem(config.source, "server", f"{host}:{port}", why),)) from None
    return (bound,)


def port_of(sockets: tuple[socket.socket, ...]) -> int:
    """Return the port that the sockets are bound to."""
    port: int = sockets[0].getsockname()[1]
    return port


def listeners(sockets: tuple[socket.socket, ...]) -> list[Door]:
    """Return what a server accepts from; the listeners own the sockets from now on."""
    return [Door(bound) for bound in sockets]


def pass_on(control: socket.socket, sockets: tuple[socket.socket, ...]) -> None:
    """Send the sockets over the control stream to another process, which gets descriptors of its own."""
    socket.send_fds(control, [_PASSED_ON], [bound.fileno() for bound in sockets])


def passed_on(control: socket.socket) -> tuple[socket.socket, ...] | None:
    """Wait, without Trio, for the sockets that `pass_on` sends; None when the other process is gone."""
    said, descriptors, _, _ = socket.recv_fds(control, len(_PASSED_ON), MOST_SOCKETS)
    return inherited(tuple(descriptors)) if said else None


def inherited(descriptors: tuple[int, ...]) -> tuple[socket.socket, ...]:
    """Return the sockets that another process bound and passed on; children of this one do not get them."""
    sockets = tuple(socket.socket(fileno=descriptor) for descriptor in descriptors)
    for bound in sockets:
        bound.set_inheritable(False)
        bound.setblocking(False)
    return sockets
