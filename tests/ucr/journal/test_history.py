"""What the journal tells of a time: sums and percentiles of equal spans."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ucr.journal.entry import Entry
from ucr.journal.file import NAME, JournalFile
from ucr.journal.history import Span, history
from ucr.kept_file import Bounds

BEGIN_S = 1_800_000_000.0


def entry(at_s: float, total_ms: float, *, is_error: bool = False, **account: object) -> Entry:
    told = {"total_ms": total_ms, "ttfb_ms": None, "input_tokens": None, "cache": "miss", **account}
    return Entry(at_s, f"req_{at_s}", "up", 500 if is_error else 200, is_error, json.dumps(told))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    file = JournalFile(tmp_path / NAME, Bounds(1e9, 2**30))
    entries = [
        entry(BEGIN_S - 1, 1),
        *(entry(BEGIN_S + 1, ms, ttfb_ms=ms / 2, cost_usd=0.5) for ms in range(1, 101)),
        entry(
            BEGIN_S + 25, 7, is_error=True, input_tokens=5, output_tokens=6, cache_read_tokens=7, cache="hit"
        ),
    ]
    file.write(entries, BEGIN_S + 25)
    file.close()
    with closing(sqlite3.connect(tmp_path / NAME)) as opened:
        yield opened


def test_each_span_has_its_sums_and_percentiles(connection: sqlite3.Connection) -> None:
    found = history(connection, BEGIN_S + 30, 10, 3)
    assert found.is_whole
    assert found.spans == (
        Span(0, 100, 0, 0, 50.0, 0, 50, 99, 25.0, 49.5),
        Span(2, 1, 1, 18, 0, 1, 7, 7, None, None),
    )


def test_of_too_many_the_last_ones_are_looked_at(connection: sqlite3.Connection) -> None:
    found = history(connection, BEGIN_S + 30, 10, 3, most=2)
    assert not found.is_whole
    assert [span.requests for span in found.spans] == [1, 1]


def test_nothing_is_no_span(connection: sqlite3.Connection) -> None:
    assert history(connection, BEGIN_S + 1000, 10, 3).spans == ()


def test_what_ended_at_this_very_moment_or_later_is_in_the_last_span(connection: sqlite3.Connection) -> None:
    assert [span.number for span in history(connection, BEGIN_S + 25, 10, 3).spans] == [0, 2]
    assert [span.number for span in history(connection, BEGIN_S + 24, 10, 3).spans] == [0, 2]
