"""What is kept of a request for the accounts: who asked for what, the tokens, and the cost. Pure.

No word of a request or an answer is in it.
"""

from dataclasses import dataclass

from msgspec import Struct

from actors import Question
from ucr.record import Record

NAME_CHARS = 200
"""Names that clients make up are cut to this."""


LARGEST = 2**63 - 1
"""What a file takes at most as a number; a provider may say anything."""


ROW_BYTES = 500
"""What a row takes in memory, about."""


class UsageRow(Struct, frozen=True, gc=False):
    """One request. `at_s` is Unix time; None is "not known", of `cost_nano` (billionths of a US dollar) too."""

    at_s: float
    client: str | None
    session: str | None
    provider: str
    model: str
    status: int
    cache: str
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost_nano: int | None


@dataclass(frozen=True, slots=True)
class Used:
    """So many requests have ended; to be offered."""

    rows: tuple[UsageRow, ...]


@dataclass(frozen=True, slots=True)
class Received(Question[None]):
    """Ask whether everything that was said before has come."""


def row_of(record: Record, unix_s: float) -> UsageRow:
    """Return what is kept of a request."""
    usage, session = record.summary.usage, record.session_id
    read, written = usage.input_tokens, usage.output_tokens
    cached, created, cost = usage.cache_read_tokens, usage.cache_creation_tokens, record.cost_nano
    if max(read or 0, written or 0, cached or 0, created or 0, cost or 0) > LARGEST:
        read, written, cached, created, cost = map(_bounded, (read, written, cached, created, cost))
    return UsageRow(
        unix_s,
        record.client,
        session if session is None else session[:NAME_CHARS],
        record.provider,
        record.model_used[:NAME_CHARS],
        record.status,
        record.cache,
        read,
        written,
        cached,
        created,
        cost,
    )


def _bounded(number: int | None) -> int | None:
    return None if number is None else min(number, LARGEST)
