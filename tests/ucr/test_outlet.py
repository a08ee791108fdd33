"""The outlet, on real pipes and sockets that nobody reads."""

import json
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ucr.outlet import Outlet

LINE = b"x" * 4095 + b"\n"
FAR_MORE_THAN_FITS = 1000


@pytest.fixture(params=["pipe", "socket"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    if request.param == "pipe":
        reading, writing = os.pipe()
        yield reading, writing
        os.close(reading)
        os.close(writing)
        return
    near, far = socket.socketpair()
    with near, far:
        yield near.fileno(), far.fileno()


def everything(descriptor: int) -> list[bytes]:
    os.set_blocking(descriptor, False)
    data = b""
    try:
        while chunk := os.read(descriptor, 1 << 20):
            data += chunk
    except BlockingIOError:
        pass
    return data.splitlines(keepends=True)


def test_a_reader_that_does_not_read_is_not_waited_for_and_learns_what_it_missed(ends: tuple[int, int]) -> None:
    reading, writing = ends
    with closing(Outlet(writing, lambda: "now")) as outlet:
        for _ in range(FAR_MORE_THAN_FITS):
            outlet.write(LINE)
        missed = outlet.dropped
        assert everything(reading) == [LINE] * (FAR_MORE_THAN_FITS - missed)
        assert repr(outlet) == f"<Outlet, {missed} lines dropped>"
        outlet.write(b"{}\n")
    note, line = everything(reading)
    assert json.loads(note) == {"timestamp": "now", "level": "warning", "event": "log.dropped", "lines": missed}
    assert (line, outlet.dropped) == (b"{}\n", 0)


def test_those_who_share_the_descriptor_still_wait(ends: tuple[int, int]) -> None:
    with closing(Outlet(ends[1], lambda: "now")) as outlet:
        outlet.write(LINE)
    assert os.get_blocking(ends[1])


def test_a_reader_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    outlet = Outlet(writing, lambda: "now")
    os.close(reading)
    outlet.write(LINE)
    assert outlet.dropped == 1
    outlet.close()
    Outlet(writing, lambda: "now").close()
    os.close(writing)


@pytest.mark.parametrize("together", [1, 3, 16, 100])
def test_of_lines_that_are_written_together_whole_ones_go_and_the_others_are_counted(
    ends: tuple[int, int], together: int
) -> None:
    reading, writing = ends
    lines = [b"%d %s\n" % (number, b"x" * (700 + number % 50)) for number in range(FAR_MORE_THAN_FITS)]
    with closing(Outlet(writing, lambda: "now")) as outlet:
        for start in range(0, len(lines), together):
            outlet.write(b"".join(lines[start : start + together]))
        missed = outlet.dropped
        found = everything(reading)
        outlet.write(b"1\n2\n")
    notes = [json.loads(line)["lines"] for line in found if line not in lines]
    went = [line for line in found if line in lines]
    assert went == [line for line in lines if line in went]
    assert 0 < missed + sum(notes) == len(lines) - len(went)
    note, *after = everything(reading)
    assert json.loads(note)["lines"] == missed
    assert (after, outlet.dropped) == ([b"1\n", b"2\n"], 0)


def test_a_pipe_that_has_little_room_takes_what_it_would_take_one_by_one() -> None:
    for most in (1, 16):
        reading, writing = os.pipe()
        with closing(Outlet(writing, lambda: "now")) as outlet:
            for _ in range(15):
                outlet.write(LINE)
            outlet.write(b"y" * 1023 + b"\n")
            for start in range(0, 16, most):
                outlet.write(
                    b"".join(b"%02d %s\n" % (number, b"z" * 1020) for number in range(start, start + most))
                )
            assert (len(everything(reading)), outlet.dropped) == (19, 13)
        os.close(reading)
        os.close(writing)


def test_where_each_write_is_a_message_each_line_is_one() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far, closing(Outlet(far.fileno(), lambda: "now")) as outlet:
        outlet.write(b"1\n2\n3\n")
        assert [near.recv(99) for _ in range(3)] == [b"1\n", b"2\n", b"3\n"]


def test_a_file_is_written_to_as_it_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    with path.open("wb") as file:
        Outlet(file.fileno(), lambda: "now").write(LINE)
    assert path.read_bytes() == LINE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_is_no_error() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        outlet = Outlet(full.fileno(), lambda: "now")
        outlet.write(LINE)
    assert outlet.dropped == 1


@contextmanager
def files_of(most_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, as on a disk that is full from there on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("together", [1, 3])
def test_a_full_disk_cuts_one_line_and_spoils_no_other(tmp_path: Path, together: int) -> None:
    lines = [b'{"line":%d}\n' % number for number in range(3)]
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with closing(Outlet(descriptor, lambda: "now")) as outlet:
        with files_of(12):
            for start in range(0, 3, together):
                outlet.write(b"".join(lines[start : start + together]))
            assert outlet.dropped == 2
        outlet.write(b'{"line":3}\n')
    os.close(descriptor)
    first, _, note, last = path.read_bytes().splitlines()
    assert [json.loads(first), json.loads(last)] == [{"line": 0}, {"line": 3}]
    assert json.loads(note)["lines"] == 2
