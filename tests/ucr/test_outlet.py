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


def test_a_full_disk_cuts_one_line_and_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with closing(Outlet(descriptor, lambda: "now")) as outlet:
        with files_of(12):
            for number in range(3):
                outlet.write(b'{"line":%d}\n' % number)
            assert outlet.dropped == 2
        outlet.write(b'{"line":3}\n')
    os.close(descriptor)
    first, _, note, last = path.read_bytes().splitlines()
    assert [json.loads(first), json.loads(last)] == [{"line": 0}, {"line": 3}]
    assert json.loads(note)["lines"] == 2
