"""What attackers send on a connection: ambiguous framings and protocols that are not spoken here, as bytes.

Every attack is data, so that the same bytes go to a router in memory (`tests/catalogue`) and to real processes
(`scripts/chaos`). Sources of the ideas: RFC 9112, 11.2; the request-smuggling papers of Linhart (2005) and Kettle
(2019); the issues of h11 and hypercorn. Malformed heads are in `ucr.stress.attacks.heads`.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hpack import Encoder

HOST = b"host: 127.0.0.1\r\n"
JSON = b"content-type: application/json\r\n"
HIDDEN = b"GET /v1/models/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
"""The request that nobody sent: an answer to it holds its name."""
MARK = b"smuggled"


@dataclass(frozen=True, slots=True)
class Attack:
    """Bytes on one connection. `statuses` are what the first answer may be; `answers` how many there may be.

    After a fault of the framing the connection is closed. With `may_be_silent` it may also be closed, or left
    waiting, without a word.
    """

    data: bytes
    statuses: frozenset[int] = frozenset({400, 501})
    answers: int = 1
    is_fault: bool = False
    may_be_silent: bool = False


def _post(framing: bytes, body: bytes, version: bytes = b"1.1") -> bytes:
    return b"POST /v1/messages HTTP/" + version + b"\r\n" + HOST + JSON + framing + b"\r\n" + body


_CHUNKED = b"transfer-encoding: chunked\r\n"
_END = b"0\r\n\r\n"


def _lengths() -> Iterator[tuple[str, bytes]]:
    """Give lengths that two readers may take for different numbers; what follows is a hidden request."""
    for name, value in {
        "list": b"0, 0",
        "plus": b"+0",
        "minus": b"-1",
        "minus-zero": b"-0",
        "hexadecimal": b"0x0",
        "semicolon": b"0;",
        "blank-inside": b"1 0",
        "underscore": b"1_0",
        "superscript": b"\xb2",
        "quoted": b'"0"',
        "empty": b"",
        "point": b"0.0",
        "exponent": b"0e0",
        "form-feed": b"\x0c0",
        "of-65-bits": b"18446744073709551616",
    }.items():
        yield f"length-{name}", _post(b"content-length: " + value + b"\r\n", HIDDEN)
    other = b"content-length: %d\r\n" % len(HIDDEN)
    yield "two-lengths", _post(b"content-length: 0\r\n" + other, HIDDEN)
    yield "length-twice", _post(b"content-length: 0\r\n" * 2, HIDDEN)
    yield "length-before-chunks", _post(b"content-length: 5\r\n" + _CHUNKED, _END + HIDDEN)
    yield "length-after-chunks", _post(_CHUNKED + b"content-length: 5\r\n", _END + HIDDEN)
    yield "length-of-all-beside-chunks", _post(_CHUNKED + other, _END + HIDDEN)


def _codings() -> Iterator[tuple[str, bytes]]:
    """Give transfer codings that one reader knows and another does not."""
    for name, line in {
        "unknown": b"transfer-encoding: xchunked",
        "and-identity": b"transfer-encoding: chunked, identity",
        "after-identity": b"transfer-encoding: identity, chunked",
        "after-gzip": b"transfer-encoding: gzip, chunked",
        "twice": b"transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "and-another": b"transfer-encoding: chunked\r\ntransfer-encoding: cow",
        "vertical-tab": b"transfer-encoding: \x0bchunked",
        "blank-before-colon": b"transfer-encoding : chunked",
        "folded": b"transfer-encoding:\r\n chunked",
        "quoted": b'transfer-encoding: "chunked"',
        "parameter": b"transfer-encoding: chunked;q=1",
        "comma-at-end": b"transfer-encoding: chunked,",
        "nul": b"transfer-encoding: chunked\x00",
        "behind-bare-lf": b"x: y\ntransfer-encoding: chunked",
        "behind-bare-cr": b"x: y\rtransfer-encoding: chunked",
        "empty": b"transfer-encoding:",
    }.items():
        yield f"coding-{name}", _post(line + b"\r\n", _END + HIDDEN)
    yield "coding-in-1.0", _post(_CHUNKED, _END + HIDDEN, b"1.0")


def _chunks() -> Iterator[tuple[str, bytes]]:
    """Give bodies in chunks that end in different places for different readers."""
    for name, body in {
        "no-size": b"\r\n" + _END,
        "minus": b"-1\r\n" + _END,
        "hexadecimal": b"0x0\r\n\r\n",
        "plus": b"+0\r\n\r\n",
        "underscore": b"1_0\r\n" + b"a" * 16 + b"\r\n" + _END,
        "blank-before-size": b" 0\r\n\r\n",
        "of-68-bits": b"10000000000000000\r\n" + _END,
        "bare-lf-after-size": b"0\n\r\n",
        "bare-cr-after-size": b"0\r\r\n",
        "cr-in-extension": b"0;a\rb\r\n\r\n",
        "lf-in-extension": b'0;a="\n"\r\n\r\n',
        "nul-in-extension": b"0;a\x00\r\n\r\n",
        "endless-extension": b"0;" + b"a" * 70_000 + b"\r\n\r\n",
        "longer-than-said": b"1\r\nAB\r\n" + _END,
        "without-line-end": b"1\r\nA" + _END,
        "bare-lf-after-data": b"1\r\nA\n" + _END,
        "trailer-without-name": b"0\r\n: x\r\n\r\n",
        "trailer-with-blank": b"0\r\nbad name: x\r\n\r\n",
        "trailer-without-end": b"0\r\n" + b"x: y\r\n" * 20_000,
    }.items():
        yield f"chunk-{name}", _post(_CHUNKED, body + HIDDEN)


def _bodies() -> Iterator[tuple[str, Attack]]:
    """Give requests whose bodies look like a further request, and are none."""
    length = b"content-length: %d\r\n\r\n" % len(HIDDEN)
    chunk = b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + _END
    fine = frozenset({200})
    yield "body-of-get", Attack(b"GET /health HTTP/1.1\r\n" + HOST + length + HIDDEN, fine)
    yield "body-of-get-in-chunks", Attack(b"GET /health HTTP/1.1\r\n" + HOST + _CHUNKED + b"\r\n" + chunk, fine)
    refused = frozenset({405})
    yield "body-of-options", Attack(b"OPTIONS /v1/messages HTTP/1.1\r\n" + HOST + length + HIDDEN, refused)
    yield "body-of-cold-get", Attack(b"GET /nothing HTTP/1.1\r\n" + HOST + length + HIDDEN, frozenset({404}))
    yield "no-coding-but-its-like", Attack(_post(b"transfer_encoding: chunked\r\n", _END + HIDDEN), answers=2)
    yield "expects-nonsense", Attack(_post(b"expect: 200-ok\r\ncontent-length: 5\r\n", b"{bad}"))


def _framings() -> Iterator[tuple[str, Attack]]:
    for rows in (_lengths(), _codings(), _chunks()):
        yield from ((name, Attack(data, is_fault=True)) for name, data in rows)
    yield from _bodies()


FRAMINGS: Mapping[str, Attack] = MappingProxyType(dict(_framings()))
"""Requests that hold a hidden one: it is never answered, and nothing follows the refusal of the first."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame of HTTP/2 (RFC 9113, 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


