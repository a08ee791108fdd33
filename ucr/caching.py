"""Answers that are given again: where they are looked for, who may bring one, and the cache failing open.

There are two tiers. The hot one (`actors/hot.py`) is in this process and is asked without waiting; behind it is the
cache's actor, of this worker or of the store process. What the actor has is promoted to the hot tier. Only complete
answers without tool use are kept (`ucr/kept.py`), under a key of everything they depend on (`ucr/cache_key.py`);
streams if the configuration says so. Whatever goes wrong with the cache, its slowness included, is a miss.
"""

from typing import Literal

import trio

from actors import ActorError, Busy, CacheMessage, Clear, Fill, Hit, Hot, Lookup, Note, Recall, Ref, Ticket
from ucr import kept as keeping
from ucr.budget import Budget
from ucr.cache_key import Keys
from ucr.config.model import Cache as CacheConfig
from ucr.dialects.roles import Headers, Request
from ucr.kept import Kept
from ucr.patience import Patience
from ucr.pressure import Pressure
from ucr.record import Record
from ucr.routing import Candidate
from ucr.stream_copy import COPIES_BYTES, StreamCopy

CacheRef = Ref[CacheMessage]
CacheUse = Literal["hit", "miss", "bypass", "coalesced"]
Wish = Literal["use", "renew", "nothing"]
HotTier = Hot["Aged | int"]

LOOKUP_S = 0.05
CLEAR_S = 1.0
LARGEST_REQUEST_BYTES = 4 * 1024 * 1024
"""The digest of a larger request would take longer than others should wait."""

LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
"""A larger answer is not brought to the actor, which may be another process: it would hold up all others."""

COUNT_TTL_S = 600.0
_NUMBER_BYTES = 28


class Aged:
    """An answer of the hot tier, and since when it has been kept."""

    __slots__ = ("kept", "since_s")

    def __init__(self, kept: Kept, since_s: float) -> None:
        self.kept = kept
        self.since_s = since_s

    def __repr__(self) -> str:
        return f"<Aged {len(self.kept.body)} bytes since {self.since_s}>"


class Answers:
    """The cache as requests see it. `secret` keys the digests: nobody outside can make two requests meet.

    Under `pressure` answers are given again, but none is kept.
    """

    def __init__(
        self,
        ref: CacheRef,
        secret: bytes,
        config: CacheConfig,
        hot: HotTier,
        pressure: Pressure | None = None,
    ) -> None:
        self.ref = ref
        self.keys = Keys(secret)
        self.hot = hot
        self._ttl_s = config.ttl_s
        self._streams = config.streams
        self.coalesces = config.coalesce
        self._pressure = pressure
        self._copies = Budget(COPIES_BYTES)

    def __repr__(self) -> str:
        return f"<Answers in {self.hot!r} and {self.ref!r}>"

    @property
    def _is_tight(self) -> bool:
        return self._pressure is not None and self._pressure.is_tight

    async def find(
        self,
        request: Request,
        choices: tuple[Candidate, ...],
        record: Record,
        patience: Patience | None = None,
    ) -> "Place":
        """Look for an answer; the place is to be used in a `with` at once.

        With `patience` one waits for a whole answer that is being made for a request of its kind, wherever that is.
        Without it, a second request does not wait for the first one, and brings nothing back.
        """
        if request.stream and not self._streams:
            return Place(record)
        wish = wish_of(request.headers)
        if wish == "nothing" or len(request.raw) > LARGEST_REQUEST_BYTES:
            return Place(record)
        record.cache = "miss"
        key = self.keys.of(request, choices, record.client or "")
        if wish == "use" and isinstance(found := self.hot.get(key), Aged):
            return _hit(found, record)
        may_join = self.coalesces and wish == "use" and not request.stream
        return await self._look_up(key, request, record, patience if may_join else None, wish == "renew")

    async def _look_up(
        self, key: bytes, request: Request, record: Record, patience: Patience | None, renews: bool
    ) -> "Place":
        """Ask the actor, and keep at hand what it has."""
        epoch = self.hot.epoch
        try:
            lookup = Lookup(key, joins=False, renews=renews)
            found = await self.ref.ask(lookup, deadline=trio.current_time() + LOOKUP_S)
            if isinstance(found, Busy) and patience is not None:
                with patience.wait():
                    found = await self.ref.ask(Lookup(key))
                if isinstance(found, Hit):
                    return _shared(found, record)
        except ActorError:
            return Place(record)
        if isinstance(found, Hit) and (kept := keeping.read(found.entry)) is not None:
            aged = Aged(kept, trio.current_time() - found.age_s)
            if not self._is_tight:
                until = aged.since_s + self._ttl_s
                self.hot.put(key, aged, len(found.entry), until, epoch, kept.tags)
            return _hit(aged, record)
        if not isinstance(found, Fill):
            return Place(record)
        place = Place(record, filling=(self, key, Ticket(self.ref, found.ticket)))
        if self._is_tight:
            place.give_up()
        elif request.stream:
            place.copy = StreamCopy(self._copies)
        return place

    async def count(self, key: bytes) -> int | None:
        """Return a number of tokens that was noted under this key."""
        number = self.hot.get(key)
        if isinstance(number, int):
            return number
        epoch = self.hot.epoch
        try:
            found = await self.ref.ask(Recall(key), deadline=trio.current_time() + LOOKUP_S)
        except ActorError:
            return None
        if found is None or not found.entry.isdigit():
            return None
        self._keep_number(key, int(found.entry), COUNT_TTL_S - found.age_s, epoch)
        return int(found.entry)

    def note_count(self, key: bytes, tokens: int) -> None:
        """Keep a number of tokens for whoever counts the same again."""
        if not self._is_tight:
            self.ref.tell(Note(key, str(tokens).encode()))
            self._keep_number(key, tokens, COUNT_TTL_S, self.hot.epoch)

    def _keep_number(self, key: bytes, tokens: int, ttl_s: float, epoch: int) -> None:
        self.hot.put(key, tokens, _NUMBER_BYTES, trio.current_time() + ttl_s, epoch)

    async def clear(self, tag: str | None = None) -> int:
        """Forget what has this tag, or everything; return how many answers it were, 0 when nobody says."""
        self.hot.clear(tag)
        entries = 0
        try:
            entries = await self.ref.ask(Clear(tag), deadline=trio.current_time() + CLEAR_S)
        except ActorError:
            pass
        finally:
            self.hot.clear(tag)
        return entries


