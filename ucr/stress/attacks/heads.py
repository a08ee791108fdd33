"""Requests on the wire: valid, odd and hostile ones, each with the status by which the front lane refuses it.

`LANE_ONLY` names those that h11 0.16 lets through: the differences of docs/architecture.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

_HOST = b"host: 127.0.0.1\r\n"


def get(fields: bytes, line: bytes = b"GET / HTTP/1.1") -> bytes:
    """Return a request with this line and these fields."""
    return line + b"\r\n" + fields + b"\r\n"


ACCEPTED: Mapping[str, bytes] = MappingProxyType(
    {
        "plain": get(_HOST),
        "query": get(_HOST, b"POST /v1/messages?a=%20&b=? HTTP/1.1"),
        "http-1.0": get(_HOST, b"GET / HTTP/1.0"),
        "empty-value": get(_HOST + b"x:\r\n"),
        "blanks-round-value": get(_HOST + b"x: \t a \t \r\n"),
        "latin-1-value": get(_HOST + b"x: caf\xe9\r\n"),
        "odd-name": get(_HOST + b"!#$%&'*+-.^_`|~1: a\r\n"),
        "joined": get(_HOST + b"a: 1\r\na: 2\r\n"),
        "ipv6-host": get(b"host: [::1]:3000\r\n"),
        "length": get(_HOST + b"content-length: 0\r\n", b"POST / HTTP/1.1"),
        "leading-zeros": get(_HOST + b"content-length: 007\r\n", b"POST / HTTP/1.1"),
        "chunked": get(_HOST + b"transfer-encoding: CHUNKED\r\n", b"POST / HTTP/1.1"),
        "upgrade": get(_HOST + b"connection: upgrade\r\nupgrade: h2c\r\n"),
        "hundred-fields": get(_HOST + b"x: 1\r\n" * 99),
        "large": get(_HOST + b"x: " + b"a" * 60_000 + b"\r\n"),
        "odd-method": get(_HOST, b"M-SEARCH * HTTP/1.1"),
    }
)

REFUSED: Mapping[str, tuple[bytes, int]] = MappingProxyType(
    {
        "no-host": (get(b"x: 1\r\n"), 400),
        "no-fields": (get(b""), 400),
        "two-hosts": (get(_HOST + _HOST), 400),
        "empty-host": (get(b"host:\r\n"), 400),
        "host-with-path": (get(b"host: a/b\r\n"), 400),
        "host-with-user": (get(b"host: a@b\r\n"), 400),
        "host-with-blank": (get(b"host: a b\r\n"), 400),
        "host-list": (get(b"host: a, b\r\n"), 400),
        "both-framings": (get(_HOST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n"), 400),
        "two-lengths": (get(_HOST + b"content-length: 3\r\ncontent-length: 3\r\n"), 400),
        "length-list": (get(_HOST + b"content-length: 3, 3\r\n"), 400),
        "signed-length": (get(_HOST + b"content-length: +3\r\n"), 400),
        "negative-length": (get(_HOST + b"content-length: -3\r\n"), 400),
        "hex-length": (get(_HOST + b"content-length: 0x3\r\n"), 400),
        "spaced-length": (get(_HOST + b"content-length: 3 3\r\n"), 400),
        "endless-length": (get(_HOST + b"content-length: " + b"9" * 16 + b"\r\n"), 400),
        "empty-length": (get(_HOST + b"content-length:\r\n"), 400),
        "other-coding": (get(_HOST + b"transfer-encoding: gzip\r\n"), 501),
        "two-codings": (get(_HOST + b"transfer-encoding: gzip, chunked\r\n"), 501),
        "coding-twice": (get(_HOST + b"transfer-encoding: chunked\r\n" * 2), 400),
        "odd-chunked": (get(_HOST + b"transfer-encoding: \x0bchunked\r\n"), 400),
        "identity-coding": (get(_HOST + b"transfer-encoding: identity\r\n"), 501),
        "coding-in-1.0": (get(_HOST + b"transfer-encoding: chunked\r\n", b"POST / HTTP/1.0"), 400),
        "folded": (get(_HOST + b"x: a\r\n b\r\n"), 400),
        "folded-first": (get(b" " + _HOST + _HOST), 400),
        "bare-lf": (get(_HOST + b"x: a\ny: b\r\n"), 400),
        "only-lf": (b"GET / HTTP/1.1\nhost: 127.0.0.1\n\n\r\n\r\n", 400),
        "bare-cr": (get(_HOST + b"x: a\rb\r\n"), 400),
        "nul": (get(_HOST + b"x: a\x00b\r\n"), 400),
        "control": (get(_HOST + b"x: a\x01b\r\n"), 400),
        "delete": (get(_HOST + b"x: a\x7fb\r\n"), 400),
        "name-with-blank": (get(_HOST + b"x : a\r\n"), 400),
        "name-with-latin-1": (get(_HOST + b"\xe9: a\r\n"), 400),
        "no-name": (get(_HOST + b": a\r\n"), 400),
        "no-colon": (get(_HOST + b"x\r\n"), 400),
        "http-0.9": (b"GET /\r\n\r\n", 400),
        "http-2": (b"PRI * HTTP/2.0\r\n\r\n", 505),
        "http-1.2": (get(_HOST, b"GET / HTTP/1.2"), 505),
        "http-11": (get(_HOST, b"GET / HTTP/11"), 400),
        "lower-case-version": (get(_HOST, b"GET / http/1.1"), 400),
        "two-blanks": (get(_HOST, b"GET  / HTTP/1.1"), 400),
        "tab": (get(_HOST, b"GET\t/ HTTP/1.1"), 400),
        "blank-at-end": (get(_HOST, b"GET / HTTP/1.1 "), 400),
        "blank-in-target": (get(_HOST, b"GET /a b HTTP/1.1"), 400),
        "non-ascii-target": (get(_HOST, b"GET /\xc3\xa9 HTTP/1.1"), 400),
        "nul-in-target": (get(_HOST, b"GET /\x00 HTTP/1.1"), 400),
        "odd-method": (get(_HOST, b"G@T / HTTP/1.1"), 400),
        "long-method": (get(_HOST, b"G" * 40 + b" / HTTP/1.1"), 400),
        "empty-line-first": (b"\r\n" + get(_HOST), 400),
        "tls": (b"\x16\x03\x01\x00\xff" * 10 + b"\r\n\r\n", 400),
        "many-fields": (get(_HOST + b"x: 1\r\n" * 100), 431),
        "huge": (get(_HOST + b"x: " + b"a" * 66_000 + b"\r\n"), 431),
        "endless": (b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000, 431),
    }
)

ALL: Mapping[str, bytes] = MappingProxyType(
    {**ACCEPTED, **{f"{name}!": data for name, (data, _) in REFUSED.items()}}
)

LANE_ONLY = frozenset(
    {
        "empty-host",
        "endless-length",
        "http-2",
        "huge",
        "host-with-path",
        "host-with-user",
        "host-with-blank",
        "host-list",
        "both-framings",
        "two-lengths",
        "length-list",
        "coding-in-1.0",
        "folded",
        "bare-lf",
        "only-lf",
        "control",
        "delete",
        "http-1.2",
        "long-method",
        "many-fields",
    }
)
