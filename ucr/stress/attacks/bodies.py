"""Bodies that attackers send, and what they are told: JSON that is none, odd or huge, codings, media types, sizes.

Each row is one body in the dialect of `/v1/messages`. What may be answered is in `statuses`: 200 where the contract
reads a thing that others refuse.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import zstandard

LIMIT_BYTES = 33_554_432
"""The default of `server.body_limit_bytes`."""
GOOD: Mapping[str, Any] = MappingProxyType(
    {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
)
TEXT = json.dumps(dict(GOOD)).encode()


def written(body: Mapping[str, Any]) -> bytes:
    """Return a body as it is sent."""
    return json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class BadBody:
    """One body. With `declared` the head says that so many bytes follow, and `data` is all that ever comes."""

    data: bytes
    statuses: frozenset[int] = frozenset({400})
    headers: Mapping[str, str] = field(default_factory=dict)
    declared: int | None = None

    def request(self, target: str) -> bytes:
        """Return the request that carries it, on a connection of its own."""
        fields = {"host": "127.0.0.1", "content-type": "application/json", **self.headers}
        body = self.data
        if "transfer-encoding" in fields:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            fields["content-length"] = str(len(body) if self.declared is None else self.declared)
        lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join((*lines, "connection: close", "", "")).encode("latin-1") + body


def _texts() -> Iterator[tuple[str, bytes]]:
    """Give what is not the JSON of one object in UTF-8."""
    yield from {
        "empty": b"",
        "blank": b" \r\n\t ",
        "words": b"not json",
        "cut-off": TEXT[:-1],
        "single-quotes": TEXT.replace(b'"', b"'"),
        "comma-at-end": TEXT[:-1] + b",}",
        "comment": b"/* a */" + TEXT,
        "two-values": TEXT + TEXT,
        "something-behind": TEXT + b"x",
        "nul-behind": TEXT + b"\0",
        "byte-order-mark": b"\xef\xbb\xbf" + TEXT,
        "utf-16": TEXT.decode().encode("utf-16"),
        "latin-1": TEXT.replace(b"hi", b"\xe9"),
        "overlong-utf-8": TEXT.replace(b"hi", b"\xc0\xaf"),
        "surrogate-in-utf-8": TEXT.replace(b"hi", b"\xed\xa0\x80"),
        "cut-off-utf-8": TEXT.replace(b"hi", b"\xe2\x82"),
        "nan": TEXT.replace(b": 5", b": NaN"),
        "infinity": TEXT.replace(b": 5", b": Infinity"),
        "minus-infinity": TEXT.replace(b": 5", b": -Infinity"),
        "exponent-999": TEXT.replace(b": 5", b": 1e999"),
        "plus": TEXT.replace(b": 5", b": +5"),
        "octal": TEXT.replace(b": 5", b": 05"),
        "hexadecimal": TEXT.replace(b": 5", b": 0x5"),
        "6000-digits": TEXT.replace(b": 5", b": " + b"7" * 6000),
        "raw-line-end": TEXT.replace(b"hi", b"a\nb"),
        "raw-nul": TEXT.replace(b"hi", b"a\0b"),
        "half-an-escape": TEXT.replace(b"hi", b"\\u12"),
        "array": b"[" + TEXT + b"]",
        "text": b'"hi"',
        "number": b"7",
        "true": b"true",
        "null": b"null",
        "deep": TEXT.replace(b'"hi"', b"[" * 300 + b"]" * 300),
        "very-deep": b'{"a":' * 100_000,
        "deep-beside": TEXT[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "million-commas": b"[" + b"1," * 1_000_001 + b"1]",
        "million-brackets": b"[" + b",".join([b"[" * 250 + b"]" * 250] * 4_100) + b"]",
        "million-objects": b'{"a":[' + b",".join([b"{}"] * 1_000_002) + b"]}",
    }.items()


def _shapes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give objects with fields that are missing or of a wrong type."""
    (turn,) = GOOD["messages"]
    yield from {
        "no-model": {key: value for key, value in GOOD.items() if key != "model"},
        "model-null": {**GOOD, "model": None},
        "model-number": {**GOOD, "model": 7},
        "model-object": {**GOOD, "model": {"$ne": None}},
        "model-empty": {**GOOD, "model": ""},
        "no-messages": {key: value for key, value in GOOD.items() if key != "messages"},
        "messages-null": {**GOOD, "messages": None},
        "messages-text": {**GOOD, "messages": "hi"},
        "messages-object": {**GOOD, "messages": {"0": turn}},
        "message-null": {**GOOD, "messages": [None]},
        "message-text": {**GOOD, "messages": ["hi"]},
        "message-list": {**GOOD, "messages": [[turn]]},
        "no-role": {**GOOD, "messages": [{"content": "hi"}]},
        "role-number": {**GOOD, "messages": [{"role": 1, "content": "hi"}]},
        "content-number": {**GOOD, "messages": [{"role": "user", "content": 7}]},
        "content-object": {**GOOD, "messages": [{"role": "user", "content": {"type": "text"}}]},
        "content-numbers": {**GOOD, "messages": [{"role": "user", "content": [1, 2]}]},
        "block-without-type": {**GOOD, "messages": [{"role": "user", "content": [{"text": "hi"}]}]},
        "text-of-list": {**GOOD, "messages": [{"role": "user", "content": [{"type": "text", "text": [1]}]}]},
        "stream-text": {**GOOD, "stream": "yes"},
        "tools-text": {**GOOD, "tools": "all"},
        "tool-null": {**GOOD, "tools": [None]},
        "stop-object": {**GOOD, "stop_sequences": {"a": 1}, "stop": {"a": 1}},
        "metadata-list": {**GOOD, "metadata": [1]},
    }.items()


