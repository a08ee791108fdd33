"""Answers that are given again: what may be kept, under which key, and the cache failing open.

The key is a keyed digest of everything that an answer depends on: the client, its dialect, the headers that
change an answer, the candidates, and the whole body. Only complete answers without tool use are kept, never
streams. Whatever goes wrong with the cache, its slowness included, is a miss.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import trio

from actors import ActorError, CacheMessage, Clear, Fill, Hit, Lookup, Ref, Ticket
from ucr import jsontext
from ucr.dialects.roles import Headers, Request, Summary
from ucr.pressure import Pressure
from ucr.record import Record
from ucr.routing import Candidate

CacheRef = Ref[CacheMessage]
CacheUse = Literal["hit", "miss", "bypass"]

LOOKUP_S = 0.05
CLEAR_S = 1.0
COMPLETE = frozenset({"end_turn", "stop_sequence", "stop"})
"""Reasons to stop after which an answer is whole; "stop" is the word of chat completions."""

_TOOL_USE = (b'"tool_use"', b'"tool_calls":[{', b'"tool_calls": [{')
_RELEVANT_HEADERS = ("anthropic-version", "anthropic-beta", "openai-beta")


@dataclass(frozen=True, slots=True)
class Answers:
    """A cache of answers. `secret` keys the digests: nobody outside can make two requests meet.

    Under `pressure` answers are given again, but none is kept.
    """

    ref: CacheRef
    secret: bytes
    pressure: Pressure | None = None

    async def find(self, request: Request, choices: tuple[Candidate, ...], record: Record) -> "Place":
        """Look for an answer; the place is to be used in a `with` at once.

        A second request does not wait for the first one of its kind, and brings nothing back.
        """
        if request.stream or not may_use(request.headers):
            return Place(record)
        record.cache = "miss"
        key = key_of(self.secret, request, choices, record.client or "")
        try:
            found = await self.ref.ask(Lookup(key, joins=False), deadline=trio.current_time() + LOOKUP_S)
        except ActorError:
            return Place(record)
        if isinstance(found, Hit):
            return _read(found, record)
        place = Place(record, ticket=Ticket(self.ref, found.ticket) if isinstance(found, Fill) else None)
        if self.pressure is not None and self.pressure.is_tight:
            place.give_up()
        return place


async def find(
    answers: Answers | None, request: Request, choices: tuple[Candidate, ...], record: Record
) -> "Place":
    """Look for an answer where there is a cache; without one every request goes past it."""
    return Place(record) if answers is None else await answers.find(request, choices, record)


async def clear(answers: Answers | None) -> int:
    """Empty the cache; return how many entries it had, 0 when there is none or it does not answer."""
    if answers is None:
        return 0
    try:
        return await answers.ref.ask(Clear(), deadline=trio.current_time() + CLEAR_S)
    except ActorError:
        return 0


class Place:
    """The place of one request in the cache: an answer that is there, the right to bring one, or neither."""

    def __init__(
        self, record: Record, *, body: bytes | None = None, age_s: float = 0.0, ticket: Ticket | None = None
    ) -> None:
        self.body = body
        self.age_s = age_s
        self._record = record
        self._ticket = ticket

    def __repr__(self) -> str:
        return f"<Place {self._record.cache}>"

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def give_up(self) -> None:
        """Bring what is to be kept, or leave the right to bring it to another one."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            with ticket:
                pass

    def keep(self, body: bytes | None) -> None:
        """Keep the answer that was delivered, if it may be given again."""
        record = self._record
        if self._ticket is not None and body is not None and may_keep(record, body):
            self._ticket.entry = _written(record, body)


def may_use(headers: Headers) -> bool:
    """Return whether a request lets its answer come from a cache, and go into one."""
    said = {word.strip() for word in headers.get("cache-control", "").lower().split(",")}
    return not said & {"no-store", "no-cache"}


def may_keep(record: Record, body: bytes) -> bool:
    """Return whether an answer is whole, uses no tool, and comes from whom the routing chose.

    What somebody else said in an outage is not given again when the outage is over.
    """
    is_whole = record.status == 200 and record.error_type is None and record.tier == "optimal"
    is_complete = record.summary.stop_reason in COMPLETE
    return is_whole and is_complete and not any(words in body for words in _TOOL_USE)


def key_of(secret: bytes, request: Request, choices: tuple[Candidate, ...], client: str) -> bytes:
    """Return the key of a request. Every part is preceded by its length, so that none can pass for another."""
    digest = hmac.new(secret, digestmod="sha256")
    for part in _parts(request, choices, client):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _parts(request: Request, choices: tuple[Candidate, ...], client: str) -> Iterable[bytes]:
    yield client.encode()
    yield request.dialect.encode()
    for name in _RELEVANT_HEADERS:
        yield request.headers.get(name, "").encode()
    for candidate in choices:
        provider = candidate.provider
        yield "\n".join((provider.id, provider.dialect, provider.base_url, candidate.model)).encode()
    yield request.raw


def _written(record: Record, body: bytes) -> bytes:
    head = {
        "provider": record.provider,
        "model": record.model_used,
        "route": record.route,
        "tier": record.tier,
        "stop_reason": record.summary.stop_reason,
        "notes": list(record.notes),
    }
    return jsontext.dumps(head) + b"\n" + body


def _read(found: Hit, record: Record) -> Place:
    """Make the record speak of the answer that is given again; its tokens were spent before."""
    written, _, body = found.entry.partition(b"\n")
    head = jsontext.loads(written)
    record.cache = "hit"
    record.provider, record.model_used, record.route = head["provider"], head["model"], head["route"]
    record.tier = head["tier"]
    record.notes = tuple(head["notes"])
    record.summary = Summary(stop_reason=head["stop_reason"])
    return Place(record, body=body, age_s=found.age_s)
