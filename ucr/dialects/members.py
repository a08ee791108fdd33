"""Members of bodies that come again with each request of a session, such as its tools, read and checked once.

How this works: an agent sends the same tools and the same system prompt with every turn, and they are most of what there
is to parse, check and translate. So the text of such an array is kept with what was read of it. Where a request has the
same text again, it is taken out of the body before that is parsed (`Members.taken_out`), and what was read of it is put in
its place. An array ends where its bracket closes, so that the same bytes are the same array. Whether it was the member of
the request itself, and not one deeper in it, shows when the rest is parsed: a mark stands there instead
(`Members.is_marked`). What a provider's dialect makes of it is kept with it as well (`Kept.made`).
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import Generic, TypeVar

from msgspec import Raw
from msgspec.json import Decoder

from ucr.dialects.kept import Kept
from ucr.jsontext import COMMAS_LIMIT, JsonObject

LIMIT = 16
LIMIT_BYTES = 512 * 1024
"""Of text; what is read and made of it takes some six times as much."""

LEAST_BYTES = 2048
LONGEST_BYTES = LIMIT_BYTES // 4

_PLACES = 4
"""So many places of a body are looked at: the words may well stand in a conversation, too."""

_PARTS = Decoder(dict[str, Raw])

K = TypeVar("K", bound=Kept)


class Members(Generic[K]):
    """The arrays of one `name` that came last, by their number and their bytes. `make` gives what is kept of one."""

    def __init__(
        self,
        name: str,
        make: Callable[[bytes, list[JsonObject]], K],
        limit: int = LIMIT,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._name = name
        self._make = make
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._place = re.compile(rb'"%b"\s*:\s*(?=\[)' % name.encode())
        self._mark = f"\x00{name}\x00"
        self.mark_text = b'"\\u0000%b\\u0000"' % name.encode()
        self._kept: dict[bytes, K] = {}
        self.bytes = 0

    def __repr__(self) -> str:
        return f"<Members {self._name}: {len(self._kept)} of {self.bytes} bytes>"

    def taken_out(self, raw: bytes) -> tuple[bytes, K, int] | None:
        """Return a body with a mark in the place of a known array, that, and the place; None when there is none."""
        if not self._kept or len(raw) < LEAST_BYTES or len(raw) > COMMAS_LIMIT:
            return None
        for place in islice(self._place.finditer(raw), _PLACES):
            start = place.end()
            for text in reversed(self._kept):
                if raw.startswith(text, start):
                    self._kept[text] = known = self._kept.pop(text)
                    return b"%b%b%b" % (raw[:start], self.mark_text, raw[start + len(text) :]), known, start
        return None

    def learn(self, raw: bytes, body: JsonObject) -> K | None:
        """Keep the array of a body that was read and found right; None for one that is not worth it."""
        listed = body.get(self._name)
        if not isinstance(listed, list) or len(raw) < LEAST_BYTES or len(raw) > COMMAS_LIMIT:
            return None
        if not all(isinstance(item, dict) for item in listed):
            return None
        try:
            text = bytes(_PARTS.decode(raw)[self._name])
        except (ValueError, RecursionError, KeyError):
            return None
        if not LEAST_BYTES <= len(text) <= LONGEST_BYTES:
            return None
        known = self._kept.pop(text, None)
        self.bytes -= 0 if known is None else len(text)
        self._kept[text] = known = self._make(text, listed)
        self.bytes += len(text)
        while self.bytes > self._limit_bytes or len(self._kept) > self._limit:
            self.bytes -= len(self._kept.pop(next(iter(self._kept))).text)
        return known

    def is_marked(self, rest: JsonObject) -> bool:
        """True when what was taken out of a body was the member of the request itself."""
        return rest.get(self._name) == self._mark
