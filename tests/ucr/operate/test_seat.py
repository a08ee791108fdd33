import fcntl
import os
import stat
from pathlib import Path

import pytest

from ucr.operate.identity import identity_of
from ucr.operate.seat import LOCK_FILE, LOG_FILE, LOG_LIMIT_BYTES, PID_FILE, Running, Seat


@pytest.fixture
def seat(tmp_path: Path) -> Seat:
    return Seat({"UCR_STATE_DIR": str(tmp_path / "state")})


def running(**other: object) -> Running:
    mine = identity_of(os.getpid())
    assert mine is not None
    facts = {"pid": mine.pid, "started": mine.started, "boot": mine.boot}
    return Running(**{**facts, "url": "http://127.0.0.1:3000", "config": None, "since": "now", **other})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_who_takes_the_seat_is_found_until_they_leave(seat: Seat) -> None:
    assert seat.running() is None
    with seat.locked():
        seat.take(running())
    assert seat.running() == running()
    seat.leave(running(since="before"))
    assert seat.running() == running()
    seat.leave(running())
    seat.leave(running())
    assert seat.running() is None


@pytest.mark.parametrize("other", [{"started": "1"}, {"boot": "x"}, {"pid": 2**22 + 1}])
def test_another_process_with_the_number_is_nobody(seat: Seat, other: dict[str, object]) -> None:
    with seat.locked():
        seat.take(running(**other))
    assert seat.running() is None


@pytest.mark.parametrize("text", ["", "123", "{}", '{"pid": 1}', "[]", "\0"])
def test_a_damaged_file_names_nobody(seat: Seat, text: str) -> None:
    with seat.locked():
        (seat.folder / PID_FILE).write_text(text, "utf-8")
    assert seat.running() is None


def test_folder_and_files_are_the_users_own(seat: Seat) -> None:
    with seat.locked():
        seat.take(running())
        os.close(seat.open_log()[0])
    assert mode(seat.folder) == 0o700
    assert [mode(seat.folder / name) for name in (PID_FILE, LOG_FILE, LOCK_FILE)] == [0o600] * 3


def test_one_command_at_a_time_holds_the_seat(seat: Seat) -> None:
    with seat.locked(), (seat.folder / LOCK_FILE).open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (seat.folder / LOCK_FILE).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_log_is_appended_to_and_read_from_a_place(seat: Seat) -> None:
    with seat.locked():
        seat.log.write_text("before\n", "utf-8")
    descriptor, begin = seat.open_log()
    os.write(descriptor, b"one\ntwo\nthree\n")
    os.close(descriptor)
    assert seat.log_from(begin, 2) == ["two", "three"]
    assert seat.log_from(begin, 9) == ["one", "two", "three"]


def test_a_log_that_has_grown_large_is_moved_aside(seat: Seat) -> None:
    with seat.locked(), seat.log.open("wb") as file:
        file.truncate(LOG_LIMIT_BYTES + 1)
    descriptor, begin = seat.open_log()
    os.close(descriptor)
    assert begin == 0
    assert (seat.folder / "router.log.1").stat().st_size == LOG_LIMIT_BYTES + 1
