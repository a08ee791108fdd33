"""A copy of a stream, made while it is delivered, within bounds. Pure."""

from ucr.budget import Budget, Hold
from ucr.errors import ApiError

STREAM_BYTES = 1024 * 1024
"""The largest stream that is copied: about 250,000 tokens would not fit, 20,000 do."""

COPIES_BYTES = 16 * 1024 * 1024
"""What all copies of a worker may take together while their streams run."""


class StreamCopy:
    """Takes what the client gets. Beyond a bound it is given up, and with it what it held."""

    def __init__(self, budget: Budget, limit_bytes: int = STREAM_BYTES) -> None:
        self._hold = Hold(budget)
        self._limit_bytes = limit_bytes
        self._parts: list[bytes] | None = []

    def __repr__(self) -> str:
        return f"<StreamCopy of {self._hold.held_bytes} bytes>"

    def add(self, data: bytes) -> None:
        """Take the next part of the stream."""
        if self._parts is None:
            return None
        size_bytes = self._hold.held_bytes + len(data)
        try:
            if size_bytes > self._limit_bytes:
                return self.give_up()
            self._hold.resize(size_bytes)
        except ApiError:
            return self.give_up()
        return self._parts.append(data)

    def give_up(self) -> None:
        """Keep nothing, now and from now on."""
        self._parts = None
        self._hold.release()

    def whole(self) -> bytes | None:
        """Return everything that was taken; None when it was given up, or was nothing."""
        return b"".join(self._parts) if self._parts else None
