"""The output of one response while it is written: its items so far, and the numbers of its events."""

from collections.abc import Callable

from ucr import jsontext, sse
from ucr.dialects.openai_chat.delta import HELD_LIMIT_CHARS
from ucr.errors import UpstreamError
from ucr.jsontext import JsonObject


class Output:
    """Numbers events and keeps items; `stem` is what their ids are made of."""

    def __init__(self, stem: str) -> None:
        self.items: list[JsonObject] = []
        self._stem = stem
        self._sequence = 0
        self._held_chars = 0

    @property
    def sequence(self) -> int:
        """The number of the next event."""
        return self._sequence

    def new_id(self, prefix: str) -> str:
        """Return the id of the item that begins now."""
        return f"{prefix}_{self._stem}_{len(self.items)}"

    def event(self, kind: str, **fields: object) -> bytes:
        """Write an event."""
        value = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return sse.encode(jsontext.dumps(value), kind)

    def added(self, item: JsonObject) -> bytes:
        """Write that an item begins."""
        return self.event("response.output_item.added", output_index=len(self.items), item=item)

    def done(self, item: JsonObject) -> bytes:
        """Write that an item has ended, and keep it."""
        written = self.event("response.output_item.done", output_index=len(self.items), item=item)
        self.items.append(item)
        return written

    def deltas(self, kind: str, **fields: object) -> Callable[[str], bytes]:
        """Return what writes the pieces of one part, of which each is kept once more by whoever writes it.

        What is the same in all of them is written once, since this runs for every token.
        """
        same = jsontext.dumps({"type": kind, **fields})[:-1]
        head = b"event: %b\ndata: %b," % (kind.encode(), same)

        def delta(piece: str) -> bytes:
            self.hold(len(piece))
            number, self._sequence = self._sequence, self._sequence + 1
            return b'%b"delta":%b,"sequence_number":%d}\n\n' % (head, jsontext.dumps_text(piece), number)

        return delta

    def hold(self, chars: int) -> None:
        """Count what is kept for the last event; raise `UpstreamError` when it is too much."""
        self._held_chars += chars
        if self._held_chars > HELD_LIMIT_CHARS:
            why = "the answer is longer than UCR can say once more at its end"
            raise UpstreamError("api_error", why, fault="protocol")
