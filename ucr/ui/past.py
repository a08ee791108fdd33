"""What the dashboard shows of requests that are over: read from the journal, in a thread, while others write to it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio

from ucr.journal.file import NAME
from ucr.journal.history import Span
from ucr.journal.reading import Found, Reader, Wanted
from ucr.journal.showing import as_json
from ucr.jsontext import JsonObject

SPANS, FEW_SPANS = 120, 30
"""In how many spans a time is cut, and one of `FEW_MINUTES`: those are of ten seconds, like the rates of the feed."""
FEW_MINUTES = 5
MOST_AT_ONCE = 2
_OF_BODIES = ("headers", "path", "query", "cut")
"""What is kept of bodies is neither read nor shown: it is for `ucr-trio logs` and `replay`."""

T = TypeVar("T")


class Past:
    """Reads the journal in a folder; without a folder, or without a file, there is no past."""

    def __init__(self, folder: Path | None) -> None:
        self._reader = None if folder is None else Reader(folder / NAME, bodies=False)
        self._readers = trio.CapacityLimiter(MOST_AT_ONCE)

    def __repr__(self) -> str:
        return f"<Past in {self._reader!r}>"

    async def latest(self, count: int, *, errors: bool) -> list[JsonObject] | None:
        """Return the last requests, the latest first; None when there is no journal."""
        found = await self._asked(lambda reader: reader.latest(Wanted(errors=errors), count))
        return None if found is None else [_shown(one) for one in reversed(found)]

    async def one(self, request_id: str) -> JsonObject | None:
        """Return what became of a request; None when the journal does not know it."""
        found = await self._asked(lambda reader: reader.one(request_id))
        return None if found is None else _shown(found)

    async def spans(self, now_s: float, minutes: int) -> JsonObject | None:
        """Return what the last minutes came to, column by column, empty spans included."""
        number = FEW_SPANS if minutes <= FEW_MINUTES else SPANS
        width_s = minutes * 60 / number
        since_s = now_s - minutes * 60
        found = await self._asked(lambda reader: reader.history(now_s, width_s, number))
        if found is None:
            return None
        by_slot = {span.number: span for span in found.spans}
        columns = [_columns(by_slot.get(slot), width_s) for slot in range(number)]
        return {
            "since": since_s,
            "width_s": width_s,
            "is_whole": found.is_whole,
            "at": [round(since_s + (slot + 1) * width_s, 3) for slot in range(number)],
            **{name: [column[name] for column in columns] for name in columns[0]},
        }

    async def _asked(self, ask: Callable[[Reader], T]) -> T | None:
        reader = self._reader
        if reader is None:
            return None
        try:
            return await trio.to_thread.run_sync(ask, reader, limiter=self._readers)
        except sqlite3.Error:
            return None


def _shown(found: Found) -> JsonObject:
    return {name: value for name, value in as_json(found).items() if name not in _OF_BODIES}


def _columns(span: Span | None, width_s: float) -> dict[str, float | None]:
    """Return the figures of a span as rates; nothing was slow or quick where there was nothing."""
    return {
        "requests": 0.0 if span is None else span.requests / width_s,
        "errors": 0.0 if span is None else span.errors / width_s,
        "tokens": 0.0 if span is None else span.tokens / width_s,
        "cost": 0.0 if span is None else span.cost_usd / width_s * 3600,
        "total_p50": None if span is None else span.total_p50,
        "total_p99": None if span is None else span.total_p99,
        "ttfb_p50": None if span is None else span.ttfb_p50,
        "ttfb_p99": None if span is None else span.ttfb_p99,
    }
