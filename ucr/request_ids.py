"""The ids of requests, in the form that Anthropic's have."""

import secrets

_ID_CHARS = 24
_AT_ONCE = 256


class RequestIds:
    """Gives a fresh id at each call. The system is asked for randomness once for many of them."""

    __slots__ = ("_at", "_drawn")

    def __init__(self) -> None:
        self._drawn = ""
        self._at = 0

    def __call__(self) -> str:
        if self._at == len(self._drawn):
            self._drawn, self._at = secrets.token_hex(_ID_CHARS // 2 * _AT_ONCE), 0
        start = self._at
        self._at = end = start + _ID_CHARS
        return f"req_{self._drawn[start:end]}"