_SETTINGS = _frame(4, 0, 0, b"")


def _h2(*fields: tuple[str, str], more: bytes = b"") -> bytes:
    block = Encoder().encode(list(fields))
    return PREFACE + _SETTINGS + _frame(1, 0x4, 1, block) + more


_AUTHORITY = ((":scheme", "http"), (":authority", "127.0.0.1"))
_GET = b"GET /health HTTP/1.1\r\n" + HOST
_SOCKET = b"connection: upgrade\r\nupgrade: websocket\r\n"
_SOCKET_KEY = b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
_H2C = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\n"
_REFUSED = frozenset({400, 404, 405, 426, 501, 505})
_ANSWERED = frozenset({200}) | _REFUSED


def _upgrades() -> Iterator[tuple[str, Attack]]:
    data = b"".join(_frame(0, 0, 1, b"x" * 1000) for _ in range(3))
    for name, sent in {
        "h2": _h2((":method", "GET"), (":path", "/health"), *_AUTHORITY),
        "h2-path-not-ascii": _h2((":method", "GET"), (":path", "/\xe9"), *_AUTHORITY),
        "h2-method-not-ascii": _h2((":method", "G\xc9T"), (":path", "/"), *_AUTHORITY),
        "h2-connect-without-path": _h2((":method", "CONNECT"), (":authority", "127.0.0.1:80")),
        "h2-data-after-answer": _h2((":method", "POST"), (":path", "/nothing"), *_AUTHORITY, more=data),
        "h2-garbage": PREFACE + b"\xff" * 500,
        "h2-after-a-request": _GET + b"\r\n" + PREFACE + _SETTINGS,
    }.items():
        answers = 2 if name == "h2-after-a-request" else 1
        yield name, Attack(sent, _ANSWERED if answers == 2 else _REFUSED, answers)
    for name, settings in {"bad": b"\xff\xff*", "good": b"AAMAAABkAAQAoAAAAAIAAAAA"}.items():
        yield (
            f"h2c-{name}-settings",
            Attack(_GET + _H2C + b"http2-settings: " + settings + b"\r\n\r\n", _ANSWERED),
        )
    yield "h2c-and-preface", Attack(_GET + _H2C + b"\r\n" + PREFACE + _SETTINGS, _ANSWERED, 2)
    socket = b"GET /ws HTTP/1.1\r\n" + HOST + _SOCKET + _SOCKET_KEY + b"\r\n"
    yield "websocket", Attack(socket, _REFUSED)
    yield "websocket-and-bytes", Attack(socket + b"\x81\x85garbage" * 50, _REFUSED, 2)
    yield "websocket-on-hot-route", Attack(_GET + _SOCKET + _SOCKET_KEY + b"\r\n\x81\x85abc", _ANSWERED, 2)
    yield "websocket-without-key", Attack(b"GET /ws/events HTTP/1.1\r\n" + HOST + _SOCKET + b"\r\n", _REFUSED)
    yield "tls-upgrade", Attack(_GET + b"connection: upgrade\r\nupgrade: TLS/1.2\r\n\r\n", _ANSWERED)
    yield "connect", Attack(b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + HOST + b"\r\nSSH-2.0-x\r\n", _REFUSED, 2)
    yield (
        "tls",
        Attack(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, _REFUSED, may_be_silent=True),
    )
    yield "ssh", Attack(b"SSH-2.0-OpenSSH_9.2\r\n", _REFUSED, may_be_silent=True)


UPGRADES: Mapping[str, Attack] = MappingProxyType(dict(_upgrades()))
"""Other protocols on the port of HTTP/1.1; the first six of HTTP/2, h2c and WebSocket each end a bare hypercorn."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer in what a connection said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def answers_in(received: bytes) -> list[Answer]:
    """Read all answers, interim ones left out; raise `ValueError` for bytes that are none."""
    found = []
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        if not end or not line.startswith("HTTP/1.1 "):
            raise ValueError(f"no answer: {received[:200]!r}")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in lines)}
        status = int(line.split()[1])
        body, received = _body_of(status, headers, rest)
        if status >= 200:
            found.append(Answer(status, headers, body))
    return found


def _body_of(status: int, headers: Mapping[str, str], rest: bytes) -> tuple[bytes, bytes]:
    if status < 200:
        return b"", rest
    if headers.get("transfer-encoding") == "chunked":
        return _unchunked(rest)
    length = int(headers.get("content-length", len(rest)))
    return rest[:length], rest[length:]


def _unchunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not size or int(size, 16) == 0:
            return body, rest.removeprefix(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
