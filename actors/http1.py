"""HTTP/1.1 as a client speaks it, without any I/O: a request to bytes, bytes to a response.

How this works. llhttp (in httptools) does the reading and is strict about responses: it refuses a body with two
lengths, a length beside chunks, bare line feeds and folded headers. What it does not know is added here: which
request is being answered (HEAD has no body), that informational answers are not the answer, where a body ends
that has no length, and where the head and the end may not be. What is the same in HTTP/2 is in `reader`.

llhttp checks the heads, but is not asked for their fields: to be called back for each costs as much as all the rest. The
lines of a head that it has found valid are taken apart here, and since an upstream says most of them again in each of
its answers, `Fields` remembers them.
"""

from dataclasses import dataclass
from itertools import repeat

import httptools

from actors.errors import PoolError
from actors.reader import AnswerReader
from actors.request import Headers, Limits, UpstreamRequest

OWN_FIELDS = frozenset(
    {
        "host",
        "content-length",
        "accept-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    }
)
"""What the connection decides and a request cannot (RFC 9110, 7.6.1, and what frames the message)."""

_NEVER_KEPT = frozenset({"set-cookie", "www-authenticate", "proxy-authenticate"})
_BODILESS_METHODS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
KNOWN = 64
KNOWN_CHARS = 512
"""So many beginnings of heads are kept, for paths that are no longer than that."""
KNOWN_LINES = 256
KNOWN_LINE_CHARS = 256
"""So many lines of answers' heads are remembered, none of which is longer than that."""


def header_block(headers: Headers) -> bytes:
    """Write fields as they stand in a head, once for the many requests that carry them (`UpstreamRequest.block`).

    What the connection decides is left out. Raises `PoolError` if a field would break a head.
    """
    lines = _lines(headers)
    return _checked(lines) if lines else b""


@dataclass(frozen=True, slots=True)
class Front:
    """What begins every request to an origin: its Host, and for a proxy that forwards, where to and who asks."""

    authority: str
    target: str = ""
    block: bytes = b""


class HeadWriter:
    """Writes the heads of requests to one origin.

    Most ask for one of few paths and bring their fields as a block: what stands before the length is then the same again.
    """

    __slots__ = ("_front", "_known")

    def __init__(self, front: Front) -> None:
        self._front = front
        self._known: dict[tuple[str, str], bytes] = {}

    def __repr__(self) -> str:
        return f"<HeadWriter to {self._front.authority}: {len(self._known)} beginnings known>"

    def write(self, request: UpstreamRequest) -> bytes:
        """Return the head of a request. Raises `PoolError` if a field would break it."""
        if request.headers or not request.body:
            return encode_head(request, self._front)
        known = self._known.get((request.method, request.path)) or self._begin(request)
        return b"%bcontent-length: %d\r\n%b%b\r\n" % (
            known,
            len(request.body),
            self._front.block,
            request.block,
        )

    def _begin(self, request: UpstreamRequest) -> bytes:
        known = _checked(_first_lines(request, self._front))
        if len(request.path) <= KNOWN_CHARS:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[request.method, request.path] = known
        return known


def encode_head(request: UpstreamRequest, front: Front) -> bytes:
    """Write the head of a request. Raises `PoolError` if a field would break it."""
    lines = _first_lines(request, front)
    if request.body or request.method not in _BODILESS_METHODS:
        lines.append(f"content-length: {len(request.body)}")
    return b"%b%b%b\r\n" % (_checked(lines), front.block, request.block)


def _first_lines(request: UpstreamRequest, front: Front) -> list[str]:
    first = f"{request.method} {front.target}{request.path} HTTP/1.1"
    if first.count(" ") != 2:
        raise _broken_head()
    host, coding = f"host: {front.authority}", "accept-encoding: identity"
    return [first, host, *_lines(request.headers), coding]


def _lines(headers: Headers) -> list[str]:
    return [f"{name}: {value}" for name, value in headers if name.lower() not in OWN_FIELDS]


def _checked(lines: list[str]) -> bytes:
    """Return the lines of a head, each with its end, if none of them has one of its own."""
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text:
        raise _broken_head()
    try:
        return f"{text}\r\n".encode("latin-1")
    except UnicodeEncodeError as error:
        raise PoolError(
            "protocol", f"the head of the request is not Latin-1: {error}", phase="connect"
        ) from error


def _broken_head() -> PoolError:
    return PoolError("protocol", "the request has a header or a path that breaks its head", phase="connect")


_UNKNOWN = ("", "")


class Fields:
    """The fields of one upstream's heads: a line that comes again is not taken apart again."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def __repr__(self) -> str:
        return f"<Fields: {len(self._known)} lines known>"

    def read(self, lines: list[str]) -> list[tuple[str, str]]:
        """Return the fields of valid lines, the names in lower case."""
        fields = list(map(self._known.get, lines, repeat(_UNKNOWN)))
        if _UNKNOWN not in fields:
            return fields
        found = zip(lines, fields, strict=True)
        return [self._read(line) if field is _UNKNOWN else field for line, field in found]

    def _read(self, line: str) -> tuple[str, str]:
        name, _, value = line.partition(":")
        field = name.lower(), value.strip(" \t")
        if len(line) <= KNOWN_LINE_CHARS and field[0] not in _NEVER_KEPT:
            if len(self._known) >= KNOWN_LINES:
                self._known.clear()
            self._known[line] = field
        return field


class ResponseReader(AnswerReader):
    """Reads one response of HTTP/1.1. Who reads many of one upstream has `fields` for them."""

    __slots__ = (
        "_barren_bytes",
        "_field_lines",
        "_has_rest",
        "_head_parts",
        "_is_head_request",
        "_keeps_alive",
        "_parser",
        "_skipped_heads",
    )

    def __init__(self, method: str, limits: Limits, fields: Fields | None = None) -> None:
        super().__init__(limits)
        self._field_lines = fields if fields is not None else Fields()
        self._is_head_request = method == "HEAD"
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._head_parts: list[bytes] = []
        self._skipped_heads = 0
        self._barren_bytes = 0
        self._has_rest = False
        self._keeps_alive = False

    @property
    def is_reusable(self) -> bool:
        return self.is_complete and self._keeps_alive and not self._has_rest and self.fault is None

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection; `fault` tells what is wrong with them, if something is."""
        if self._parser is None:
            self._has_rest = True
            return
        self.received_bytes += len(data)
        body_bytes = self._body_bytes
        if self.status is None:
            self._head_parts.append(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("protocol", "the upstream switches protocols, which nobody asked for")
        except httptools.HttpParserError as error:
            if self.is_complete:
                self._has_rest = True
            else:
                self._fail("protocol", f"the answer is not HTTP/1.1: {error}")
        if self.is_complete or self.fault is not None:
            self.release()
        if self._body_bytes > body_bytes:
            self._barren_bytes = 0
        else:
            self._barren_bytes += len(data)
            if self._barren_bytes > self._limits.header_bytes and not self.is_complete:
                self._fail_headers()

    def release(self) -> None:
        """Let go of the parser, which refers back: without the cycle a body is freed as soon as it is used."""
        self._parser = None

    def feed_eof(self) -> None:
        """Take the end of the connection, which ends a body without length and cuts off any other."""
        if self.is_complete:
            return
        if self.status is not None and not self._framed:
            self.is_complete = True
            self.release()
        else:
            self._fail_cut()

    def on_headers_complete(self) -> None:
        """Called by the parser at the end of every head, informational ones too."""
        parser = self._parser
        if parser is None or self._has_rest:
            return
        if 100 <= (status := parser.get_status_code()) < 200:
            self._skipped_heads += 1
            return
        if (version := parser.get_http_version()) not in {"1.0", "1.1"}:
            self._fail("protocol", f"the answer is HTTP/{version}")
            return
        self._read_head()
        self.status = status
        self._keeps_alive = parser.should_keep_alive()
        self._has_no_body = self._is_head_request or status in {204, 304}
        if self._is_head_request:
            # The parser cannot be told, and would wait for the body: this connection ends here.
            self.is_complete = True
            self._keeps_alive = False

    def _read_head(self) -> None:
        """Take the head apart that is complete: its lines are valid, and empty ones may stand before it."""
        parts, self._head_parts = self._head_parts, []
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        start = end = 0
        for _ in range(self._skipped_heads + 1):
            start = data.find(b"HTTP/", end)
            if start < 0 or (start > end and data[end:start].strip(b"\r\n")):  # the parser takes RTSP, too
                self._fail("protocol", "the answer is not HTTP/1.1: it does not begin with its name")
                return
            end = data.index(b"\r\n\r\n", start)
        if end - start > self._limits.header_bytes:
            self._fail_headers()
        lines = data[start:end].decode("latin-1").split("\r\n")
        self._fields = self._field_lines.read(lines[1:])
        self._read_fields()

    def on_message_begin(self) -> None:
        """Called by the parser; a second message after the answer is nobody's."""
        if self.is_complete:
            self._has_rest = True

    def on_message_complete(self) -> None:
        """Called by the parser; at the end of informational answers, too."""
        if self.status is not None:
            self.is_complete = True
