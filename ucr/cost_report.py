"""What was used and what it cost, summed up from the file of the accounts."""

import csv
import io
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ucr.jsontext import dumps
from ucr.pricing import usd

KEYS = (
    ("day", "date(at_s, 'unixepoch')"),
    ("provider", "provider"),
    ("model", "provider || '/' || model"),
    ("session", "coalesce(session, '')"),
    ("client", "coalesce(client, '')"),
)
"""What can be summed up, and the expression for it."""

_SUMS = (
    "count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cache_read_tokens), 0), "
    "coalesce(sum(cache_write_tokens), 0), sum(cost_nano), sum(input_tokens is not null and cost_nano is null)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One group. `cost_usd` None: not known of any of its requests; `unpriced` requests had tokens, but no price."""

    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None
    unpriced: int


def lines(path: Path, by: str, since_s: float) -> list[Line]:
    """Return a line for each group, by name, of requests since then (Unix time).

    Raises `sqlite3.Error` when the file is not there or cannot be read.
    """
    key = dict(KEYS)[by]
    question = f"select {key}, {_SUMS} from usage where at_s >= ? group by 1 order by 1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(question, (since_s,)).fetchall()
    return [_line(row) for row in rows]


def _line(row: Sequence[Any]) -> Line:
    name, requests, taken, given, read, written, cost_nano, unpriced = row
    cost_usd = None if cost_nano is None else usd(cost_nano)
    return Line(name, requests, taken, given, read, written, cost_usd, unpriced or 0)


def total(found: Sequence[Line]) -> Line:
    """Return the sum of all lines."""
    costs = [line.cost_usd for line in found if line.cost_usd is not None]
    return Line(
        "total",
        sum(line.requests for line in found),
        sum(line.input_tokens for line in found),
        sum(line.output_tokens for line in found),
        sum(line.cache_read_tokens for line in found),
        sum(line.cache_write_tokens for line in found),
        sum(costs) if costs else None,
        sum(line.unpriced for line in found),
    )


def as_json(found: Sequence[Line]) -> str:
    """Return the lines and their sum as JSON."""
    return dumps({"lines": [asdict(line) for line in found], "total": asdict(total(found))}).decode()


def as_csv(found: Sequence[Line], by: str) -> str:
    """Return the lines as comma-separated values with a head; a cost that is not known is empty."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow((by, *(entry.name for entry in fields(Line)[1:])))
    for line in found:
        writer.writerow((_harmless(line.name), *tuple(asdict(line).values())[1:]))
    return written.getvalue()


def _harmless(name: str) -> str:
    """Return a name that no spreadsheet takes for a formula: clients make names up."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def as_table(found: Sequence[Line], by: str) -> str:
    """Return the lines and their sum for a terminal."""
    head = (by, "requests", "input", "output", "cache read", "cache write", "USD", "unpriced")
    rows = [head, *(_cells(line) for line in (*found, total(found)))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _cells(line: Line) -> tuple[str, ...]:
    name = "".join(char if char.isprintable() else "?" for char in line.name) or "-"
    cost = "?" if line.cost_usd is None else f"{line.cost_usd:.4f}"
    numbers = (
        line.requests,
        line.input_tokens,
        line.output_tokens,
        line.cache_read_tokens,
        line.cache_write_tokens,
    )
    return (name, *(f"{number:,}" for number in numbers), cost, str(line.unpriced or ""))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells: Iterator[str] = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join((row[0].ljust(widths[0]), *cells)).rstrip()