def _packed() -> Iterator[tuple[str, BadBody]]:
    """Give bodies in codings: wrong ones, cut ones, and such as would fill the memory."""
    zeros = bytes(LIMIT_BYTES + 1)
    zstd = zstandard.ZstdCompressor().compress
    large = frozenset({413})
    for name, coding, data, statuses in (
        ("gzip-that-is-none", "gzip", TEXT, frozenset({400})),
        ("gzip-cut-off", "gzip", gzip.compress(TEXT)[:-4], frozenset({400})),
        ("gzip-bomb", "gzip", gzip.compress(zeros), large),
        ("deflate-that-is-none", "deflate", b"\x07" + TEXT, frozenset({400})),
        ("deflate-bomb", "deflate", zlib.compress(zeros), large),
        ("zstd-that-is-none", "zstd", TEXT, frozenset({400})),
        ("zstd-bomb", "zstd", zstd(zeros), large),
        ("zstd-that-wants-memory", "zstd", b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x00" * 20, frozenset({400, 413})),
        ("brotli", "br", TEXT, frozenset({415})),
        ("two-codings", "gzip, gzip", gzip.compress(gzip.compress(TEXT)), frozenset({415})),
        ("unknown-coding", "rot13", TEXT, frozenset({415})),
    ):
        yield name, BadBody(data, statuses, {"content-encoding": coding})


def _kinds() -> Iterator[tuple[str, BadBody]]:
    """Give media types of what a web page can send without asking first, and others."""
    for name, kind in {
        "text": "text/plain",
        "text-named-json": "text/plain; json",
        "text-with-json-charset": "text/plain;charset=application/json",
        "form": "application/x-www-form-urlencoded",
        "form-named-json": "application/x-www-form-urlencoded;application/json",
        "multipart": "multipart/form-data; boundary=json",
        "two-types": "text/plain, application/json",
        "no-type-at-all": "json",
        "json-with-tail": "application/jsonx",
    }.items():
        yield f"type-{name}", BadBody(TEXT, frozenset({415}), {"content-type": kind})


def _sizes() -> Iterator[tuple[str, BadBody]]:
    """Give sizes: a declared one is refused from the head alone."""
    large = frozenset({413})
    yield "declared-above-the-limit", BadBody(b"", large, declared=LIMIT_BYTES + 1)
    yield "declared-petabyte", BadBody(b"", large, declared=10**15 - 1)
    yield "chunks-above-the-limit", BadBody(b"a" * (LIMIT_BYTES + 1), large, {"transfer-encoding": "chunked"})


def _read() -> Iterator[tuple[str, BadBody]]:
    """Give what is odd and is read all the same, by the contract or because it harms nobody."""
    fine = frozenset({200})
    for name, data in {
        "last-of-two-keys": b'{"model": 7, ' + TEXT[1:],
        "lone-surrogate": TEXT.replace(b"hi", b"\\ud800"),
        "escaped-nul": TEXT.replace(b"hi", b"\\u0000"),
        "white-space": b"\n\n" + TEXT + b"\n\n",
        "proto": TEXT[:-1] + b', "__proto__": {"admin": true}, "constructor": {"prototype": {}}}',
        "template": TEXT.replace(b"hi", b"{{7*7}} ${env:HOME} %s {0.__class__} $(id) `id`"),
        "long-integer": TEXT[:-1] + b', "x": ' + b"7" * 300 + b"}",
    }.items():
        yield f"read-{name}", BadBody(data, fine)


def _rows() -> Iterator[tuple[str, BadBody]]:
    yield from ((name, BadBody(data)) for name, data in _texts())
    for name, body in _shapes():
        yield name, BadBody(written(body))
    for rows in (_packed(), _kinds(), _sizes(), _read()):
        yield from rows


BODIES: Mapping[str, BadBody] = MappingProxyType(dict(_rows()))
