"""What commands find in the journal."""

import json
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from ucr.journal.entry import Entry
from ucr.journal.file import NAME, JournalFile
from ucr.journal.reading import Reader, Wanted
from ucr.kept_file import Bounds


def entry(number: int, provider: str = "a", status: int = 200, **account: object) -> Entry:
    told = {"model_asked": "m", "model_used": "used", "session_id": None, **account}
    return Entry(float(number), f"req_{number}", provider, status, status >= 400, json.dumps(told))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    made = JournalFile(tmp_path / NAME, Bounds(math.inf, 2**30))
    made.write([entry(1), entry(2, "b", 529), entry(3, session_id="s"), entry(4, model_asked="other")], 0.0)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), [1, 2, 3, 4]),
        (Wanted(provider="b"), [2]),
        (Wanted(provider="a", since_s=3.0), [3, 4]),
        (Wanted(errors=True), [2]),
        (Wanted(session="s"), [3]),
        (Wanted(model="other"), [4]),
        (Wanted(model="used"), [1, 2, 3, 4]),
        (Wanted(provider="'; drop table journal; --"), []),
    ],
)
def test_what_is_wanted_is_found_in_its_order(
    file: JournalFile, tmp_path: Path, wanted: Wanted, ids: list[int]
) -> None:
    found = Reader(tmp_path / NAME).latest(wanted, 9)
    assert [one.entry.request_id for one in found] == [f"req_{number}" for number in ids]


def test_of_many_the_last_are_found(file: JournalFile, tmp_path: Path) -> None:
    found = Reader(tmp_path / NAME).latest(Wanted(), 2)
    assert [one.entry.request_id for one in found] == ["req_3", "req_4"]


def test_what_comes_later_is_found_from_a_number_on(file: JournalFile, tmp_path: Path) -> None:
    reader = Reader(tmp_path / NAME)
    last = reader.last_number()
    assert reader.after(last, Wanted()) == []
    file.write([entry(5), entry(6, "b")], 0.0)
    assert [one.entry.request_id for one in reader.after(last, Wanted(provider="b"))] == ["req_6"]


def test_one_request_is_found_by_its_id(file: JournalFile, tmp_path: Path) -> None:
    reader = Reader(tmp_path / NAME)
    file.write([entry(3, "later")], 0.0)
    found = reader.one("req_3")
    assert found is not None
    assert (found.entry.provider, found.account["model_asked"]) == ("later", "m")
    assert reader.one("req_none") is None


def test_a_file_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        Reader(tmp_path / "none").latest(Wanted(), 1)
    assert list(tmp_path.iterdir()) == []


def test_bodies_stay_in_the_file_where_nobody_wants_them(file: JournalFile, tmp_path: Path) -> None:
    file.write([replace(entry(5), request="asked", answer="answered")], 0.0)
    for bodies, told in ((True, ("asked", "answered")), (False, (None, None))):
        found = Reader(tmp_path / NAME, bodies=bodies).one("req_5")
        assert found is not None
        assert (found.entry.request, found.entry.answer) == told
        assert found.entry.account == entry(5).account
