"""The place of one request in a trace, known while it runs: it is handed to providers. Pure; needs no SDK."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ucr.dialects.roles import HeaderList

_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """A request in the trace of its client, or in one of its own.

    `context` is what the SDK has read of the client's headers, None where they say nothing of a trace. `new_span_id` gives
    the id of a span that is made later.
    """

    trace_id: int
    is_sampled: bool
    new_span_id: Callable[[], int]
    context: Any = None

    def parent(self, span_id: int) -> HeaderList:
        """Return the header that makes what a provider records a part of the span with this id (W3C Trace Context)."""
        flags = _SAMPLED if self.is_sampled else 0
        return (("traceparent", f"00-{self.trace_id:032x}-{span_id:016x}-{flags:02x}"),)
