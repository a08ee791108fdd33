"""A fuzzer that meets a reader with a bug finds it, and keeps what breaks it."""

from pathlib import Path
from random import Random

from fuzzing import crashes, error_of, keep


def trips(data: bytes) -> None:
    if b"\x00" in data:
        raise LookupError("planted")


def test_a_planted_bug_is_found_and_kept(tmp_path: Path) -> None:
    left = iter(range(2000))
    found = [data for data in crashes(trips, [b"a" * 40], Random(1), lambda: next(left, None) is None) if data]
    assert found
    assert all("LookupError: planted" in error_of(trips, data) for data in found)
    path = keep("sse", found[0], tmp_path)
    assert (path.parent.name, path.read_bytes()) == ("sse", found[0])


def test_what_is_read_well_breaks_nothing() -> None:
    left = iter(range(50))
    assert set(crashes(lambda _: None, [b"a"], Random(1), lambda: next(left, None) is None)) == {None}
