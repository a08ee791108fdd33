"""A cache: an actor that maps keys to bytes for a while.

How this works. Whoever finds nothing under a key gets a ticket to fill it. Others who look the key up
meanwhile wait inside the actor for what the filler stores, unless they say that they would rather not
(`joins=False`). A filler that has nothing to store forfeits, and the next one who waits becomes the filler; so
it goes when a fill takes longer than its deadline. The entries belong to the actor and die with it: a lost
entry is a miss. Only the numbers belong to the child, so that no total falls in a crash.

The cache is bounded by entries and by bytes, and so are those who wait: who finds no place among them is
told that the key is busy.

Beside the entries there are derived values, which nobody has to fill: whoever does not find one computes it, and
notes it. They take the room that entries leave of `max_total`.

A *backing* may stand behind (`actors/backing.py`). What is not here is then looked for there first, while those who
ask wait, and what is stored is written behind. Slow or gone, it is a miss.

Lookups and what is stored are taken in the task of whoever sends them, while nobody waits for a fill.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from typing import Any, assert_never

import trio

from actors.actor import ActorChild
from actors.backing import Backing
from actors.behind import Behind, BehindNumbers, BehindSpec
from actors.cache_spec import CacheNumbers, CacheSpec, CacheStatistics
from actors.lookup import (
    AwaitClear,
    Busy,
    CacheMessage,
    Clear,
    Expire,
    Fill,
    Forfeit,
    Found,
    Gone,
    Hit,
    Loaded,
    Lookup,
    Note,
    Recall,
    Store,
    Withdraw,
)
from actors.mailbox import Mailbox, Reply
from actors.shelf import Shelf
from actors.supervisor import received


@dataclass(slots=True, eq=False)
class _Loading:
    is_kept: bool = True
    waiting: list[tuple[Lookup, Reply[Found]]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Filling:
    key: bytes
    ticket: int
    deadline: float
    filler: str
    is_kept: bool = True
    waiting: dict[Reply[Found], str] = field(default_factory=dict)


class CacheActor:
    """One incarnation: the entries, and the loads and fills that are under way."""

    def __init__(self, cache: "Cache", behind: Behind | None = None) -> None:
        self._cache = cache
        self._behind = behind
        self._numbers = cache.numbers
        spec = cache.spec
        self._shelf = Shelf(spec.ttl_s, spec.max_entries, spec.max_bytes, trio.current_time)
        self._derived = Shelf(spec.derived_ttl_s, spec.max_total, spec.derived_bytes, trio.current_time)
        self._loading: dict[bytes, _Loading] = {}
        self._by_key: dict[bytes, _Filling] = {}
        self._by_ticket: dict[int, _Filling] = {}
        self._followed: set[int] = set()
        self._watching: dict[Reply[int], None] = {}

    def receive(self, message: CacheMessage, reply: Reply[Any]) -> None:
        match message:
            case Lookup():
                self._look_up(message, reply)
            case Store():
                self._store(message)
            case Forfeit(ticket=ticket):
                self._forfeit(ticket)
            case Gone(filler=filler):
                self._gone(filler)
            case Recall(key=key):
                reply.answer(self._recall(key))
            case Note(key=key, entry=entry):
                self._note(key, entry)
            case Clear():
                self._clear(message, reply)
            case AwaitClear(known=known):
                self._watch(known, reply)
            case Loaded():
                self._loaded(message)
            case Withdraw(key=key, reply=left):
                self._withdraw(key, left)
            case Expire():
                self._expire()
            case other:
                assert_never(other)

    def _look_up(self, lookup: Lookup, reply: Reply[Found], *, is_loaded: bool = False) -> None:
        stored = None if lookup.renews else self._shelf.get(lookup.key)
        filling = self._by_key.get(lookup.key)
        if stored is not None:
            self._numbers.hits += 1
            reply.answer(Hit(stored[0], trio.current_time() - stored[1]))
        elif filling is None or filling.deadline <= trio.current_time():
            if self._behind is None or self._behind.is_clearing or is_loaded or lookup.renews:
                self._let_fill(lookup.key, reply, filling, lookup.filler)
            else:
                self._load(self._behind, lookup, reply)
        elif not lookup.joins or len(filling.waiting) >= self._cache.spec.max_followers:
            self._turn_away(reply)
        else:
            self._let_wait(filling, reply, lookup.filler)

    def _turn_away(self, reply: Reply[Found]) -> None:
        self._numbers.busy += 1
        reply.answer(Busy())

    def _load(self, behind: Behind, lookup: Lookup, reply: Reply[Found]) -> None:
        """Let an asker wait for what the backing has."""
        loading = self._loading.get(lookup.key)
        if loading is None:
            loading = self._loading[lookup.key] = _Loading()
            behind.load(lookup.key)
        if len(loading.waiting) > self._cache.spec.max_followers:
            self._turn_away(reply)
        else:
            loading.waiting.append((lookup, reply))

    def _loaded(self, loaded: Loaded) -> None:
        """Give those who wait what was found; where nothing was, the first of them fills it."""
        key, found = loaded.key, loaded.found
        loading = self._loading.pop(key, None)
        if loading is None:  # it was looked for by an incarnation that has crashed
            return
        if found is None or not loading.is_kept:
            for lookup, reply in loading.waiting:
                if reply.is_open:
                    self._look_up(lookup, reply, is_loaded=True)
            return
        hit, tags = found
        if key not in self._by_key and self._shelf.get(key) is None:
            self._numbers.evicted += self._shelf.put(key, hit.entry, tags, hit.age_s) or 0
            self._fit()
        for _, reply in loading.waiting:
            if reply.answer(hit):
                self._numbers.hits += 1

    def _let_fill(self, key: bytes, reply: Reply[Found], before: _Filling | None, filler: str) -> None:
        """Give the asker a ticket; those who waited for a fill before wait for this one."""
        deadline = trio.current_time() + self._cache.spec.fill_s
        filling = _Filling(key, next(self._cache.tickets), deadline, filler)
        if not reply.answer(Fill(filling.ticket)):
            return
        self._numbers.misses += 1
        if before is not None:
            filling.waiting = before.waiting
            self._drop_ticket(before.ticket)
        self._by_key[key] = self._by_ticket[filling.ticket] = filling
        if filling.waiting:
            self._followed.add(filling.ticket)

    def _let_wait(self, filling: _Filling, reply: Reply[Found], filler: str) -> None:
        filling.waiting[reply] = filler
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

    def _store(self, store: Store) -> None:
        filling = self._taken(store.ticket)
        if filling is None:
            return
        for reply in filling.waiting:
            if reply.answer(Hit(store.entry, 0.0)):
                self._numbers.hits += 1
        if not (filling.is_kept and store.is_kept):
            return
        evicted = self._shelf.put(filling.key, store.entry, store.tags)
        if evicted is None:
            self._numbers.too_large += 1
            return
        self._numbers.stored += 1
        self._numbers.evicted += evicted
        self._fit()
        if self._behind is not None:
            self._behind.write(filling.key, store.entry, store.tags)

    def _recall(self, key: bytes) -> Hit | None:
        stored = self._derived.get(key)
        if stored is None:
            self._numbers.derived_misses += 1
            return None
        self._numbers.derived_hits += 1
        return Hit(stored[0], trio.current_time() - stored[1])

    def _note(self, key: bytes, entry: bytes) -> None:
        self._derived.put(key, entry)
        self._fit()

    def _fit(self) -> None:
        """Let derived values go until they and the entries are no more than there may be together."""
        while len(self._shelf) + len(self._derived) > self._cache.spec.max_total:
            if not self._derived.drop_oldest():
                return

    def _forfeit(self, ticket: int) -> None:
        filling = self._taken(ticket)
        if filling is not None:
            self._numbers.forfeited += 1
            self._promote(filling)

    def _gone(self, filler: str) -> None:
        for filling in [one for one in self._by_ticket.values() if one.filler == filler]:
            self._forfeit(filling.ticket)

    def _promote(self, filling: _Filling) -> None:
        """Let the next one who still waits fill the key."""
        while filling.waiting and filling.key not in self._by_key:
            reply = next(iter(filling.waiting))
            self._let_fill(filling.key, reply, filling, filling.waiting.pop(reply))

    def _expire(self) -> None:
        now = trio.current_time()
        for filling in [one for one in self._by_ticket.values() if one.deadline <= now]:
            self._taken(filling.ticket)
            self._promote(filling)

    def _clear(self, clear: Clear, reply: Reply[int]) -> None:
        for filling in self._by_ticket.values():
            filling.is_kept = False
        for loading in self._loading.values():
            loading.is_kept = False
        entries = self._shelf.clear(clear.tag)
        if clear.tag is None:
            self._derived.clear()
        if clear.spares_backing:
            self._cache.epoch += 1
            watching, self._watching = self._watching, {}
            for watcher in watching:
                watcher.answer(self._cache.epoch)
        if self._behind is None or clear.spares_backing:
            reply.answer(entries)
        else:
            self._behind.clear(clear.tag, reply, entries)

    def _watch(self, known: int, reply: Reply[int]) -> None:
        if known != self._cache.epoch:
            reply.answer(self._cache.epoch)
        else:
            self._watching[reply] = None
            reply.when_abandoned(lambda: self._watching.pop(reply, None))

    def due(self) -> float:
        """Return when the oldest fill is over its time, if anybody waits for a fill; else infinity.

        Tickets are given in the order of their deadlines.
        """
        return next(iter(self._by_ticket.values())).deadline if self._followed else math.inf

    def sizes(self) -> tuple[int, int, int, int, int]:
        """Return the numbers of entries, bytes, fills, those who wait for a fill, and derived values."""
        waiting = sum(len(filling.waiting) for filling in self._by_ticket.values())
        return len(self._shelf), self._shelf.size_bytes, len(self._by_ticket), waiting, len(self._derived)


class Cache(ActorChild[CacheMessage]):
    """The child: mailbox, tickets and numbers, round the incarnations of its actor.

    `first_ticket` keeps the tickets of a cache from being taken for those of one that stood in its place.
    """

    def __init__(
        self,
        spec: CacheSpec,
        name: str = "cache",
        *,
        capacity: int = 4096,
        first_ticket: int = 1,
        backing: Backing | None = None,
    ) -> None:
        mailbox: Mailbox[CacheMessage] = Mailbox(name, capacity=capacity)
        super().__init__(mailbox, lambda: CacheActor(self))
        self.spec = spec
        self.backing = backing
        self.behind_numbers = BehindNumbers()
        self.epoch = 0
        self.tickets: Iterator[int] = count(first_ticket)
        self.numbers = CacheNumbers()
        self._actor: CacheActor | None = None

    async def run(self) -> None:
        """Run one incarnation."""
        if self.backing is None:
            await self._serve(CacheActor(self))
            return
        spec = BehindSpec(self.spec.ttl_s, self.spec.backing_s, self.spec.write_s, self.spec.writing_bytes)
        async with trio.open_nursery() as nursery:
            behind = Behind(self.backing, spec, self.behind_numbers, nursery, self.ref.tell)
            await self._serve(CacheActor(self, behind))

    async def _serve(self, actor: CacheActor) -> None:
        """Hand everything to the actor, and tell it when a fill that somebody waits for takes too long."""
        self._actor = actor
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
        sizes = (0, 0, 0, 0, 0) if self._actor is None else self._actor.sizes()
        entries, size_bytes, filling, waiting, derived = sizes
        return CacheStatistics(
            entries=entries,
            bytes=size_bytes,
            filling=filling,
            waiting=waiting,
            derived=derived,
            **asdict(self.numbers),
            **asdict(self.behind_numbers),
        )
