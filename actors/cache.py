"""A cache: an actor that maps keys to bytes for a while.

How this works. Whoever finds nothing under a key gets a ticket to fill it. Others who look the key up
meanwhile wait inside the actor for what the filler stores, unless they say that they would rather not
(`joins=False`). A filler that has nothing to store forfeits, and the next one who waits becomes the filler; so
it goes when a fill takes longer than its deadline. The entries belong to the actor and die with it: a lost
entry is a miss. Only the numbers belong to the child, so that no total falls in a crash.

The cache is bounded by entries and by bytes, and so are those who wait: who finds no place among them is
told that the key is busy.

Lookups and what is stored are taken in the task of whoever sends them, while nobody waits for a fill.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, assert_never

import trio

from actors.actor import ActorChild
from actors.mailbox import Mailbox, Reply
from actors.ref import Question, Ref
from actors.shelf import Shelf
from actors.supervisor import received


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
    """Ask for what is stored under a key. With `joins` the asker waits for a fill that is under way."""

    key: bytes
    joins: bool = True


@dataclass(frozen=True, slots=True)
class Store:
    """Keep this for whoever asks next, and answer those who wait for it."""

    ticket: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Forfeit:
    """There is nothing to store."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Clear(Question[int]):
    """Forget every entry, and keep nothing of the fills that are under way. Answered with their number."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Somebody who waited for a fill has left."""

    key: bytes
    reply: Reply[Found]


@dataclass(frozen=True, slots=True)
class Expire:
    """It is time to look for fills that take too long."""


CacheMessage = Lookup | Store | Forfeit | Clear | Withdraw | Expire
CACHE_MESSAGES: tuple[type, ...] = (Lookup, Store, Forfeit, Clear, Hit, Fill, Busy)
"""Everything that is said to a cache, and that it says: what a bridge's codec must know."""


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """`fill_s` is how long a fill may take before another asker may try; `max_followers` wait for one at most."""

    ttl_s: float = 300.0
    max_entries: int = 1000
    max_bytes: int = 50 * 1024 * 1024
    fill_s: float = 120.0
    max_followers: int = 256


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """`busy` counts askers that were sent away from a running fill, `late` stores whose ticket had lapsed."""

    entries: int
    bytes: int
    filling: int
    waiting: int
    hits: int
    misses: int
    busy: int
    stored: int
    evicted: int
    too_large: int
    forfeited: int
    late: int


@dataclass(slots=True)
class _Numbers:
    """The counts that survive a crash."""

    hits: int = 0
    misses: int = 0
    busy: int = 0
    stored: int = 0
    evicted: int = 0
    too_large: int = 0
    forfeited: int = 0
    late: int = 0


@dataclass(slots=True, eq=False)
class _Filling:
    key: bytes
    ticket: int
    deadline: float
    is_kept: bool = True
    waiting: dict[Reply[Found], None] = field(default_factory=dict)


