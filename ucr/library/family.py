"""The packages whose clients the router answers: httpx, and httpx2, which present SDKs use.

Both have the same classes under the same names, and take no object of the other for their own.
"""

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any, Protocol

import trio

from ucr.library.exchange import LocalExchange


class Answering(Protocol):
    """An answer as a client reads it: bytes until they end, and a way to leave it early."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def wait_head(self) -> None:
        """Return when the head is there."""
        ...

    async def aclose(self) -> None:
        """Read no more."""
        ...


class Family:
    """What answers consist of for the clients of one package."""

    def __init__(self, package: str) -> None:
        self._classes: Any = import_module(package)
        self._stream = type("AnswerStream", (_Answer, self._classes.AsyncByteStream), {})

    def __repr__(self) -> str:
        return f"<Family {self._classes.__name__}>"

    def is_sync(self, stream: object) -> bool:
        """Whether the body of a request is read without awaiting."""
        return isinstance(stream, self._classes.SyncByteStream)

    def closed(self, request: Any) -> Exception:
        """Return what a caller gets from a router that is closed."""
        error: Exception = self._classes.ConnectError("the router is closed", request=request)
        return error

    def answer(self, exchange: LocalExchange, request: Any, silence_s: float) -> Answering:
        """Return the body of an answer, which gives up after this much silence."""
        answer: Answering = self._stream(exchange, request, silence_s, self._classes)
        return answer

    def response(self, exchange: LocalExchange, answer: Answering) -> Any:
        """Return an answer whose head is there."""
        headers, extensions = list(exchange.answer_headers), {"http_version": b"HTTP/1.1"}
        return self._classes.Response(exchange.status, headers=headers, stream=answer, extensions=extensions)


def package_of(request: object) -> str:
    """Return the name of the package that a request is of."""
    return type(request).__module__.partition(".")[0]


class _Answer:
    """See `Answering`. No generator: those cannot be left early in peace."""

    def __init__(self, exchange: LocalExchange, request: Any, silence_s: float, errors: Any) -> None:
        self._exchange = exchange
        self._request = request
        self._silence_s = silence_s
        self._errors = errors

    async def wait_head(self) -> None:
        is_there = False
        with trio.move_on_after(self._silence_s) as patience:
            is_there = await self._exchange.wait_head()
        if patience.cancelled_caught:
            raise self._late()
        if not is_there:
            raise self._errors.RemoteProtocolError("the router ended before its answer", request=self._request)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data = b""
        with trio.move_on_after(self._silence_s) as patience:
            data = await self._exchange.pipe.receive()
        if patience.cancelled_caught:
            raise self._late()
        if data:
            return data
        if not self._exchange.pipe.is_whole:
            raise self._errors.RemoteProtocolError("the answer was cut off", request=self._request)
        raise StopAsyncIteration

    def _late(self) -> BaseException:
        words = f"nothing came within {self._silence_s:g} s"
        error: BaseException = self._errors.ReadTimeout(words, request=self._request)
        return error

    async def aclose(self) -> None:
        self._exchange.leave()
