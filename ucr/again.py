"""Requests that were there before, byte by byte, and whose answers are at hand: they are answered before they are read.

How this works. A request is noted when it was read and its answer was found in the hot tier (`remember`). All that may
differ between requests was looked at then: who asks, what for, and whether he may. None of it can be another one while
configuration, head and body are the same (`Repeats`), so that there is nothing left to be looked at. Where limits or rules
look into each request, none is noted. A body that comes after its head is looked at when it is there.
"""

from msgspec import Struct

from ucr.caching import Aged, Place
from ucr.call import Call, Router, note_request
from ucr.exchange import Exchange
from ucr.record import Record
from ucr.repeats import Repeat
from ucr.routing import Candidate


class Known(Struct, frozen=True, gc=False):
    """A request that was there before, and the answer to it."""

    repeat: Repeat
    found: Aged


def find(exchange: Exchange, router: Router, raw: bytes | None) -> Known | None:
    """Return what is known of a request with this body, if its answer is at hand."""
    answers = router.answers
    if answers is None or raw is None:
        return None
    repeat = answers.repeats.find(router.config, exchange, raw)
    found = None if repeat is None else answers.at_hand(repeat.key)
    return None if repeat is None or found is None else Known(repeat, found)


async def give(known: Known, exchange: Exchange, record: Record, now_s: float) -> None:
    """Answer a request, and note what the log would say of one that is read. `now_s` is the loop's time."""
    repeat, kept = known.repeat, known.found.kept
    note_request(record, repeat.request)
    record.request_bytes, record.considered = repeat.size_bytes, repeat.choices
    kept.note(record)
    record.status, record.first_byte_s = 200, now_s
    age = ("age", str(int(now_s - known.found.since_s)))
    headers = (*repeat.form, *record.headers(now_s), age)
    if not kept.is_stream:
        headers = (*headers, ("content-length", str(len(kept.body))))
    await exchange.start(200, headers)
    await exchange.finish(kept.body)


def remember(place: Place, exchange: Exchange, call: Call, choices: tuple[Candidate, ...]) -> None:
    """Know this request when it comes again; not where limits or rules look into each one, nor one that was coded."""
    router = call.router
    if router.answers is None or router.steer is not None or call.record.client is not None:
        return
    if "content-encoding" in exchange.headers:
        return
    kind = call.client.stream_type if call.request.stream else "application/json"
    form = (("content-type", kind), ("cache-control", "no-cache"))
    repeat = Repeat(call.request, choices, place.key, form, len(call.request.raw))
    router.answers.repeats.remember(router.config, exchange, repeat)
