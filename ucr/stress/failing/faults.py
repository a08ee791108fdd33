"""What an upstream can do wrong, as handlers of the scripted upstream.

Every fault is a handler, so that it happens on the network in memory and on real sockets alike.
"""

import gzip
import json
from collections.abc import Callable
from typing import Any

import trio

from ucr.stress.failing.healthy import JSON, SSE, TEXT, is_stream, last_event, message_bytes, parts, type_of
from ucr.stress.failing.moves import Say
from ucr.stress.failing.scripted import dialect_of, stream_of
from ucr.stress.upstream import Answer, Handler, Headers, SeenRequest

WORDS = "out of order"
"""What an upstream says that refuses."""

PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"


def error_of(request: SeenRequest, type_: str, message: str) -> dict[str, Any]:
    """Return an error in the dialect of the request."""
    error = {"type": type_, "message": message}
    if dialect_of(request) == "anthropic":
        return {"type": "error", "error": error}
    return {"error": {**error, "param": None, "code": None}}


# Before the first byte.


async def is_silent(_: SeenRequest, __: Answer) -> None:
    """Take the request and say nothing."""
    await trio.sleep_forever()


async def resets(_: SeenRequest, answer: Answer) -> None:
    await answer.reset()


async def closes(_: SeenRequest, answer: Answer) -> None:
    await answer.close()


async def says_head_only(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200, type_of(request))
    await trio.sleep_forever()


def refuses(status: int, headers: Headers = (), *, type_: str = "api_error", message: str = WORDS) -> Handler:
    """Answer with an error."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        body = json.dumps(error_of(request, type_, message)).encode()
        await answer.reply(status, body, (*JSON, *headers))

    return handle


def repeats_key(status: int) -> Handler:
    """Refuse with words that hold the key that was sent."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        key = request.header("x-api-key") or (request.header("authorization") or "").removeprefix("Bearer ")
        assert key
        words = f"{WORDS}: the key {key} is not known"
        type_ = "invalid_request_error" if status == 400 else "api_error"
        await refuses(status, (("x-key", key),), type_=type_, message=words)(request, answer)

    return handle


async def shows_page(_: SeenRequest, answer: Answer) -> None:
    """Answer with a web page and 200, as proxies do that want a sign-in."""
    await answer.reply(200, PAGE, (("content-type", "text/html"),))


def fails_in_success(type_: str) -> Handler:
    """Answer 200 with an error in the body, a stream or not."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        data = json.dumps(error_of(request, type_, WORDS)).encode()
        body = b"event: error\ndata: " + data + b"\n\n" if is_stream(request) else data
        await answer.reply(200, body, type_of(request))

    return handle


def redirects(status: int) -> Handler:
    """Point to another server."""

    async def handle(_: SeenRequest, answer: Answer) -> None:
        await answer.reply(status, b"", (("location", "http://elsewhere.test/v1/messages"),))

    return handle


def sends(data: bytes) -> Handler:
    """Send these bytes as they are, then close."""

    async def handle(_: SeenRequest, answer: Answer) -> None:
        await answer.raw(data)
        await answer.close()

    return handle


def repeats(start: bytes, again: bytes, *, pause_s: float = 0.0) -> Handler:
    """Send bytes without end."""

    async def handle(_: SeenRequest, answer: Answer) -> None:
        await answer.raw(start)
        while True:
            await trio.sleep(pause_s)
            await answer.raw(again)

    return handle


def drips_head(pause_s: float) -> Handler:
    """Send a head that never ends, a byte at a time."""
    return repeats(b"HTTP/1.1 200 OK\r\nx-long: ", b"x", pause_s=pause_s)


ENDLESS_HEAD = repeats(b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"x" * 1000 + b"\r\n")
HUGE_HEADER = repeats(b"HTTP/1.1 200 OK\r\nx-huge: ", b"x" * 10_000)
FLOOD = repeats(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 100)
SLOW_FLOOD = repeats(b"", b"HTTP/1.1 102 Processing\r\n\r\n", pause_s=10)


# In the middle.


async def stalls(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200, type_of(request))
    await answer.send(parts(request)[0])
    await trio.sleep_forever()


async def resets_midway(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200, type_of(request))
    await answer.send(parts(request)[0])
    await answer.reset()


async def closes_midway(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200, type_of(request))
    await answer.send(parts(request)[0])
    await answer.close()


async def ends_midway(request: SeenRequest, answer: Answer) -> None:
    """End the body properly, although what is in it has no end."""
    await answer.head(200, type_of(request))
    await answer.send(parts(request)[0])
    await answer.finish()


def goes_on_with(data: bytes) -> Handler:
    """Say the first words, then something else, and end the body properly."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, type_of(request))
        await answer.send(parts(request)[0] + data)
        await answer.finish()

    return handle


