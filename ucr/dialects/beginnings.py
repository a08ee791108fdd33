"""How conversations begin, read and checked once: all but the last turns of a request were in the one before.

How this works: an agent sends its whole conversation again with every turn. So the text of its beginning is kept with
what was read of it. Where a body has the same text again (`Beginnings.find`), a mark takes its place before the rest
is parsed, and what was read of it is put back afterwards. A beginning ends where a turn ends, so that
the same bytes are the same turns; whether they were those of the request itself, and not of something deeper in it,
shows when the rest is parsed: the mark stands there. A conversation that went on has a longer beginning, in place of
the one before (`learn`).

A beginning ends before the last turn of the assistant, because a client changes only what comes after: Claude Code
marks the end of a conversation for the prompt cache, and takes the mark away from where it was. What is written for a
provider may be kept as well: before a turn of the assistant, all calls have their results.
"""

import re

import msgspec

from ucr.dialects.kept import Kept
from ucr.jsontext import COMMAS_LIMIT, JsonObject

LIMIT_BYTES = 8 * 1024 * 1024
"""Of memory, as far as it can be told from the text; see `_weight`."""

LONGEST_BYTES = LIMIT_BYTES // 4
LIMIT = 64
LEAST_BYTES = 1024
"""Shorter beginnings are not worth it; by the first so many bytes they are found."""

_PLACE = re.compile(rb'"messages"\s*:\s*\[\s*(?=\{)')
_SEPARATORS = (b",", b", ")
"""What clients write between turns. Of a body with anything else no beginning is kept."""

_MARKED_TURNS = 4
"""So many turns at the end may bear a mark for the prompt cache that will be gone in the next request."""

_TEXT_COPIES = 4
_VALUE_BYTES = 64

_MARK = "\x00turns\x00"
MARK_TEXT = b'"\\u0000turns\\u0000"'
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


class Beginning(Kept):
    """The first turns of a conversation as they were read, which nobody may change, and their text.

    `weight` is about how many bytes all of it takes. Of the first `clean` turns it is known that they hold nothing of
    UCR's own.
    """

    __slots__ = ("clean", "turns", "weight")

    def __init__(
        self, text: bytes, turns: list[JsonObject], added: bytes, before: "Beginning | None" = None
    ) -> None:
        super().__init__(text, added, before)
        self.turns = turns
        self.weight: int = _weight(added) + (0 if before is None else before.weight)
        self.clean: int = 0 if before is None else before.clean

    def __repr__(self) -> str:
        return f"<Beginning of {len(self.turns)} turns, {len(self.text)} bytes>"


class Beginnings:
    """The beginnings that came last, by how they begin themselves: `bytes` is what they weigh."""

    def __init__(self, limit: int = LIMIT, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._kept: dict[bytes, list[Beginning]] = {}
        self._count = 0
        self.bytes = 0

    def __repr__(self) -> str:
        return f"<Beginnings: {self._count} of {self.bytes} bytes>"

    def find(self, raw: bytes) -> tuple[int, Beginning] | None:
        """Return where a known beginning stands in a body, and that; None when there is none."""
        if not self._kept or len(raw) > COMMAS_LIMIT:
            return None
        place = _PLACE.search(raw)
        if place is None:
            return None
        start = place.end()
        key = raw[start : start + LEAST_BYTES]
        for known in reversed(self._kept.get(key, ())):
            if raw.startswith(known.text, start):
                self._touch(key, known)
                return start, known
        return None

    def learn(self, rest: bytes, turns: list[JsonObject], known: Beginning | None) -> Beginning | None:
        """Keep what of a conversation will come again, if that is more than what is known of it.

        `rest` is the body that was read, with a mark in the place of what is `known`, and `turns` are all that it has.
        """
        begun = 0 if known is None else len(known.turns)
        end = _end_of_beginning(turns, begun)
        if end == begun or len(rest) > COMMAS_LIMIT:
            return None
        found = _text(rest, end - begun, known)
        if found is None:
            return None
        text, added = found
        made = Beginning(text, turns[:end], added, known)
        if len(text) < LEAST_BYTES or made.weight > min(LONGEST_BYTES, self._limit_bytes):
            return None
        if known is not None:
            self._forget(text[:LEAST_BYTES], known)
        self._add(text[:LEAST_BYTES], made)
        return made

    def _touch(self, key: bytes, known: Beginning) -> None:
        """Make a beginning, and those that begin in the same way, the last to be forgotten."""
        alike = self._kept[key] = self._kept.pop(key)
        alike.remove(known)
        alike.append(known)

    def _add(self, key: bytes, made: Beginning) -> None:
        alike = self._kept[key] = self._kept.pop(key, [])
        alike.append(made)
        self._count += 1
        self.bytes += made.weight
        while self.bytes > self._limit_bytes or self._count > self._limit:
            oldest = next(iter(self._kept))
            self._forget(oldest, self._kept[oldest][0])

    def _forget(self, key: bytes, known: Beginning) -> None:
        alike = self._kept.get(key, [])
        if known not in alike:
            return
        alike.remove(known)
        if not alike:
            del self._kept[key]
        self._count -= 1
        self.bytes -= known.weight


def turns_after(rest: JsonObject) -> list[JsonObject] | None:
    """Return the turns after the mark; None when what was taken out was not how the conversation itself begins."""
    turns = rest.get("messages")
    return turns[1:] if isinstance(turns, list) and len(turns) > 1 and turns[0] == _MARK else None


def _end_of_beginning(turns: list[JsonObject], begun: int) -> int:
    """Return how many turns will come again as they are, and are followed by one of the assistant."""
    end = _last_answer(turns, begun, len(turns) - 1)
    for at in range(max(begun, len(turns) - _MARKED_TURNS), end):
        if _is_marked(turns[at]):
            return _last_answer(turns, begun, at)
    return end


def _last_answer(turns: list[JsonObject], begun: int, last: int) -> int:
    """Return where the last turn of the assistant up to `last` is; `begun` when there is none after that."""
    for at in range(last, begun, -1):
        if turns[at]["role"] == "assistant":
            return at
    return begun


def _is_marked(turn: JsonObject) -> bool:
    content = turn.get("content")
    return isinstance(content, list) and any("cache_control" in block for block in content)


def _text(rest: bytes, added: int, known: Beginning | None) -> tuple[bytes, bytes] | None:
    """Return the text of a beginning that is so many turns longer than what is known, and of those turns alone."""
    try:
        items = _ITEMS.decode(_PARTS.decode(rest)["messages"])
    except (ValueError, RecursionError, KeyError):
        return None
    place = _PLACE.search(rest) if known is None else None
    skipped = 0 if known is None else 1
    for separator in _SEPARATORS:
        text = separator.join(items[skipped : skipped + added])
        if known is not None and rest.find(MARK_TEXT + separator + text) > 0:
            return known.text + separator + text, text
        if place is not None and rest.startswith(text, place.end()):
            return text, text
    return None


def _weight(text: bytes) -> int:
    """Return about how many bytes it takes to keep a text, what was read of it, and what was written of that.

    Each value takes an object, and there are not more of them than commas and brackets.
    """
    values = text.count(b",") + text.count(b"[") + text.count(b"{")
    return len(text) * _TEXT_COPIES + values * _VALUE_BYTES
