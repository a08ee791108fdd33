"""What is said to a cache, and what it says. Pure data, most of which travels between processes."""

from dataclasses import dataclass

from actors.mailbox import Reply
from actors.ref import Question


@dataclass(frozen=True, slots=True)
class Hit:
    """`entry` was stored `age_s` seconds ago."""

    entry: bytes
    age_s: float


@dataclass(frozen=True, slots=True)
class Fill:
    """Nothing is there: compute it, then tell `Store` or `Forfeit` with this ticket."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody fills this key already, and the asker does not or cannot wait for it."""


Found = Hit | Fill | Busy


@dataclass(frozen=True, slots=True)
class Lookup(Question[Found]):
    """Ask for what is stored under a key. With `joins` the asker waits for a fill that is under way.

    With `renews` he wants nothing that is stored, but to store something new in its place. `filler` is the name of
    those with whom he would be gone; see `Gone`.
    """

    key: bytes
    joins: bool = True
    renews: bool = False
    filler: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """Keep this for whoever asks next, and answer those who wait for it. `Clear` knows it by its tags.

    What is not to be kept answers those who wait, and nobody else.
    """

    ticket: int
    entry: bytes
    tags: tuple[str, ...] = ()
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class Forfeit:
    """There is nothing to store."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Gone:
    """All those are gone who asked under this name: what they were to fill is forfeited."""

    filler: str


@dataclass(frozen=True, slots=True)
class Recall(Question[Hit | None]):
    """Ask for a derived value: one that anybody could compute anew, so that nobody has to fill it."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """Keep a derived value."""

    key: bytes
    entry: bytes


@dataclass(frozen=True, slots=True)
class Clear(Question[int]):
    """Forget the entries that have this tag, or everything, and keep nothing of the fills that are under way.

    What stands in a backing is forgotten as well, unless `spares_backing`. Answered with how many entries it were.
    """

    tag: str | None = None
    spares_backing: bool = False


@dataclass(frozen=True, slots=True)
class AwaitClear(Question[int]):
    """Ask to be told when entries were forgotten because somebody else has cleared what stands behind the cache.

    Answered with a number as soon as it is another one than `known`: then whatever was copied from here is old.
    """

    known: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Somebody who waited for a fill has left."""

    key: bytes
    reply: Reply[Found]


@dataclass(frozen=True, slots=True)
class Expire:
    """It is time to look for fills that take too long."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The backing has answered what those who look a key up are to get: a hit, or nothing."""

    key: bytes
    found: tuple[Hit, tuple[str, ...]] | None


CacheMessage = Lookup | Store | Forfeit | Gone | Recall | Note | Clear | AwaitClear | Withdraw | Expire | Loaded
CACHE_MESSAGES: tuple[type, ...] = (
    Lookup,
    Store,
    Forfeit,
    Recall,
    Note,
    Clear,
    AwaitClear,
    Hit,
    Fill,
    Busy,
)
"""Everything that is said to a cache, and that it says: what a bridge's codec must know."""