async def ends_in_character(request: SeenRequest, answer: Answer) -> None:
    """End in the middle of an event, and there in the middle of a character."""
    begun, _ = parts(request)
    event = last_event(begun).replace(TEXT[:4].encode(), "—".encode(), 1)
    await answer.head(200, type_of(request))
    await answer.send(begun + event[: event.index("—".encode()) + 1])
    await answer.finish()


def interrupts_with(make: Callable[[SeenRequest], bytes]) -> Handler:
    """Put something between the first words and the rest of a healthy stream."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        begun, rest = parts(request)
        await answer.head(200, type_of(request))
        await answer.send(begun + make(request) + rest)
        await answer.finish()

    return handle


def _bad_event(request: SeenRequest) -> bytes:
    name = b"event: content_block_delta\n" if dialect_of(request) == "anthropic" else b""
    return name + b'data: {"type": "content_block_delta", "index": 0, \n\n'


def _unknown_event(request: SeenRequest) -> bytes:
    name = b"event: novelty\n" if dialect_of(request) == "anthropic" else b""
    data = b'{"type": "novelty", "id": "c1", "choices": []}'
    return b": a comment\n\nid: 7\nretry: 10\n\n" + name + b"id: 8\ndata: " + data + b"\n\n"


def _error_event(request: SeenRequest) -> bytes:
    return b"event: error\ndata: " + json.dumps(error_of(request, "overloaded_error", WORDS)).encode() + b"\n\n"


BREAKS_AN_EVENT = interrupts_with(_bad_event)
ADDS_THE_UNKNOWN = interrupts_with(_unknown_event)
REPORTS_AN_ERROR = interrupts_with(_error_event)


async def streams_garbage(request: SeenRequest, answer: Answer) -> None:
    """Say that a stream comes, and send what is none."""
    await answer.head(200, type_of(request))
    await answer.send(b"\x00\xff\xfe garbage\n\ndata: \xff\xfe\n\nmore garbage\r\r")
    await answer.finish()


def in_pieces(size: int, *, pause_s: float = 0.0, line_end: bytes = b"\n") -> Handler:
    """Give a healthy answer, so many bytes at a time."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        body = b"".join(parts(request)).replace(b"\n", line_end)
        await answer.head(200, type_of(request))
        for start in range(0, len(body), size):
            await answer.send(body[start : start + size])
            await trio.sleep(pause_s)
        await answer.finish()

    return handle


def endless(again: bytes, *, pause_s: float = 0.0) -> Handler:
    """Say the first words, and then the same without end."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, type_of(request))
        await answer.send(parts(request)[0])
        while True:
            await trio.sleep(pause_s)
            await answer.send(again)

    return handle


async def talks_without_end(request: SeenRequest, answer: Answer) -> None:
    """Stream words without end, in events of 60 kB."""
    longer = last_event(parts(request)[0]).replace(TEXT[:4].encode(), b"x" * 60_000, 1)
    await endless(longer)(request, answer)


def only_pings(pause_s: float) -> Handler:
    """Stream pings, or comments, and never a word."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        is_anthropic = dialect_of(request) == "anthropic"
        ping = b'event: ping\ndata: {"type": "ping"}\n\n' if is_anthropic else b": ping\n\n"
        await answer.head(200, type_of(request))
        while True:
            await answer.send(ping)
            await trio.sleep(pause_s)

    return handle


async def goes_on_in_json(request: SeenRequest, answer: Answer) -> None:
    """Answer with JSON without end."""
    await answer.head(200, JSON)
    await answer.send(b'{"content": "')
    while True:
        await answer.send(b"x" * 60_000)