class CacheActor:
    """One incarnation: the entries, and the fills that are under way."""

    def __init__(self, cache: "Cache") -> None:
        self._cache = cache
        self._numbers = cache.numbers
        spec = cache.spec
        self._shelf = Shelf(spec.ttl_s, spec.max_entries, spec.max_bytes, trio.current_time)
        self._by_key: dict[bytes, _Filling] = {}
        self._by_ticket: dict[int, _Filling] = {}
        self._followed: set[int] = set()

    def receive(self, message: CacheMessage, reply: Reply[Any]) -> None:
        match message:
            case Lookup():
                self._look_up(message, reply)
            case Store(ticket=ticket, entry=entry):
                self._store(ticket, entry)
            case Forfeit(ticket=ticket):
                self._forfeit(ticket)
            case Clear():
                reply.answer(self._clear())
            case Withdraw(key=key, reply=left):
                self._withdraw(key, left)
            case Expire():
                self._expire()
            case other:
                assert_never(other)

    def _look_up(self, lookup: Lookup, reply: Reply[Found]) -> None:
        stored = self._shelf.get(lookup.key)
        filling = self._by_key.get(lookup.key)
        if stored is not None:
            self._numbers.hits += 1
            reply.answer(Hit(stored[0], trio.current_time() - stored[1]))
        elif filling is None or filling.deadline <= trio.current_time():
            self._let_fill(lookup.key, reply, filling)
        elif not lookup.joins or len(filling.waiting) >= self._cache.spec.max_followers:
            self._numbers.busy += 1
            reply.answer(Busy())
        else:
            self._let_wait(filling, reply)

    def _let_fill(self, key: bytes, reply: Reply[Found], before: _Filling | None) -> None:
        """Give the asker a ticket; those who waited for a fill before wait for this one."""
        filling = _Filling(key, next(self._cache.tickets), trio.current_time() + self._cache.spec.fill_s)
        if not reply.answer(Fill(filling.ticket)):
            return
        self._numbers.misses += 1
        if before is not None:
            filling.waiting = before.waiting
            self._drop_ticket(before.ticket)
        self._by_key[key] = self._by_ticket[filling.ticket] = filling
        if filling.waiting:
            self._followed.add(filling.ticket)

    def _let_wait(self, filling: _Filling, reply: Reply[Found]) -> None:
        filling.waiting[reply] = None
        reply.when_abandoned(lambda: self._cache.ref.tell(Withdraw(filling.key, reply)))
        self._followed.add(filling.ticket)

    def _withdraw(self, key: bytes, reply: Reply[Found]) -> None:
        filling = self._by_key.get(key)
        if filling is not None:
            filling.waiting.pop(reply, None)
            if not filling.waiting:
                self._followed.discard(filling.ticket)

    def _drop_ticket(self, ticket: int) -> _Filling | None:
        self._followed.discard(ticket)
        return self._by_ticket.pop(ticket, None)

    def _taken(self, ticket: int) -> _Filling | None:
        """Return the fill of a ticket, which is over now; None, and one more late, when it had lapsed."""
        filling = self._drop_ticket(ticket)
        if filling is None:
            self._numbers.late += 1
            return None
        del self._by_key[filling.key]
        return filling

    def _store(self, ticket: int, entry: bytes) -> None:
        filling = self._taken(ticket)
        if filling is None:
            return
        for reply in filling.waiting:
            if reply.answer(Hit(entry, 0.0)):
                self._numbers.hits += 1
        if not filling.is_kept:
            return
        evicted = self._shelf.put(filling.key, entry)
        if evicted is None:
            self._numbers.too_large += 1
        else:
            self._numbers.stored += 1
            self._numbers.evicted += evicted

    def _forfeit(self, ticket: int) -> None:
        filling = self._taken(ticket)
        if filling is not None:
            self._numbers.forfeited += 1
            self._promote(filling)

    def _promote(self, filling: _Filling) -> None:
        """Let the next one who still waits fill the key."""
        while filling.waiting and filling.key not in self._by_key:
            reply = next(iter(filling.waiting))
            del filling.waiting[reply]
            self._let_fill(filling.key, reply, filling)

    def _expire(self) -> None:
        now = trio.current_time()
        for filling in [one for one in self._by_ticket.values() if one.deadline <= now]:
            self._taken(filling.ticket)
            self._promote(filling)

    def _clear(self) -> int:
        for filling in self._by_ticket.values():
            filling.is_kept = False
        return self._shelf.clear()

    def due(self) -> float:
        """Return when the oldest fill is over its time, if anybody waits for a fill; else infinity.

        Tickets are given in the order of their deadlines.
        """
        return next(iter(self._by_ticket.values())).deadline if self._followed else math.inf

    def sizes(self) -> tuple[int, int, int, int]:
        """Return the numbers of entries, bytes, fills and those who wait."""
        waiting = sum(len(filling.waiting) for filling in self._by_ticket.values())
        return len(self._shelf), self._shelf.size_bytes, len(self._by_ticket), waiting


class Cache(ActorChild[CacheMessage]):
    """The child: mailbox, tickets and numbers, round the incarnations of its actor.

    `first_ticket` keeps the tickets of a cache from being taken for those of one that stood in its place.
    """

    def __init__(
        self, spec: CacheSpec, name: str = "cache", *, capacity: int = 4096, first_ticket: int = 1
    ) -> None:
        mailbox: Mailbox[CacheMessage] = Mailbox(name, capacity=capacity)
        super().__init__(mailbox, lambda: CacheActor(self))
        self.spec = spec
        self.tickets: Iterator[int] = count(first_ticket)
        self.numbers = _Numbers()
        self._actor: CacheActor | None = None

    async def run(self) -> None:
        """Run one incarnation, and tell it when a fill that somebody waits for takes too long."""
        actor = self._actor = CacheActor(self)
        while True:
            due = actor.due()
            if due == math.inf:
                actor.receive(*await self.mailbox.take(partial(self._at_once, actor)))
                continue
            with trio.CancelScope(deadline=due) as scope:
                message, reply = await self.mailbox.take()
            if scope.cancelled_caught:
                self.ref.tell(Expire())
            else:
                actor.receive(message, reply)

    def _at_once(self, actor: CacheActor, message: CacheMessage, reply: Reply[Any]) -> Exception | None:
        """Take a message in the task of its sender, and wake the loop when there is a fill to watch now."""
        error = received(actor.receive, message, reply)
        if error is None and actor.due() != math.inf:
            self.ref.tell(Expire())
        return error

    def crashed(self, error: BaseException | None) -> None:
        """Fail the asks in hand, and forget the entries."""
        super().crashed(error)
        self._actor = None

    def statistics(self) -> CacheStatistics:
        """Return the sizes of now and the counts since the cache was made."""
        n = self.numbers
        sizes = (0, 0, 0, 0) if self._actor is None else self._actor.sizes()
        return CacheStatistics(
            *sizes, n.hits, n.misses, n.busy, n.stored, n.evicted, n.too_large, n.forfeited, n.late
        )


class Ticket:
    """The right to fill a key, in a plain `with`: without an `entry` at its end the fill is forfeited."""

    __slots__ = ("_number", "_ref", "entry")

    def __init__(self, ref: Ref[CacheMessage], number: int) -> None:
        self._ref = ref
        self._number = number
        self.entry: bytes | None = None

    def __repr__(self) -> str:
        return f"<Ticket {self._number} of {self._ref.name!r}>"

    def __enter__(self) -> "Ticket":
        return self

    def __exit__(self, *_: object) -> None:
        if self.entry is None:
            self._ref.tell(Forfeit(self._number))
        else:
            self._ref.tell(Store(self._number, self.entry))
