"""The pieces of text or reasoning that chunk after chunk of a stream brings, and nothing else.

How this works: the chunks of one stream differ in nothing but the piece, a JSON string with the same bytes before it
and after it. These two are the *frame* of the stream. It is found in a chunk that was read whole, and proved by
reading that chunk again with another string in the place of the piece: JSON in which one string may stand takes any
other string there. Of the chunks that follow one another within the frame, the pieces are then read at once, as one
JSON array of strings. Some providers put something that changes into each chunk; after a few tries no frame is looked
for any longer.

In a slow stream each read is one block. As long as one follows the other within the frame, they are read by a `Stretch`,
which needs no more than the frame for that.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from msgspec.json import Decoder

from ucr.dialects.openai_chat.plain import Kind, PlainChunk, plain_chunk
from ucr.events import TextDelta, ThinkingDelta
from ucr.sse import EVENT_LIMIT_BYTES

LONGEST_BYTES = 2048
"""A frame is not taken from a longer chunk: each stream keeps its own."""

TRIES = 3

_PLACES: Mapping[Kind, re.Pattern[bytes]] = MappingProxyType(
    {
        TextDelta: re.compile(rb'"content"\s*:\s*"((?:[^"\\]|\\.)*+)"'),
        ThinkingDelta: re.compile(rb'"reasoning(?:_content)?"\s*:\s*"((?:[^"\\]|\\.)*+)"'),
    }
)
_PROBE = "another"
_decode_text = Decoder(str).decode
_decode_texts = Decoder(list[str]).decode


class PieceReader:
    """Reads the pieces of one kind in one stream."""

    __slots__ = ("_after", "_before", "_tries", "kind")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._before = self._after = b""
        self._tries = TRIES

    def __repr__(self) -> str:
        return f"<PieceReader of {self.kind.__name__} between {self._before!r} and {self._after!r}>"

    def read(self, lines: list[bytes], at: int) -> tuple[list[str], PlainChunk | None]:
        """Return what the chunks from `at` say, as far as each says a piece of this kind and nothing else.

        With it comes the first chunk that says something else, where that is plain.
        """
        pieces: list[str] = []
        place, end = at, len(lines)
        while place < end:
            if self._before:
                pieces += self._framed(lines[place:] if place else lines)
                place = at + len(pieces)
                if place == end:
                    break
            chunk = plain_chunk(lines[place])
            found = None if chunk is None else piece_of(chunk, self.kind)
            if found is None:
                return pieces, chunk
            pieces.append(found)
            if self._tries:
                self._look_for_frame(lines[place])
            place += 1
        return pieces, None

    def stretch(self, index: int) -> "Stretch | None":
        """Return what reads the next blocks of this stream, which go on with the content block of that index."""
        return Stretch(self.kind, index, self._before, self._after) if self._before else None

    def _framed(self, lines: list[bytes]) -> list[str]:
        """Return the pieces of the first lines, as far as these stand within the frame; none is empty."""
        before, after = self._before, self._after
        start, stop = len(before), -len(after)
        count = 0
        for line in lines:
            if line[:start] != before or line[stop:] != after:
                break
            count += 1
        pieces = _strings([line[start:stop] for line in lines[:count]])
        if len(pieces) < count:
            self._before = b""  # Where no string stands, anything may: such a stream is not read by its frame.
        return pieces[: pieces.index("")] if "" in pieces else pieces

    def _look_for_frame(self, line: bytes) -> None:
        """Find the frame of a chunk that says a piece and nothing else."""
        self._tries -= 1
        place = _PLACES[self.kind].search(line) if len(line) <= LONGEST_BYTES else None
        if place is None:
            return
        before, after = line[: place.start(1)], line[place.end(1) :]
        chunk = plain_chunk(b"%b%b%b" % (before, _PROBE.encode(), after))
        if chunk is not None and piece_of(chunk, self.kind) == _PROBE:
            self._before, self._after = before, after


class Stretch:
    """Reads blocks that come alone and go on with one content block; see `ucr.dialects.roles.Stretch`.

    `chars` counts what it has read.
    """

    __slots__ = ("_end", "_lead", "_start", "_tail", "chars", "index", "kind")

    def __init__(self, kind: Kind, index: int, before: bytes, after: bytes) -> None:
        self.kind = kind
        self.index = index
        self.chars = 0
        self._lead, self._tail = b"data: " + before, after + b"\n\n"
        self._start, self._end = len(self._lead) - 1, 1 - len(self._tail)

    def __repr__(self) -> str:
        return f"<Stretch of {self.kind.__name__} between {self._lead!r} and {self._tail!r}>"

    def piece(self, data: bytes) -> str:
        """Return the piece of bytes that are one such block, else ""; several, or part of one, have no JSON between."""
        if data.startswith(self._lead) and data.endswith(self._tail) and len(data) <= EVENT_LIMIT_BYTES:
            try:
                piece = _decode_text(data[self._start : self._end])
            except ValueError:
                return ""
            self.chars += len(piece)
            return piece
        return ""


def _strings(parts: list[bytes]) -> list[str]:
    """Read what stands between the quotes of strings, up to the first that is none.

    All are read at once, as an array, where that surely gives the same: without backslashes, every quote in a part
    would make one string more.
    """
    strings: list[str] = []
    joined = b'","'.join(parts)
    try:
        if parts and b"\\" not in joined:
            strings = _decode_texts(b'["%b"]' % joined)
        if len(strings) != len(parts):
            strings = []
            for part in parts:
                strings.append(_decode_text(b'"%b"' % part))
    except ValueError:
        pass
    return strings


def piece_of(chunk: PlainChunk, kind: Kind) -> str | None:
    """Return the piece of this kind that a chunk says; None when it says something else as well, or nothing."""
    if chunk.usage or not chunk.choices or chunk.choices[0].finish_reason:
        return None
    delta = chunk.choices[0].delta
    said, thought = delta.content, delta.reasoning_content or delta.reasoning
    piece, other = (said, thought) if kind is TextDelta else (thought, said)
    return piece if piece and not other and not delta.tool_calls else None
