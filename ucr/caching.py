"""Answers that are given again: where they are looked for, who may bring one, and the cache failing open.

There are two tiers. The hot one (`actors/hot.py`) is in this process and is asked without waiting; behind it is the
cache's actor, of this worker or of the store process. What the actor has is promoted to the hot tier. Only complete
answers without tool use are kept (`ucr/kept.py`), under a key of everything they depend on (`ucr/cache_key.py`);
streams if the configuration says so. Whatever goes wrong with the cache, its slowness included, is a miss.
"""

from dataclasses import dataclass
from typing import Literal

import trio

from actors import (
    ActorError,
    Busy,
    CacheMessage,
    Clear,
    Fill,
    Hit,
    Hot,
    Lookup,
    Note,
    Recall,
    Ref,
    Ticket,
)
from ucr import kept as keeping
from ucr.brief import Brief
from ucr.budget import Budget
from ucr.cache_key import Keys
from ucr.config.model import Cache as CacheConfig
from ucr.dialects.roles import Headers, Request
from ucr.kept import Kept
from ucr.patience import Patience
from ucr.pressure import Pressure
from ucr.record import Record
from ucr.repeats import Repeats
from ucr.routing import Candidate
from ucr.stream_copy import COPIES_BYTES, StreamCopy

CacheRef = Ref[CacheMessage]
Wish = Literal["use", "renew", "nothing"]
HotTier = Hot["Aged | int"]

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
        self.repeats = Repeats(secret)
        self.hot = hot
        self._ttl_s = config.ttl_s
        self._streams = config.streams
        self.coalesces = config.coalesce
        self._pressure = pressure
        self._copies = Budget(COPIES_BYTES)
        self._brief = Brief()

    def __repr__(self) -> str:
        return f"<Answers in {self.hot!r} and {self.ref!r}>"

    @property
    def is_tight(self) -> bool:
        """True when memory is short, and nothing is to be kept."""
        return self._pressure is not None and self._pressure.is_tight

    def glance(self, request: Request, choices: tuple[Candidate, ...], record: Record) -> "Place | None":
        """Look for an answer in the hot tier, without waiting; `Place.look_up` looks on from there."""
        if request.stream and not self._streams:
            return None
        wish = wish_of(request.headers)
        if wish == "nothing" or len(request.raw) > LARGEST_REQUEST_BYTES:
            return None
        record.cache = "miss"
        key = self.keys.of(request, choices, record.client or "")
        shares = self.coalesces and wish == "use" and not request.stream
        place = Place(record, Want(self, key, request.stream, wish == "renew", shares))
        if wish == "use" and isinstance(found := self.hot.get(key), Aged):
            place.fill(found)
        return place

    def at_hand(self, key: bytes) -> Aged | None:
        """Return what the hot tier has; a request that finds nothing so is counted by whoever looks on."""
        found = self.hot.find(key)
        return found if isinstance(found, Aged) else None

    async def look_up(self, want: "Want", patience: Patience) -> Aged | Hit | Ticket | None:
        """Ask the actor, and keep at hand what it has (`Aged`).

        Who may share waits for an answer that is being made for a request of its kind, wherever that is (`Hit`).
        Otherwise a second request does not wait for the first one, and brings nothing back (None).
        """
        epoch = self.hot.epoch
        try:
            found = await self._brief.ask(self.ref, Lookup(want.key, joins=False, renews=want.renews))
            if isinstance(found, Busy) and want.shares:
                with patience.wait():
                    found = await self.ref.ask(Lookup(want.key))
                if isinstance(found, Hit):
                    return found
        except ActorError:
            return None
        if isinstance(found, Hit) and (kept := keeping.read(found.entry)) is not None:
            aged = Aged(kept, trio.current_time() - found.age_s)
            if not self.is_tight:
                until = aged.since_s + self._ttl_s
                self.hot.put(want.key, aged, len(found.entry), until, epoch, kept.tags)
            return aged
        return Ticket(self.ref, found.ticket) if isinstance(found, Fill) else None

    def copy(self) -> StreamCopy:
        """Return what a stream can be copied into while it is delivered."""
        return StreamCopy(self._copies)

    async def count(self, key: bytes) -> int | None:
        """Return a number of tokens that was noted under this key."""
        number = self.hot.get(key)
        if isinstance(number, int):
            return number
        epoch = self.hot.epoch
        try:
            found = await self._brief.ask(self.ref, Recall(key))
        except ActorError:
            return None
        if found is None or not found.entry.isdigit():
            return None
        self._keep_number(key, int(found.entry), COUNT_TTL_S - found.age_s, epoch)
        return int(found.entry)

    def note_count(self, key: bytes, tokens: int) -> None:
        """Keep a number of tokens for whoever counts the same again."""
        if not self.is_tight:
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


