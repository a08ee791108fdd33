"""The file of the journal: entries that are written are found again, and the oldest make room."""

import math
from pathlib import Path

from ucr.journal.entry import Entry
from ucr.journal.file import NAME, JournalFile
from ucr.journal.reading import Reader, Wanted
from ucr.kept_file import Bounds


def entry(number: int, answer: str | None = None) -> Entry:
    return Entry(float(number), f"req_{number}", "up", 200, False, "{}", None, answer)


def test_what_is_written_is_found_again(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / NAME, Bounds(math.inf, 2**30))
    assert not file.write([entry(1), entry(2, "said")], 5.0)
    file.close()
    found = Reader(tmp_path / NAME).latest(Wanted(), 9)
    assert [one.entry for one in found] == [entry(1), entry(2, "said")]


def test_bodies_count_towards_the_bound(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / NAME, Bounds(math.inf, 2**20))
    for number in range(100):
        file.write([entry(number, "x" * 2**16)], 5.0)
    file.close()
    found = Reader(tmp_path / NAME).latest(Wanted(), 1000)
    assert found[-1].entry.request_id == "req_99"
    assert 1 <= len(found) <= 17
    assert (tmp_path / NAME).stat().st_size < 3 * 2**20
