"""Answers of a prediction, in the shape of any other: one that is here whole, and one that streams from elsewhere."""

from collections.abc import Callable
from types import TracebackType

from actors import Lease, Pump, Success, UpstreamResponse
from ucr.dialects.roles import Headers
from ucr.upstream import Answer
from ucr.watchdog import Watchdog


class Kept(Answer):
    """An answer that is here whole; nothing of it is waited for."""

    __slots__ = ("_body",)

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self._body = body

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._body = b""

    def can_flow(self, pump: Pump) -> bool:
        """False: there is nothing to flow."""
        return False

    async def receive(self, content_until: float | None = None) -> bytes:
        """Return all of it, and then b""."""
        body, self._body = self._body, b""
        return body

    async def read(self, limit_bytes: int | None = None) -> bytes:
        """Return all of it."""
        return await self.receive()

    @property
    def is_drained(self) -> bool:
        """True when it was returned."""
        return not self._body

    @property
    def is_ready(self) -> bool:
        """True always."""
        return True


class Streamed(Answer):
    """A stream; unless the work succeeded, `cancel` is called at its end."""

    __slots__ = ("_cancel", "_lease")

    def __init__(
        self, response: UpstreamResponse, watchdog: Watchdog, lease: Lease, cancel: Callable[[], None]
    ) -> None:
        super().__init__(response, watchdog)
        self._lease = lease
        self._cancel = cancel

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(exc_type, exc, traceback)
        if not isinstance(self._lease.outcome, Success):
            self._cancel()