async def clear(answers: Answers | None, tag: str | None = None) -> int:
    """Empty the cache, or forget what has a tag; return how many answers it were, 0 without a cache."""
    return 0 if answers is None else await answers.clear(tag)


@dataclass(frozen=True, slots=True)
class Want:
    """What a request wants of a cache. With `renews` it wants none of the answers that are there, and when it `shares`
    it takes one that is being made, and gives its own to those who wait."""

    answers: Answers
    key: bytes
    is_stream: bool
    renews: bool
    shares: bool


class Place:
    """The place of one request in the cache: an answer that is there, the right to bring one, or neither.

    A stream that may be kept is copied into `copy` while it is delivered. The right is given up at the end of a `with`.
    """

    __slots__ = ("_record", "_ticket", "_want", "age_s", "copy", "kept")

    def __init__(self, record: Record, want: Want) -> None:
        self.kept: Kept | None = None
        self.age_s: float | None = None
        self.copy: StreamCopy | None = None
        self._record = record
        self._want = want
        self._ticket: Ticket | None = None

    def __repr__(self) -> str:
        return f"<Place {self._record.cache}>"

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def fill(self, found: Aged) -> None:
        """Take an answer that is there."""
        self.kept, self.age_s = found.kept, trio.current_time() - found.since_s
        found.kept.note(self._record)

    def _share(self, found: Hit) -> None:
        """Take an answer that was being made for another request; it may be one that is not kept."""
        if (kept := keeping.read(found.entry)) is not None:
            self.fill(Aged(kept, trio.current_time()))
            self.age_s, self._record.cache = None, "coalesced"

    @property
    def key(self) -> bytes:
        """What its answer is kept under."""
        return self._want.key

    async def look_up(self, patience: Patience) -> "Place":
        """Look where one has to wait for it; to be used in a `with` at once."""
        want = self._want
        if self.kept is not None:
            return self
        found = await want.answers.look_up(want, patience)
        if isinstance(found, Aged):
            self.fill(found)
        elif isinstance(found, Hit):
            self._share(found)
        elif found is not None:
            self._ticket = found
            if want.answers.is_tight:
                self.give_up()
            elif want.is_stream:
                self.copy = want.answers.copy()
        return self

    def give_up(self) -> None:
        """Bring what is to be kept, or leave the right to bring it to another one."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            with ticket:
                pass
        if self.copy is not None:
            self.copy.give_up()

    def keep(self, body: bytes | None) -> None:
        """Keep the answer that was delivered, if it may be given again; else give it to those alone who wait."""
        record, ticket, want = self._record, self._ticket, self._want
        if ticket is None or body is None:
            return
        ticket.is_kept = keeping.may_keep(record, body)
        if ticket.is_kept or want.shares:
            kept = keeping.kept_of(record, body)
            if len(body) <= LARGEST_ANSWER_BYTES:
                ticket.entry, ticket.tags = keeping.written(kept), kept.tags
            want.answers.hot.drop(want.key)


def wish_of(headers: Headers) -> Wish:
    """Return what a request wants of a cache: its answer from there, a new one to be put there, or nothing."""
    said = headers.get("cache-control")
    if said is None:
        return "use"
    words = {word.strip() for word in said.lower().split(",")}
    return "nothing" if "no-store" in words else "renew" if "no-cache" in words else "use"
