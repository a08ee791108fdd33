"""JSON objects one a line, cut out of a stream of bytes without I/O.

Lines end at LF and nowhere else: a CR before it is white space to JSON.
"""

LINE_LIMIT_BYTES = 4 * 1024 * 1024


class NdjsonError(ValueError):
    """The stream holds a line that is larger than the limit."""


class LineSplitter:
    """Cuts bytes into lines: what `feed` and `close` return is, joined, what was fed."""

    def __init__(self, limit_bytes: int = LINE_LIMIT_BYTES) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._limit_bytes = limit_bytes
        self._is_broken = False

    def lets_by(self, data: bytes) -> bool:
        """Return False: all that comes is cut."""
        return False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the lines completed by them, each with its LF.

        Raise `NdjsonError` when a line grows past the limit: at once, or at the next call where whole lines
        stood before it, so that none of those is lost.
        """
        lines: list[bytes] = []
        if not self._is_broken:
            self._buffer += data
            end = self._buffer.rfind(b"\n", self._scanned) + 1
            lines = _lines(bytes(self._buffer[:end]))
            del self._buffer[:end]
            self._scanned = len(self._buffer)
            lines = self._within_limit(lines)
        if self._is_broken and not lines:
            raise NdjsonError(f"a line is larger than {self._limit_bytes} bytes")
        return lines

    def _within_limit(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines before the first that is too large."""
        for position, line in enumerate(lines):
            if len(line) > self._limit_bytes:
                self._is_broken = True
                self._buffer.clear()
                return lines[:position]
        if len(self._buffer) > self._limit_bytes:
            self._is_broken = True
            self._buffer.clear()
        return lines

    def close(self) -> bytes:
        """Return what is left: a line whose LF never came, or nothing. Raise `NdjsonError` as `feed` does."""
        if self._is_broken:
            raise NdjsonError(f"a line is larger than {self._limit_bytes} bytes")
        rest, self._buffer = bytes(self._buffer), bytearray()
        return rest


def _lines(data: bytes) -> list[bytes]:
    """Cut whole lines, each with its LF."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]
