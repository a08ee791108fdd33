"""The ASGI side of an exchange: what hypercorn carries, in the form that the API sees.

How this works: beside the task that answers, one task reads every ASGI message of the request. It collects
the body up to the limit, throws away what is above it, and cancels the answering task when the client leaves.
Because somebody always reads, hypercorn's bounded queue never fills up behind an early answer.
"""

import zlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import trio
import zstandard

from ucr.dialects.roles import HeaderList, Headers
from ucr.errors import ApiError, ClientGone

BODY_GAP_S = 30.0
BODY_TOTAL_S = 300.0
_HEADER_FIELDS_LIMIT = 100
_HEAD_LIMIT_BYTES = 64 * 1024
_MISFIT = "it is cut off, or something follows its end"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = Callable[["AsgiExchange"], Awaitable[None]]


class AsgiExchange:
    """One request and its answer; see `ucr.exchange.Exchange`."""

    def __init__(self, scope: dict[str, Any], send: Send, request_id: str, limit_bytes: int) -> None:
        self.request_id = request_id
        self.method: str = scope["method"]
        self.path = unquote(scope["raw_path"].decode("ascii", "replace"))
        self.query: str = scope["query_string"].decode("ascii", "replace")
        self.fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        self.headers: Headers = _joined(self.fields)
        self.peer: str = scope["client"][0] if scope.get("client") else ""
        self._send = send
        self._limit_bytes = limit_bytes
        self._body = bytearray()
        self._received_bytes = 0
        self._progress = trio.Event()
        self._is_complete = False
        self.is_started = False
        self.is_finished = False
        self.sent_bytes = 0

    async def pump(self, receive: Receive, scope: trio.CancelScope) -> None:
        """Read the request's messages until the client leaves, then cancel `scope`.

        hypercorn says that the client left also when the answer has ended, and in the midst of its own last
        steps: those close the connection, or keep it for the next request, and are not cancelled.
        """
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                if not self.is_finished:
                    scope.cancel(reason="the client left")
                return
            self._take(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
            self._progress.set()
            self._progress = trio.Event()

    def _take(self, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes <= self._limit_bytes:
            self._body += data
        else:
            self._body.clear()

    async def body(self, limit_bytes: int) -> bytes:
        """Read the whole body, decoded; see `ucr.exchange.Exchange.body`."""
        coding = self.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip", "deflate", "zstd"):
            raise ApiError(
                "invalid_request_error",
                f"content-encoding '{coding}' is not supported; use gzip, deflate, zstd or none",
                status=415,
            )
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit_bytes:
            raise _too_large(limit_bytes)
        deadline = trio.current_time() + BODY_TOTAL_S
        while not self._is_complete:
            if self._received_bytes > limit_bytes:
                raise _too_large(limit_bytes)
            progress = self._progress
            with trio.move_on_at(min(deadline, trio.current_time() + BODY_GAP_S)) as scope:
                await progress.wait()
            if scope.cancelled_caught:
                raise ApiError("timeout_error", "the request body did not arrive in time", status=408)
        if self._received_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        return decoded(bytes(self._body), coding, limit_bytes)

    async def start(self, status: int, headers: HeaderList) -> None:
        """Send the head of the answer."""
        self.is_started = True
        pairs = [(name.encode("latin-1"), _field_value(value)) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def send(self, data: bytes) -> None:
        """Send a part of the body."""
        if data:
            self.sent_bytes += len(data)
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        """End the answer."""
        self.is_finished = True
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _joined(fields: list[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in fields:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _field_value(value: str) -> bytes:
    """Header values are one line of Latin-1: anything else is replaced, never split into a new header."""
    printable = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(printable.split()).encode("latin-1", "replace")


def _too_large(limit_bytes: int) -> ApiError:
    return ApiError("request_too_large", f"the request body is larger than {limit_bytes} bytes")


def decoded(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """Undo a content coding; raise `ApiError` 413 when the result passes the limit, 400 when it is broken."""
    if coding == "identity":
        return body
    try:
        result = _inflated(body, coding, limit_bytes)
    except (zlib.error, zstandard.ZstdError) as error:
        raise ApiError("invalid_request_error", f"the body is not valid {coding}: {error}") from None
    if len(result) > limit_bytes:
        raise _too_large(limit_bytes)
    return result


def _inflated(body: bytes, coding: str, limit_bytes: int) -> bytes:
    if coding == "zstd":
        return _unpacked(body, limit_bytes)
    window = 31 if coding == "gzip" else (15 if body[:1] and (body[0] & 0x0F) == 8 else -15)
    inflater = zlib.decompressobj(wbits=window)
    result = inflater.decompress(body, limit_bytes + 1)
    if len(result) <= limit_bytes and (not inflater.eof or inflater.unused_data):
        raise zlib.error(_MISFIT)
    return result


def _unpacked(body: bytes, limit_bytes: int) -> bytes:
    """Read one zstd frame; only its reader takes a limit, and only the second look sees that the frame is cut."""
    with zstandard.ZstdDecompressor().stream_reader(body) as reader:
        result: bytes = reader.read(limit_bytes + 1)
    if len(result) <= limit_bytes:
        frame = zstandard.ZstdDecompressor().decompressobj()
        frame.decompress(body)
        if not frame.eof or frame.unused_data:
            raise zstandard.ZstdError(_MISFIT)
    return result


class AsgiApp:
    """The ASGI application: makes an exchange of each request and lets `answer` answer it."""

    def __init__(self, answer: Answer, new_request_id: Callable[[], str], limit_bytes: int) -> None:
        self._answer = answer
        self._new_request_id = new_request_id
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = AsgiExchange(scope, send, self._new_request_id(), self._limit_bytes)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exchange.pump, receive, nursery.cancel_scope)
            await self._answer(exchange)
            nursery.cancel_scope.cancel(reason="answered")
        if exchange.is_started and not exchange.is_finished:
            raise ClientGone("the answer was left unfinished")


def framing_error(exchange: AsgiExchange) -> ApiError | None:
    """Refuse what two parsers could read in two ways: both framings, several Hosts, too many fields."""
    names = [name for name, _ in exchange.fields]
    if "content-length" in names and "transfer-encoding" in names:
        return ApiError("invalid_request_error", "content-length beside transfer-encoding")
    if names.count("host") != 1:
        return ApiError("invalid_request_error", "exactly one host header is needed")
    if sum(len(name) + len(value) for name, value in exchange.fields) > _HEAD_LIMIT_BYTES:
        return ApiError("invalid_request_error", f"a head of more than {_HEAD_LIMIT_BYTES} bytes", status=431)
    if len(names) > _HEADER_FIELDS_LIMIT:
        return ApiError("invalid_request_error", f"more than {_HEADER_FIELDS_LIMIT} header fields", status=431)
    return None
