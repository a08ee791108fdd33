"""What goes to an upstream: where to, what, and within which limits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from actors.errors import Phase

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """A server. `host` is a name or an address, an IPv6 address without brackets."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The value of the Host field: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class UpstreamRequest(msgspec.Struct, frozen=True, gc=False):
    """One request. `path` is path and query as sent.

    Host, Content-Length, Accept-Encoding and whatever concerns the connection only are the pool's: such fields
    in `headers` are left out. `block` is what `header_block` made of further fields.
    """

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""
    block: bytes = b""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each phase may last, and how much may come.

    `connect_s` covers name, connection and TLS; `first_byte_s` the sending of the request and the whole head of
    the answer; `idle_s` each silence in the body while somebody waits for it. Who sets one of the latter two to
    infinity keeps that time himself: a scope for each wait costs more than the reading.
    """

    connect_s: float = 5.0
    first_byte_s: float = 300.0
    idle_s: float = 240.0
    header_bytes: int = 65_536
    body_bytes: int = 67_108_864


class Waiting(Protocol):
    """What an exchange waits for just now, as a cancel scope or a connection."""

    def cancel(self, *, reason: str | None = None) -> None:
        """End the wait: it fails with a `PoolError` "timeout". May be called late, or again."""
        ...


OnWait = Callable[[Waiting, Phase], None]
"""Called when a wait of an exchange begins, with what would end it."""


def nobody_waits(_waiting: Waiting, _phase: Phase) -> None:
    """The `OnWait` of who lets an exchange take the time that it takes."""
