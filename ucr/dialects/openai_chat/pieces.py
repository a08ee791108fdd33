"""The pieces of text or reasoning that chunk after chunk of a stream brings, and nothing else.

How this works: the chunks of one stream differ in nothing but the piece, a JSON string with the same bytes before it
and after it. These two are the *frame* of the stream. It is found in a chunk that was read whole, and proved by
reading that chunk again with another string in the place of the piece: JSON in which one string may stand takes any
other string there. A chunk within the frame is then read by reading the string alone, in a third of the time. Some
providers put something that changes into each chunk; after a few tries no frame is looked for any longer.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from msgspec.json import Decoder

from ucr.dialects.openai_chat.plain import Kind, PlainChunk, plain_chunk
from ucr.events import TextDelta, ThinkingDelta

LONGEST_BYTES = 2048
"""A frame is not taken from a longer chunk: each stream keeps its own."""

TRIES = 3

_PLACES: Mapping[Kind, re.Pattern[bytes]] = MappingProxyType(
    {
        TextDelta: re.compile(rb'"content"\s*:\s*("(?:[^"\\]|\\.)*+")'),
        ThinkingDelta: re.compile(rb'"reasoning(?:_content)?"\s*:\s*("(?:[^"\\]|\\.)*+")'),
    }
)
_PROBE = "another"
_decode_text = Decoder(str).decode


class PieceReader:
    """Reads the pieces of one kind in one stream."""

    __slots__ = ("_after", "_before", "_start", "_stop", "_tries", "kind")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._before = self._after = b""
        self._start = self._stop = 0
        self._tries = TRIES

    def __repr__(self) -> str:
        return f"<PieceReader of {self.kind.__name__} between {self._before!r} and {self._after!r}>"

    def read(self, lines: list[bytes], at: int) -> tuple[list[str], PlainChunk | None]:
        """Return what the chunks from `at` say, as far as each says a piece of this kind and nothing else.

        With it comes the first chunk that says something else, where that is plain.
        """
        pieces: list[str] = []
        before, after, start, stop = self._before, self._after, self._start, self._stop
        for line in lines[at:] if at else lines:
            if start and line.startswith(before) and line.endswith(after):
                try:
                    piece = _decode_text(line[start:stop])
                except ValueError:
                    piece = ""
                if piece:
                    pieces.append(piece)
                    continue
            chunk = plain_chunk(line)
            found = None if chunk is None else piece_of(chunk, self.kind)
            if found is None:
                return pieces, chunk
            pieces.append(found)
            if self._tries:
                self._look_for_frame(line)
                before, after, start, stop = self._before, self._after, self._start, self._stop
        return pieces, None

    def _look_for_frame(self, line: bytes) -> None:
        """Find the frame of a chunk that says a piece and nothing else."""
        self._tries -= 1
        place = _PLACES[self.kind].search(line) if len(line) <= LONGEST_BYTES else None
        if place is None:
            return
        before, after = line[: place.start(1)], line[place.end(1) :]
        chunk = plain_chunk(b'%b"%b"%b' % (before, _PROBE.encode(), after))
        if chunk is not None and piece_of(chunk, self.kind) == _PROBE:
            self._before, self._after, self._start, self._stop = before, after, len(before), -len(after)


def piece_of(chunk: PlainChunk, kind: Kind) -> str | None:
    """Return the piece of this kind that a chunk says; None when it says something else as well, or nothing."""
    if chunk.usage or not chunk.choices or chunk.choices[0].finish_reason:
        return None
    delta = chunk.choices[0].delta
    said, thought = delta.content, delta.reasoning_content or delta.reasoning
    piece, other = (said, thought) if kind is TextDelta else (thought, said)
    return piece if piece and not other and not delta.tool_calls else None
