"""An exchange whose bodies are kept, each up to a bound, while they pass."""

from collections.abc import Awaitable, Callable

from ucr.dialects.roles import HeaderList, Headers
from ucr.errors import ApiError
from ucr.exchange import Direct, Exchange, OnLeft

BEYOND_BYTES = 512
"""So much more of a long body is held, so that a secret is known for one although the body is cut within it."""


class Kept:
    """The beginning of a body; `is_cut` says that there was more."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._data = bytearray()

    def __repr__(self) -> str:
        return f"<Kept {len(self._data)} bytes, cut: {self.is_cut}>"

    def __len__(self) -> int:
        return min(len(self._data), self._limit_bytes)

    @property
    def is_cut(self) -> bool:
        return len(self._data) > self._limit_bytes

    def add(self, data: bytes) -> None:
        """Keep what there is room for."""
        self._data += data[: self._limit_bytes + BEYOND_BYTES - len(self._data)]

    def text(self, redacted: Callable[[str], str]) -> str:
        """Return what was kept without what `redacted` takes out; a character that was cut in two is left out."""
        text = redacted(bytes(self._data).decode("utf-8", "ignore"))
        beyond = len(self._data) - len(self)
        return text.encode()[:-beyond].decode("utf-8", "ignore") if beyond else text


class Recording:
    """An `Exchange` that passes everything on to another one, and keeps `request` and `answer`."""

    def __init__(self, exchange: Exchange, limit_bytes: int) -> None:
        self._exchange = exchange
        self.request = Kept(limit_bytes)
        self.answer = Kept(limit_bytes)
        self.badge = exchange.badge
        self.request_id: str = exchange.request_id
        self.method: str = exchange.method
        self.path: str = exchange.path
        self.query: str = exchange.query
        self.headers: Headers = exchange.headers
        self.peer: str = exchange.peer
        self.fault: ApiError | None = exchange.fault
        self.is_started = exchange.is_started
        self.is_finished = exchange.is_finished
        self.sent_bytes = exchange.sent_bytes

    def __repr__(self) -> str:
        return f"<Recording of {self._exchange!r}>"

    async def body(self, limit_bytes: int) -> bytes:
        data = await self._exchange.body(limit_bytes)
        self.request.add(data)
        return data

    async def start(self, status: int, headers: HeaderList) -> None:
        try:
            await self._exchange.start(status, headers)
        finally:
            self.is_started = self._exchange.is_started

    async def send(self, data: bytes) -> None:
        self.answer.add(data)
        try:
            await self._exchange.send(data)
        finally:
            self.sent_bytes = self._exchange.sent_bytes

    async def finish(self, last: bytes = b"") -> None:
        self.answer.add(last)
        try:
            await self._exchange.finish(last)
        finally:
            self.sent_bytes = self._exchange.sent_bytes
            self.is_finished = self._exchange.is_finished

    @property
    def whole(self) -> None:
        """None: a body is kept as it is read."""
        return None

    @property
    def direct(self) -> Direct | None:
        """None: all that is sent passes by here."""
        return None

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        self._exchange.spawn(act)

    def when_left(self, ask: OnLeft | None) -> None:
        self._exchange.when_left(ask)
