"""The answer to one upstream request, while its connection is held."""

import math
from types import TracebackType
from typing import Protocol, Self

import trio

from actors.connection import Connection
from actors.errors import PoolError
from actors.flow import flow
from actors.pump import Pump, Take
from actors.reader import AnswerReader
from actors.request import Headers, Limits, OnWait, nobody_waits


class Lender(Protocol):
    """Whose connection an answer holds."""

    def give_back(self, connection: Connection, reader: AnswerReader) -> None:
        """Take it back, or close it."""
        ...


class UpstreamResponse:
    """Status and headers are here; the body comes as it arrives. Header names are lower-case.

    It holds its connection until `close`, or until the end of a `with` block.
    """

    __slots__ = (
        "_connection",
        "_is_open",
        "_lender",
        "_limits",
        "_on_wait",
        "_parts",
        "_parts_bytes",
        "_reader",
        "_silent_since",
        "headers",
        "status",
    )

    def __init__(
        self,
        lender: Lender,
        connection: Connection,
        reader: AnswerReader,
        limits: Limits,
        on_wait: OnWait = nobody_waits,
    ) -> None:
        self._lender = lender
        self.status = reader.status or 0
        self.headers: Headers = reader.headers
        self._connection = connection
        self._reader = reader
        self._limits = limits
        self._on_wait = on_wait
        self._silent_since: float | None = None
        self._is_open = True
        self._parts: list[bytes] = []
        self._parts_bytes = 0

    def __repr__(self) -> str:
        return f"<UpstreamResponse {self.status}, {self._reader!r}>"

    def close(self) -> None:
        """Give the connection back, or close it when the body has not ended. Waits for nothing; once is enough."""
        if self._is_open:
            self._is_open = False
            if not self._reader.is_complete:  # else it has done so
                self._reader.release()
            self._lender.give_back(self._connection, self._reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_ready(self) -> bool:
        """True when `receive` surely returns, or raises, without waiting."""
        return self._reader.has_more

    @property
    def is_drained(self) -> bool:
        """True when the body has ended well, and `receive` has returned all of it."""
        return self._reader.is_drained

    def receive_now(self) -> bytes | None:
        """Return what `receive` would at once; None where that would wait, or has something to raise."""
        reader = self._reader
        if not self._is_open or reader.fault is not None or reader.is_coded or not reader.has_more:
            return None
        return reader.take()

    async def receive(self) -> bytes:
        """Return the next bytes of the body, from one read of the connection; b"" at its proper end.

        Raises `PoolError`: "timeout" after `idle_s` of silence, "reset" when the body is cut off, "protocol" or
        "too_large" when it is not as it may be. Being cancelled loses nothing: call it again, and the silence
        is counted on. The time that the caller takes between two calls is no silence.
        """
        if not self._is_open:
            raise trio.ClosedResourceError("the response was read after its end")
        while not (data := self._reader.take()):
            if self._reader.is_complete:
                return b""
            self._on_wait(self._connection, "idle")
            if self._limits.idle_s == math.inf:  # the caller keeps the time
                await self._connection.read_more(self._reader)
            else:
                await self._read_in_time()
        return data

    async def _read_in_time(self) -> None:
        if self._silent_since is None:
            self._silent_since = trio.current_time()
        deadline = self._silent_since + self._limits.idle_s
        if not await self._connection.read_more(self._reader, deadline=deadline):
            raise PoolError("timeout", f"no byte for {self._limits.idle_s:g} s", phase="idle")
        self._silent_since = None

    def can_flow(self, pump: Pump) -> bool:
        """True when `flow` may be used: the bytes of the socket are those of the body, and the caller keeps the time."""
        return (
            pump.is_usable
            and self._limits.idle_s == math.inf
            and not self._reader.is_coded
            and self._connection.descriptor is not None
        )

    async def flow(self, pump: Pump, take: Take) -> float:
        """Give to `take` what comes, without waking this task; return how many seconds were worked meanwhile.

        Ends when `take` wants no more, or when `receive` has something to return or to raise, at once if it has
        already. Raises `PoolError` when the connection breaks. Being cancelled loses nothing.
        """
        if self.is_ready:
            await trio.lowlevel.checkpoint()
            return 0.0
        return await flow(self._connection, self._reader, pump, take, self._on_wait)

    async def read(self, limit_bytes: int | None = None) -> bytes:
        """Return the rest of the body; raise `PoolError` "too_large" as soon as it must be above the limit.

        Being cancelled loses nothing here, either.
        """
        limit_bytes = self._limits.body_bytes if limit_bytes is None else limit_bytes
        if (self._reader.content_length or 0) > limit_bytes:
            raise self._too_large(limit_bytes)
        while data := await self.receive():
            self._parts.append(data)
            self._parts_bytes += len(data)
            if self._parts_bytes > limit_bytes:
                raise self._too_large(limit_bytes)
        return self._joined()

    def read_now(self, limit_bytes: int | None = None) -> bytes | None:
        """Return what `read` would if the whole rest of the body is here; None where it has to do more than that."""
        if self._parts or not self._is_open:
            return None
        return self._reader.take_whole(self._limits.body_bytes if limit_bytes is None else limit_bytes)

    def _joined(self) -> bytes:
        """Return what was read, and keep none of it: a response may outlive its body."""
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self, limit_bytes: int) -> PoolError:
        self._parts = []  # the traceback of an error leads here until the collector comes
        return PoolError("too_large", f"the answer has more than {limit_bytes} bytes", phase="idle")
