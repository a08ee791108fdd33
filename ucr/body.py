"""Request bodies: how long they may take, how large they may be, and their codings: gzip, deflate and zstd."""

import zlib

import zstandard

from ucr.dialects.roles import Headers
from ucr.errors import ApiError

BODY_GAP_S = 30.0
BODY_TOTAL_S = 300.0
"""How long a body may pause, and how long it may take in all."""
BODY_RATE = 500
"""Bytes that must come in each second, on the average, after the first 30 (Apache: `RequestReadTimeout`)."""

SLOW_CODED_BYTES = 16_384
"""A coded body from this size on may take more than 10 ms to decode: it can hold a thousand times as much."""

_PIECE_BYTES = 65_536
_MOST_MEMBERS = 1000

_MISFIT = "it is cut off, or something follows its end"


def coding_of(headers: Headers) -> str:
    """Return the name of the coding of a body; raise `ApiError` 415 for one that is not known."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "deflate", "zstd"):
        raise ApiError(
            "invalid_request_error",
            f"content-encoding '{coding}' is not supported; use gzip, deflate, zstd or none",
            status=415,
        )
    return coding


def due_s(began_s: float, now_s: float, received_bytes: int) -> float:
    """Return until when more of a body must come: it may neither pause, nor trickle, nor last for ever."""
    rate_s = began_s + BODY_GAP_S + received_bytes / BODY_RATE
    return min(began_s + BODY_TOTAL_S, now_s + BODY_GAP_S, rate_s)


def late() -> ApiError:
    """Return the error of a body that does not come."""
    return ApiError("timeout_error", "the request body did not arrive in time", status=408)


def too_large(limit_bytes: int) -> ApiError:
    """Return the error of a body above the limit."""
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
        raise too_large(limit_bytes)
    return result


def _inflated(body: bytes, coding: str, limit_bytes: int) -> bytes:
    if coding == "zstd":
        return _unpacked(body, limit_bytes)
    if coding == "gzip":
        return _gunzipped(body, limit_bytes)
    inflater = zlib.decompressobj(wbits=15 if body[:1] and (body[0] & 0x0F) == 8 else -15)
    result = inflater.decompress(body, limit_bytes + 1)
    if len(result) <= limit_bytes and (not inflater.eof or inflater.unused_data):
        raise zlib.error(_MISFIT)
    return result


def _gunzipped(body: bytes, limit_bytes: int) -> bytes:
    """Read the members of a gzip body, one after the other (RFC 1952, 2.2), until the limit is passed.

    Piece by piece, because what follows a member's end is copied, and must not be the whole rest each time.
    """
    view, at, members, room = memoryview(body), 0, 1, limit_bytes + 1
    inflater = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    while at < len(view) and room > 0:
        if inflater.eof:
            inflater, members = zlib.decompressobj(wbits=31), members + 1
        if members > _MOST_MEMBERS:
            raise zlib.error(f"it has more than {_MOST_MEMBERS} members")
        piece = view[at : at + _PIECE_BYTES]
        parts.append(inflater.decompress(piece, room))
        at += len(piece) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
        room -= len(parts[-1])
    if room > 0 and not inflater.eof:
        raise zlib.error(_MISFIT)
    return parts[0] if len(parts) == 1 else b"".join(parts)


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
