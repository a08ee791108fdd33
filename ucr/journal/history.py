"""What the journal's requests come to over time: sums and percentiles of equal spans, as charts want them."""

import sqlite3
from dataclasses import dataclass

MOST_ENTRIES = 50_000
"""How many requests are looked at; the last ones, where there are more."""

_FIGURES = """
with seen as (
    select at_s, is_error, account from journal where at_s > :since_s order by rowid desc limit :most
), told as (
    select :last - cast(max(:until_s - at_s, 0) / :width_s as integer) as slot, is_error,
        json_extract(account, '$.total_ms') as total, json_extract(account, '$.ttfb_ms') as ttfb,
        coalesce(json_extract(account, '$.input_tokens'), 0) + coalesce(json_extract(account, '$.output_tokens'), 0)
            + coalesce(json_extract(account, '$.cache_read_tokens'), 0) as tokens,
        coalesce(json_extract(account, '$.cost_usd'), 0) as cost,
        json_extract(account, '$.cache') = 'hit' as hit
    from seen
), ranked as (
    select *, count(total) over by_slot as totals, count(ttfb) over by_slot as ttfbs,
        row_number() over (partition by slot order by total nulls last) as total_rank,
        row_number() over (partition by slot order by ttfb nulls last) as ttfb_rank
    from told window by_slot as (partition by slot)
)
select slot, count(*), sum(is_error), sum(tokens), sum(cost), sum(hit),
    max(total) filter (where total_rank = (totals * 50 + 99) / 100),
    max(total) filter (where total_rank = (totals * 99 + 99) / 100),
    max(ttfb) filter (where ttfb_rank = (ttfbs * 50 + 99) / 100),
    max(ttfb) filter (where ttfb_rank = (ttfbs * 99 + 99) / 100)
from ranked group by slot order by slot
"""


@dataclass(frozen=True, slots=True)
class Span:
    """The requests that ended within one span, the `number`-th from the first; times are in milliseconds."""

    number: int
    requests: int
    errors: int
    tokens: int
    cost_usd: float
    hits: int
    total_p50: float | None
    total_p99: float | None
    ttfb_p50: float | None
    ttfb_p99: float | None


@dataclass(frozen=True, slots=True)
class History:
    """Spans in the order of time, without empty ones; `is_whole` is False where there were too many requests."""

    spans: tuple[Span, ...]
    is_whole: bool


def history(
    connection: sqlite3.Connection, until_s: float, width_s: float, number: int, most: int = MOST_ENTRIES
) -> History:
    """Return the last spans, so many of `width_s`, the last of which ends at a Unix time; raises `sqlite3.Error`."""
    since_s = until_s - number * width_s
    values = {"since_s": since_s, "until_s": until_s, "width_s": width_s, "last": number - 1, "most": most}
    spans = tuple(Span(*row) for row in connection.execute(_FIGURES, values))
    return History(spans, sum(span.requests for span in spans) < most)
