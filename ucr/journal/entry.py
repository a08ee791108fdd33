"""An entry of the journal, and what is said to the actor that keeps it. Pure data that travels."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from msgspec import Struct

from ucr.usage import Received

BASE_BYTES = 200


class Entry(Struct, frozen=True, gc=False):
    """One request. `at_s` is the Unix time of its end.

    `account` is a JSON object: the fields of `request.finished`, and `considered`, `tried` and `notes`. With bodies
    there are `path`, `query` and `headers` too, and `cut` names those of the bodies that are not whole.
    """

    at_s: float
    request_id: str
    provider: str
    status: int
    is_error: bool
    account: str
    request: str | None = None
    answer: str | None = None

    @property
    def size_bytes(self) -> int:
        """About what it takes, in memory and in the file."""
        size_bytes = BASE_BYTES + len(self.account)
        if self.request is not None:
            size_bytes += len(self.request)
        return size_bytes if self.answer is None else size_bytes + len(self.answer)


_SIZE_BYTES = attrgetter("size_bytes")


def size_of(entries: Iterable[Entry]) -> int:
    """Return about how many bytes entries take."""
    return sum(map(_SIZE_BYTES, entries))


@dataclass(frozen=True, slots=True)
class Noted:
    """So many requests have ended; to be offered."""

    entries: tuple[Entry, ...]


JournalMessage = Noted | Received
