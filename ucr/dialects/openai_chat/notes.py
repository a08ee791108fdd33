"""What building a request changed or lost, for the client to read in a header."""

import re

from msgspec import Struct, field

NAME_CHARS = 40
NOTES_LIMIT = 24

_UNSAFE = re.compile(r"[^A-Za-z0-9_.:/-]+")


class Notes(Struct, eq=False):
    """Short English phrases without repetition, fit for a header: ASCII, no commas and no semicolons."""

    _phrases: dict[str, None] = field(default_factory=dict)

    def add(self, phrase: str) -> None:
        """Keep a phrase; names in it that come from outside go through `name` first."""
        if len(self._phrases) < NOTES_LIMIT:
            self._phrases[phrase] = None

    def dropped(self, what: str) -> None:
        """Keep that something of the request did not reach the provider."""
        self.add(f"dropped {name(what)}")

    @property
    def phrases(self) -> tuple[str, ...]:
        return tuple(self._phrases)


def name(text: str) -> str:
    """Return a name from outside as it may stand in a note."""
    return _UNSAFE.sub("_", text)[:NAME_CHARS] or "_"
