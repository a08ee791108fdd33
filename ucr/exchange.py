"""One HTTP request and the answer to it, whatever server carries them.

The relay and the API see nothing else of HTTP. Whoever implements an exchange also runs it in a cancel scope
that is cancelled as soon as the client leaves.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from ucr.badge import Badge
from ucr.dialects.roles import HeaderList, Headers
from ucr.errors import ApiError

OnLeft = Callable[[Callable[[], None]], bool]
"""Told that the client has left, with what cancels the answer. True: not yet, but whoever said so will do it."""


class Direct(Protocol):
    """A way to send parts of a body without waiting."""

    def send_now(self, data: bytes) -> bool:
        """Send a part as far as the client's connection takes it now; False when `drain` is to send the rest."""
        ...

    async def drain(self) -> None:
        """Send what is left; returns when the client's connection has taken it."""
        ...


class Sink(Protocol):
    """What an answer is sent through."""

    async def start(self, status: int, headers: HeaderList) -> None:
        """Send the head of the answer; once."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a part of the body; returns when the client's connection has taken it."""
        ...

    @property
    def direct(self) -> Direct | None:
        """How to send without waiting, where that is possible just now."""
        ...

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        """Run something beside the answer. It must end soon after the answer has, by itself."""
        ...

    async def finish(self, last: bytes = b"") -> None:
        """End the answer properly, after a `last` part of the body, which may leave together with the end.

        An exchange that is left without it is cut off, visibly.
        """
        ...


class Exchange(Sink, Protocol):
    """`path` is decoded and has no query; `headers` are lower-case; `query` is the raw text after `?`.

    `fault` is what is wrong with the head although its server let it through. `sent_bytes` counts the answer's
    body. Exchanges whose heads are the same, on one connection, may have the same `badge`.
    """

    badge: Badge
    request_id: str
    method: str
    path: str
    query: str
    headers: Headers
    peer: str
    fault: ApiError | None
    is_started: bool
    is_finished: bool
    sent_bytes: int

    @property
    def whole(self) -> bytes | None:
        """The body as it was sent, where it is here already, and an answer may be given without `body`; else None."""
        ...

    async def body(self, limit_bytes: int) -> bytes:
        """Read the body, decoded from its content coding.

        Raise `ApiError` 413 above the limit (before reading, where the length is declared), 415 for an
        unknown coding, 400 for a body that its coding does not fit, 408 for one that does not come.
        """
        ...

    def when_left(self, ask: OnLeft | None) -> None:
        """Ask this before the answer is cancelled because its client has left; None asks nobody.

        Where the answer goes on, sending may raise `ClientGone`.
        """
        ...