def bombs(size: int) -> Handler:
    """Answer with so many bytes, compressed though nobody asked for it."""
    packed = gzip.compress(b" " * size)

    async def handle(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(200, packed, (*type_of(request), ("content-encoding", "gzip")))

    return handle


async def compresses(request: SeenRequest, answer: Answer) -> None:
    """Give a healthy answer, compressed though nobody asked for it."""
    packed = gzip.compress(b"".join(parts(request)))
    await answer.reply(200, packed, (*type_of(request), ("content-encoding", "gzip")))


def frames(*fields: bytes, start: bytes = b"", end: bytes = b"") -> Handler:
    """Give a healthy body in a frame of one's own: `%d` in a field stands for its length."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        body = b"".join(parts(request))
        kind = type_of(request)[0][1].encode()
        head = b"\r\n".join((b"HTTP/1.1 200 OK", b"content-type: " + kind, *fields, b"", b""))
        await answer.raw(head.replace(b"%d", b"%d" % len(body)) + start + body + end)
        await answer.close()

    return handle


BAD_CHUNK = frames(b"transfer-encoding: chunked", start=b"xyz\r\n")
CUT_CHUNK = frames(b"transfer-encoding: chunked", start=b"fffff\r\n")
TWO_LENGTHS = frames(b"content-length: %d", b"content-length: 5")
LENGTH_AND_CHUNKS = frames(b"content-length: %d", b"transfer-encoding: chunked")
SHORT_BODY = frames(b"content-length: 99999")


async def says_too_much(request: SeenRequest, answer: Answer) -> None:
    """Give a healthy answer, and behind its end another one that nobody asked for."""
    body = b"".join(parts(request))
    length = (("content-length", str(len(body))),)
    await answer.head(200, (*type_of(request), *length))
    await answer.raw(body + b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled")
    await trio.sleep(1)


def replies(make: Callable[[SeenRequest], object]) -> Handler:
    """Answer 200 with this body, bytes or what becomes JSON, whether a stream was asked for or not."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        made = make(request)
        body = made if isinstance(made, bytes) else json.dumps(made).encode()
        await answer.reply(200, body, JSON)

    return handle


def replies_with(body: object) -> Handler:
    """Answer 200 with this body, whatever was asked."""
    return replies(lambda _: body)


def changed(*changes: tuple[bytes, bytes]) -> Handler:
    """Give a healthy answer that is not streamed, with some of its bytes replaced."""

    def make(request: SeenRequest) -> bytes:
        before = body = message_bytes(request)
        for old, new in changes:
            body = body.replace(old, new)
        assert body != before, changes
        return body

    return replies(make)


async def streams_unasked(request: SeenRequest, answer: Answer) -> None:
    """Give a healthy stream, asked for or not."""
    await answer.head(200, SSE)
    await answer.send(b"".join(stream_of(Say(TEXT), dialect_of(request), "m")))
    await answer.finish()


async def replies_unasked(request: SeenRequest, answer: Answer) -> None:
    """Give a healthy answer that is no stream, whether one was asked for or not."""
    await answer.reply(200, message_bytes(request), JSON)


HOSTILE: Headers = (
    ("set-cookie", "session=stolen"),
    ("access-control-allow-origin", "*"),
    ("access-control-allow-credentials", "true"),
    ("location", "http://elsewhere.test/"),
    ("connection", "close, x-odd"),
    ("x-odd", "1"),
    ("refresh", "0; url=http://elsewhere.test/"),
    ("www-authenticate", "Basic"),
    ("content-disposition", "attachment"),
    ("x-ucr-provider", "somebody"),
    ("server", "upstream/1.0"),
)


async def sends_hostile_headers(request: SeenRequest, answer: Answer) -> None:
    """Give a healthy answer with headers that must not reach a client."""
    await answer.reply(200, b"".join(parts(request)), (*type_of(request), *HOSTILE))


async def refuses_unread(request: SeenRequest, answer: Answer) -> None:
    """Refuse a body for its size before it was read, and close. For an upstream that is `early`."""
    body = json.dumps(error_of(request, "request_too_large", "too large")).encode()
    await answer.reply(413, body, (*JSON, ("connection", "close")))