async def find(
    answers: Answers | None,
    request: Request,
    choices: tuple[Candidate, ...],
    record: Record,
    patience: Patience,
) -> "Place":
    """Look for an answer where there is a cache; without one every request goes past it."""
    return Place(record) if answers is None else await answers.find(request, choices, record, patience)


async def clear(answers: Answers | None, tag: str | None = None) -> int:
    """Empty the cache, or forget what has a tag; return how many answers it were, 0 without a cache."""
    return 0 if answers is None else await answers.clear(tag)


class Place:
    """The place of one request in the cache: an answer that is there, the right to bring one, or neither.

    A stream that may be kept is copied into `copy` while it is delivered.
    """

    def __init__(
        self,
        record: Record,
        *,
        found: Aged | None = None,
        filling: tuple[Answers, bytes, Ticket] | None = None,
    ) -> None:
        self.kept = None if found is None else found.kept
        self.age_s = 0.0 if found is None else trio.current_time() - found.since_s
        self.copy: StreamCopy | None = None
        self._record = record
        self._filling = filling

    def __repr__(self) -> str:
        return f"<Place {self._record.cache}>"

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def give_up(self) -> None:
        """Bring what is to be kept, or leave the right to bring it to another one."""
        filling, self._filling = self._filling, None
        if filling is not None:
            with filling[2]:
                pass
        if self.copy is not None:
            self.copy.give_up()

    def keep(self, body: bytes | None) -> None:
        """Keep the answer that was delivered, if it may be given again; else give it to those alone who wait."""
        if self._filling is None or body is None:
            return
        record = self._record
        answers, key, ticket = self._filling
        ticket.is_kept = keeping.may_keep(record, body)
        if ticket.is_kept or (answers.coalesces and not record.stream):
            kept = keeping.kept_of(record, body)
            if len(body) <= LARGEST_ANSWER_BYTES:
                ticket.entry, ticket.tags = keeping.written(kept), kept.tags
            answers.hot.drop(key)


def _hit(found: Aged, record: Record) -> Place:
    found.kept.note(record)
    return Place(record, found=found)


def _shared(found: Hit, record: Record) -> Place:
    """Give an answer that was being made for another request; it may be one that is not kept."""
    kept = keeping.read(found.entry)
    if kept is None:
        return Place(record)
    kept.note(record)
    record.cache = "coalesced"
    return Place(record, found=Aged(kept, trio.current_time()))


def wish_of(headers: Headers) -> Wish:
    """Return what a request wants of a cache: its answer from there, a new one to be put there, or nothing."""
    said = headers.get("cache-control")
    if said is None:
        return "use"
    words = {word.strip() for word in said.lower().split(",")}
    return "nothing" if "no-store" in words else "renew" if "no-cache" in words else "use"
