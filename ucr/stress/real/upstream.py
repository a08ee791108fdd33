"""A provider on a loopback port that echoes the mark of each request, and fails when it is told to.

It runs in the event loop of whoever measures, so that one clock tells what client and provider saw. A request's
own words may order a long answer: `pieces=40 pause=0.1 size=100`.
"""

import json
import random
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httptools
import trio

LOOPBACK = "127.0.0.1"
MARK = re.compile(rb"mark-[0-9a-f]{8}")
ORDER = re.compile(rb"(pieces|pause|size)=([0-9.]+)")
RETRY_AFTER_S = 1
OPENING = 2
"""The events up to the first words come at once, those after it with pauses."""

Fault = Literal["none", "status", "hang", "cut"]


@dataclass(frozen=True, slots=True)
class Mood:
    """How a provider answers: `share` of its calls meet the fault."""

    fault: Fault = "none"
    status: int = 503
    share: float = 1.0
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came."""

    path: str
    body: bytes
    mark: str
    streams: bool
    pieces: int
    pause_s: float
    padding: str


@dataclass(slots=True)
class Upstream:
    """One provider. `calls` counts the requests of each mark, `left_at` holds when their callers went."""

    name: str
    dice: random.Random
    mood: Mood = Mood()
    calls: Counter[str] = field(default_factory=Counter)
    left_at: dict[str, float] = field(default_factory=dict)
    port: int = 0
    _socket: socket.socket | None = None
    _open: set[trio.SocketStream] = field(default_factory=set)
    _nursery: trio.Nursery | None = None
    _serving: trio.CancelScope = field(default_factory=trio.CancelScope)

    @property
    def total(self) -> int:
        return self.calls.total()

    def start(self, nursery: trio.Nursery) -> None:
        """Listen on a free port."""
        self._nursery = nursery
        self.fall()
        self.rise()

    def rise(self) -> None:
        """Listen, on the same port as before."""
        assert self._socket is not None
        assert self._nursery is not None
        self._socket.listen(1024)
        self._serving = trio.CancelScope()
        self._nursery.start_soon(self._accept, trio.socket.from_stdlib_socket(self._socket), self._serving)

    def fall(self) -> None:
        """Refuse all connections and end those that are open; the port stays this provider's."""
        self.stop()
        self._socket = bound(self.port)
        self.port = self._socket.getsockname()[1]

    def stop(self) -> None:
        """Give up the port and every connection."""
        self._serving.cancel(reason="the provider stops")
        if self._socket is not None:
            self._socket.close()
        for stream in tuple(self._open):
            stream.socket.close()

    async def _accept(self, listener: trio.socket.SocketType, scope: trio.CancelScope) -> None:
        assert self._nursery is not None
        with scope:
            while True:
                accepted, _ = await listener.accept()
                self._nursery.start_soon(self._serve, trio.SocketStream(accepted))

    async def _serve(self, stream: trio.SocketStream) -> None:
        self._open.add(stream)
        reader = Reader(stream)
        try:
            async with stream:
                while (call := await reader.read()) is not None:
                    if not await self._answer(call, reader, stream):
                        return
        except (trio.BrokenResourceError, trio.ClosedResourceError, httptools.HttpParserError):
            return
        finally:
            self._open.discard(stream)

    async def _answer(self, call: Call, reader: "Reader", stream: trio.SocketStream) -> bool:
        """Answer one request; False when its connection has ended."""
        self.calls[call.mark] += 1
        is_whole = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader.wait_gone, nursery.cancel_scope)
            try:
                await self._say(call, stream)
                is_whole = True
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            nursery.cancel_scope.cancel(reason="answered")
        if not is_whole:
            self.left_at[call.mark] = trio.current_time()
        return is_whole and not self.mood.closes

    async def _say(self, call: Call, stream: trio.SocketStream) -> None:
        mood = self.mood
        fault = mood.fault if self.dice.random() < mood.share else "none"
        if fault == "hang":
            await trio.sleep_forever()
        elif fault == "status":
            await stream.send_all(refusal(mood))
        elif call.streams:
            await self._stream(call, stream, cut_after=call.pieces // 2 if fault == "cut" else None)
        else:
            await trio.sleep(call.pause_s * call.pieces)
            await stream.send_all(head(200, "application/json", whole(call, self.name), mood.closes))

    async def _stream(self, call: Call, stream: trio.SocketStream, cut_after: int | None) -> None:
        close = "connection: close\r\n" if self.mood.closes else ""
        await stream.send_all(
            f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{close}"
            "transfer-encoding: chunked\r\n\r\n".encode()
        )
        for number, event in enumerate(events(call, self.name)):
            if number == cut_after:
                return await stream.aclose()
            if number > OPENING:
                await trio.sleep(call.pause_s)
            await stream.send_all(b"%x\r\n%b\r\n" % (len(event), event))
        return await stream.send_all(b"0\r\n\r\n")


@asynccontextmanager
async def upstreams(*names: str, seed: int = 0) -> AsyncIterator[tuple[Upstream, ...]]:
    """Serve a provider of each name as long as the block."""
    served = tuple(Upstream(name, random.Random(f"{name} {seed}")) for name in names)
    async with trio.open_nursery() as nursery:
        for upstream in served:
            upstream.start(nursery)
        try:
            yield served
        finally:
            for upstream in served:
                upstream.stop()
            nursery.cancel_scope.cancel(reason="the run has ended")


def bound(port: int) -> socket.socket:
    """Return a socket that holds a port of loopback and does not listen."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held.bind((LOOPBACK, port))
    held.setblocking(False)
    return held


class Reader:
    """Reads the requests of one connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._rest = b""
        self._url = b""
        self._body = bytearray()
        self._is_complete = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self._is_complete = True

    async def read(self) -> Call | None:
        """Return the next request; None at the end of the connection."""
        parser = httptools.HttpRequestParser(self)
        self._url, self._is_complete = b"", False
        self._body.clear()
        while not self._is_complete:
            data = self._rest or bytes(await self._stream.receive_some(65_536))
            self._rest = b""
            if not data:
                return None
            parser.feed_data(data)
        return called(self._url.decode("latin-1"), bytes(self._body))

    async def wait_gone(self, scope: trio.CancelScope) -> None:
        """Cancel the answer when the caller leaves."""
        try:
            while data := await self._stream.receive_some(65_536):
                self._rest += bytes(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel(reason="the caller has left")


def called(path: str, body: bytes) -> Call:
    """Read the mark and the orders out of a request."""
    mark = MARK.search(body)
    orders = {name.decode(): float(value) for name, value in ORDER.findall(body)}
    return Call(
        path,
        body,
        mark[0].decode() if mark else "",
        re.search(rb'"stream":\s*true', body) is not None,
        int(orders.get("pieces", 4)),
        orders.get("pause", 0.005),
        "x" * int(orders.get("size", 0)),
    )


def piece(call: Call, name: str) -> str:
    """Return what is said once or often: whose answer it is, and who says it."""
    return f"{call.mark}@{name} {call.padding}"


def refusal(mood: Mood) -> bytes:
    """Return an error of the provider's."""
    kind = "overloaded_error" if mood.status in (503, 529) else "api_error"
    body = {"type": "error", "error": {"type": kind, "message": "told to fail"}}
    return head(mood.status, "application/json", json.dumps(body).encode(), mood.closes)


def head(status: int, kind: str, body: bytes, closes: bool) -> bytes:
    """Return a whole answer."""
    more = f"retry-after: {RETRY_AFTER_S}\r\n" if status == 429 else ""
    more += "connection: close\r\n" if closes else ""
    return (
        f"HTTP/1.1 {status} Said\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode()
        + body
    )


def is_chat(call: Call) -> bool:
    return call.path.endswith("/chat/completions")


def message(content: list[Any], stop_reason: str | None) -> dict[str, Any]:
    return {
        "id": "msg_chaos",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }


def whole(call: Call, name: str) -> bytes:
    """Return the body of an answer that is not streamed, in the dialect of the path."""
    text = piece(call, name)
    if not is_chat(call):
        return json.dumps(message([{"type": "text", "text": text}], "end_turn")).encode()
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
    ).encode()


def events(call: Call, name: str) -> Iterator[bytes]:
    """Give the events of a stream in the dialect of the path."""
    if is_chat(call):
        yield from (data(event) for event in chat_events(call, name))
        yield b"data: [DONE]\n\n"
    else:
        for event in anthropic_events(call, name):
            yield f"event: {event['type']}\n".encode() + data(event)


def data(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def anthropic_events(call: Call, name: str) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": message([], None)}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "text_delta", "text": piece(call, name)}
    for _ in range(call.pieces):
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}


def chat_events(call: Call, name: str) -> Iterator[dict[str, Any]]:
    about = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    for _ in range(call.pieces):
        choice = {"index": 0, "delta": {"content": piece(call, name)}, "finish_reason": None}
        yield about | {"choices": [choice]}
    yield about | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield about | {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
