"""What a virtual client makes of the answer to its prompt: the words, the grammar, and how it ended. Sans I/O.

Each dialect of clients is read as the events of the router's own grammar, whose rules are then the same for all.
"""

from ucr.events import BlockDelta, Event, Failed, TextDelta
from ucr.stress.grammar import Grammar
from ucr.stress.hearing import cut_of, hearing_of
from ucr.stress.words import text_of


class StreamReader:
    """Reads a client's stream; `problem` is the first thing that is wrong with it, None while nothing is."""

    def __init__(self, dialect: str, tag: str) -> None:
        self.problem: str | None = None
        self.has_failed = False
        self.is_whole = False
        self._expected = text_of(tag)
        self._at = 0
        self._events = hearing_of(dialect)
        self._cut = cut_of(dialect)
        self._grammar = Grammar()

    def feed(self, data: bytes) -> None:
        """Read what has come."""
        for name, said in self._cut(data):
            for event in self._events.read(name, said):
                self._read(event)

    def close(self) -> None:
        """Say that the answer is at its end."""
        self.is_whole = not self.has_failed
        found = self._grammar.close(is_whole=True)
        if not self.has_failed and self._at != len(self._expected):
            found.append(f"{self._at} of {len(self._expected)} characters came")
        self._note(found)

    def _read(self, event: Event) -> None:
        if isinstance(event, Failed):
            self.has_failed = True
        elif isinstance(event, BlockDelta) and isinstance(event.delta, TextDelta):
            text = event.delta.text
            if not self._expected.startswith(text, self._at):
                self._note([f"another text: {text[:60]!r} at {self._at} of {self._expected[:40]!r}"])
            self._at += len(text)
        self._grammar.read(event)
        self._note(self._grammar.found)

    def _note(self, found: list[str]) -> None:
        if found and self.problem is None:
            self.problem = found[0]
