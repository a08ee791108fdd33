"""Content codings: a body that comes compressed although nobody asked for it.

A few hundred kilobytes can decode to gigabytes, so that a decoder gives its output in pieces of bounded size
and never holds more than one piece and the compressed bytes of one read. Pure.
"""

import zlib

from actors.errors import PoolError

PIECE_BYTES = 262_144

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB_METHOD = 8
"""The low four bits of the first byte of a zlib stream (RFC 1950, CM). Raw deflate, which some servers send as
"deflate" against RFC 9110, can begin with them too, but then its two first bytes are no multiple of 31."""


class Decoder:
    """Decodes "gzip" (also of several members) or "deflate" (with or without its zlib wrapper)."""

    def __init__(self, coding: str) -> None:
        if coding not in {"gzip", "x-gzip", "deflate"}:
            raise PoolError(
                "protocol", f"the body has the coding {coding[:40]!r}, which was not asked for", phase="idle"
            )
        self._is_gzip = coding != "deflate"
        self._input = b""
        self._has_begun = False
        self._inflate = zlib.decompressobj(_GZIP) if self._is_gzip else None

    def feed(self, data: bytes) -> None:
        """Take coded bytes."""
        self._has_begun = True
        self._input += data

    def piece(self) -> bytes:
        """Return the next at most `PIECE_BYTES` decoded bytes, b"" when more input is needed."""
        try:
            while self._input:
                inflate = self._choose()
                if inflate is None:
                    return b""
                piece = inflate.decompress(self._input, PIECE_BYTES)
                self._input = inflate.unconsumed_tail
                if inflate.eof:
                    self._next_member(inflate.unused_data)
                if piece:
                    return piece
        except zlib.error as error:
            raise PoolError("protocol", f"the body cannot be decompressed: {error}", phase="idle") from error
        return b""

    def end(self) -> None:
        """Raise unless the coded body may end here; a body of no bytes at all may."""
        is_whole = self._inflate is not None and self._inflate.eof and not self._input
        if self._has_begun and not is_whole:
            raise PoolError("protocol", "the body ends in the middle of its compressed data", phase="idle")

    def _choose(self) -> "zlib._Decompress | None":
        """Return the decompressor; which one "deflate" means can be seen from two bytes."""
        if self._inflate is None and len(self._input) > 1:
            first, second = self._input[:2]
            is_zlib = first & 0x0F == _ZLIB_METHOD and (first << 8 | second) % 31 == 0
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        return self._inflate

    def _next_member(self, rest: bytes) -> None:
        if rest and not self._is_gzip:
            raise PoolError("protocol", "the body goes on after the end of its compressed data", phase="idle")
        if rest:
            self._input = rest
            self._inflate = zlib.decompressobj(_GZIP)
