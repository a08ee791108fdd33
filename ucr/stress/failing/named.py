"""Faults that come and go, and the faults by name.

`scripts/faulty_upstream` serves the faults of `NAMED` to whoever asks for a model of that name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import trio

from ucr.stress.failing.faults import (
    BREAKS_AN_EVENT,
    ENDLESS_HEAD,
    FLOOD,
    REPORTS_AN_ERROR,
    bombs,
    closes,
    closes_midway,
    compresses,
    drips_head,
    ends_midway,
    goes_on_in_json,
    in_pieces,
    is_silent,
    redirects,
    refuses,
    resets,
    resets_midway,
    says_head_only,
    sends_hostile_headers,
    shows_page,
    stalls,
    talks_without_end,
)
from ucr.stress.failing.healthy import well
from ucr.stress.upstream import Answer, Handler, SeenRequest


@dataclass(slots=True)
class Moody:
    """A handler with a fault, or without one."""

    fault: Handler | None = None

    async def __call__(self, request: SeenRequest, answer: Answer) -> None:
        await (self.fault or well)(request, answer)


def flapping(fault: Handler, *, every: int) -> Handler:
    """Fail each request whose number is a multiple of `every`."""
    numbers = iter(range(1, 1 << 62))

    async def handle(request: SeenRequest, answer: Answer) -> None:
        await (fault if next(numbers) % every == 0 else well)(request, answer)

    return handle


def square_wave(fault: Handler, *, down_s: float, up_s: float) -> Handler:
    """Fail for a while, be well for a while, and so on; it begins with the fault at the first request."""
    began: list[float] = []

    async def handle(request: SeenRequest, answer: Answer) -> None:
        now = trio.current_time()
        began[:] = began or [now]
        is_down = (now - began[0]) % (down_s + up_s) < down_s
        await (fault if is_down else well)(request, answer)

    return handle


def _named() -> Iterator[tuple[str, Handler]]:
    yield from (("well", well), ("silent", is_silent), ("reset", resets), ("close", closes))
    yield from (
        (f"status-{status}", refuses(status)) for status in (400, 401, 403, 404, 422, 500, 502, 503, 529)
    )
    yield "status-429", refuses(429, (("retry-after", "7"),), type_="rate_limit_error")
    yield from (("head-only", says_head_only), ("page", shows_page), ("redirect", redirects(307)))
    yield from (("head-drip", drips_head(1.0)), ("head-endless", ENDLESS_HEAD), ("flood", FLOOD))
    yield from (("stall", stalls), ("reset-midway", resets_midway), ("close-midway", closes_midway))
    yield from (("end-midway", ends_midway), ("error-event", REPORTS_AN_ERROR), ("bad-event", BREAKS_AN_EVENT))
    yield from (("slow", in_pieces(40, pause_s=0.1)), ("endless", talks_without_end), ("json", goes_on_in_json))
    yield from (("bomb", bombs(200_000_000)), ("gzip", compresses), ("hostile-headers", sends_hostile_headers))
    yield from (("flapping", flapping(resets, every=2)), ("square-wave", square_wave(resets, down_s=5, up_s=5)))


NAMED: Mapping[str, Handler] = MappingProxyType(dict(_named()))
"""Faults by the names that `scripts/faulty_upstream` knows."""
