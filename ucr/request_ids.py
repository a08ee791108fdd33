"""The ids of requests, in the form that Anthropic's have.

How this works: an id begins with the second in which it was drawn, so that later ids come after earlier ones. The index
of the journal then grows at its end. Ids that are random altogether touch a page of it each, which costs as much as
writing the entry. The other two thirds are random, and are drawn for many ids at once.
"""

import secrets
from collections.abc import Callable

_SECOND_CHARS = 8
_RANDOM_CHARS = 16
_AT_ONCE = 256


class RequestIds:
    """Gives a fresh id at each call. The system is asked for randomness and time once for many of them."""

    __slots__ = ("_at", "_beginning", "_drawn", "_unix_time")

    def __init__(self, unix_time: Callable[[], float]) -> None:
        self._unix_time = unix_time
        self._beginning = ""
        self._drawn = ""
        self._at = 0

    def __call__(self) -> str:
        if self._at == len(self._drawn):
            self._beginning = f"req_{int(self._unix_time()) & 0xFFFFFFFF:0{_SECOND_CHARS}x}"
            self._drawn, self._at = secrets.token_hex(_RANDOM_CHARS // 2 * _AT_ONCE), 0
        start = self._at
        self._at = end = start + _RANDOM_CHARS
        return self._beginning + self._drawn[start:end]
