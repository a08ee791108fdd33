"""What `ucr-trio top` shows at the moment, and what its keys change. Pure."""

from collections import deque
from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]

MOST_RECENT = 500
SORTS = ("name", "per_s", "requests", "errors", "in_flight")
"""By what providers can be sorted: by name upwards, by numbers downwards."""

ESCAPE, ENTER, DELETE = "\x1b", "\n", "\x7f"


class Board:
    """The last statistics, and what happened lately. `typing` is the filter while it is typed, else None."""

    def __init__(self) -> None:
        self.statistics: Message = {}
        self.sort = SORTS[0]
        self.filter = ""
        self.typing: str | None = None
        self.errors_only = False
        self.is_paused = False
        self.trouble = ""
        self._recent: deque[Message] = deque(maxlen=MOST_RECENT)
        self._held: deque[Message] = deque(maxlen=MOST_RECENT)

    def __repr__(self) -> str:
        return f"<Board of {len(self._recent)} messages>"

    def take(self, message: Message) -> None:
        """Show a message of the live feed; while paused, keep it for later."""
        self.trouble = ""
        if self.is_paused:
            self._held.append(message)
        elif message.get("event") == "statistics":
            self.statistics = message
        else:
            self._recent.append(message)

    def press(self, key: str) -> bool:
        """Do what a key says; False ends the program."""
        if self.typing is not None:
            self._type(key, self.typing)
        elif key in ("q", "Q"):
            return False
        elif key == "s":
            self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        elif key == "e":
            self.errors_only = not self.errors_only
        elif key == "p":
            self._pause()
        elif key == "/":
            self.typing = self.filter
        elif key == ESCAPE:
            self.filter = ""
        return True

    def _type(self, key: str, typed: str) -> None:
        if key == ENTER:
            self.filter, self.typing = typed, None
        elif key == ESCAPE:
            self.typing = None
        elif key in (DELETE, "\x08"):
            self.typing = typed[:-1]
        elif key.isprintable():
            self.typing = typed + key

    def _pause(self) -> None:
        self.is_paused = not self.is_paused
        if not self.is_paused:
            held, self._held = self._held, deque(maxlen=MOST_RECENT)
            for message in held:
                self.take(message)

    def providers(self) -> list[tuple[str, Message]]:
        """Return the providers that pass the filter, sorted."""
        found = [
            (name, one) for name, one in self.statistics.get("providers", {}).items() if self._passes(name)
        ]
        if self.sort == "name":
            return sorted(found)
        return sorted(found, key=lambda pair: (-(pair[1].get(self.sort) or 0), pair[0]))

    def recent(self) -> list[Message]:
        """Return what happened lately and passes the filter, the youngest first."""
        return [one for one in reversed(self._recent) if self._shows(one)]

    def _shows(self, message: Message) -> bool:
        if self.errors_only and not is_trouble(message):
            return False
        return not self.filter or self._passes(" ".join(str(value) for value in message.values()))

    def _passes(self, text: str) -> bool:
        return self.filter.lower() in text.lower()


def is_trouble(message: Message) -> bool:
    """True for a request that failed, and for what the log warns of."""
    return bool(message.get("error_type")) or message.get("level") not in ("info", "debug", None)
