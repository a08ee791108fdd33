"""Members of bodies that come again with each request of a session, such as its tools, read and checked once.

How this works: an agent sends the same tools and the same system prompt with every turn, and they are most of what there
is to parse, check and translate. So the text of such an array is kept with what was read of it. Where a request has the
same text again, it is found (`Members.find`) and taken out of the body before that is parsed, and what was read of it is
put in its place. An array ends where its bracket closes, so that the same bytes are the same array. Whether it was the
member of the request itself, and not one deeper in it, shows when the rest is parsed: a mark stands there instead
(`Members.is_marked`). What a provider's dialect makes of it is kept with it as well (`Kept.made`).

A client writes its members in one order, and a conversation is the only one that becomes longer. So an array stands
mostly as far from the start of the body as it did in the last one, or as far from its end, and there it is looked for
before the whole body is.
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

    def find(self, raw: bytes, first: int = 0, last: int = 0) -> tuple[int, K] | None:
        """Return where a known array stands in a body, and that; None when there is none.

        It is not looked for between `first` and `last`, where something else stands that is known.
        """
        length = len(raw)
        if not self._kept or length < LEAST_BYTES or length > COMMAS_LIMIT:
            return None
        for text, known in reversed(self._kept.items()):
            before, behind = known.place
            for start in (before, max(0, length - behind)):
                if raw.startswith(text, start) and not first <= start < last:
                    return self._found(known, start, length)
        for begin, end in ((last, length), (0, first)):
            for place in islice(self._place.finditer(raw, begin, end), _PLACES):
                for text, known in reversed(self._kept.items()):
                    if raw.startswith(text, start := place.end()):
                        return self._found(known, start, length)
        return None

    def _found(self, known: K, start: int, length: int) -> tuple[int, K]:
        """Remember where in a body of this length an array was found, and make it the last to be forgotten."""
        known.place = (start, length - start)
        self._kept[known.text] = self._kept.pop(known.text)
        return start, known

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
