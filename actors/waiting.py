"""Those who wait for a permit, in the order in which they get one. Pure.

Interactive work goes before background work, and within each the first come is the first served. Background work
that has waited long enough is no longer passed over: from then on its turn counts as if it were interactive.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Urgency = Literal["interactive", "background"]
Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _Place(Generic[Item]):
    number: int
    since: float
    item: Item


class Waiting(Generic[Key, Item]):
    """A queue of two lanes, in which everybody can be found and taken out by a key."""

    def __init__(self) -> None:
        self._interactive: dict[Key, _Place[Item]] = {}
        self._background: dict[Key, _Place[Item]] = {}
        self._came = 0

    def __repr__(self) -> str:
        return f"<Waiting: {len(self._interactive)} interactive, {len(self._background)} background>"

    def __len__(self) -> int:
        return len(self._interactive) + len(self._background)

    def __iter__(self) -> Iterator[tuple[Key, Item]]:
        places = (*self._interactive.items(), *self._background.items())
        return iter([(key, place.item) for key, place in places])

    def add(self, key: Key, item: Item, urgency: Urgency, now: float) -> None:
        """Put somebody at the end of a lane."""
        lane = self._interactive if urgency == "interactive" else self._background
        self._came += 1
        lane[key] = _Place(self._came, now, item)

    def remove(self, key: Key) -> None:
        """Take somebody out, wherever they stand, if they still do."""
        self._interactive.pop(key, None)
        self._background.pop(key, None)

    def first(self, now: float, patience_s: float) -> tuple[Key, Item] | None:
        """Return whose turn it is; background work is passed over for `patience_s` at most."""
        background = next(iter(self._background.items()), None)
        interactive = next(iter(self._interactive.items()), None)
        if interactive is None or background is None:
            chosen = interactive or background
        else:
            is_due = now - background[1].since >= patience_s
            came_first = background[1].number < interactive[1].number
            chosen = background if is_due and came_first else interactive
        return None if chosen is None else (chosen[0], chosen[1].item)
