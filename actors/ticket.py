"""The right to fill a key of a cache."""

from actors.lookup import CacheMessage, Forfeit, Store
from actors.ref import Ref


class Ticket:
    """The right to fill a key, in a plain `with`: without an `entry` at its end the fill is forfeited.

    With `is_kept` False the entry is for those alone who wait for it.
    """

    __slots__ = ("_number", "_ref", "entry", "is_kept", "tags")

    def __init__(self, ref: Ref[CacheMessage], number: int) -> None:
        self._ref = ref
        self._number = number
        self.entry: bytes | None = None
        self.tags: tuple[str, ...] = ()
        self.is_kept = True

    def __repr__(self) -> str:
        return f"<Ticket {self._number} of {self._ref.name!r}>"

    def __enter__(self) -> "Ticket":
        return self

    def __exit__(self, *_: object) -> None:
        if self.entry is None:
            self._ref.tell(Forfeit(self._number))
        else:
            self._ref.tell(Store(self._number, self.entry, self.tags, self.is_kept))
