import os
import pty
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from ucr.observe.terminal import CLOSE, END_OF_LINE, HOME, OPEN, Terminal, keys_of, of_this_process


@contextmanager
def opened() -> Iterator[tuple[Terminal, int]]:
    """Give a terminal, and the other end of it."""
    near, far = pty.openpty()
    try:
        yield Terminal(far, far), near
    finally:
        os.close(near)
        os.close(far)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"q", ["q"]),
        (b"ab\r", ["a", "b", "\n"]),
        (b"\x1b", ["\x1b"]),
        (b"\x1b[A", []),
        ("é".encode(), ["é"]),
        (b"\xff", ["�"]),
        (b"", []),
    ],
)
def test_keys_are_read_from_what_a_terminal_sends(data: bytes, keys: list[str]) -> None:
    assert keys_of(data) == keys


def test_a_terminal_is_left_as_it_was() -> None:
    with opened() as (terminal, near):
        before = termios.tcgetattr(near)
        with terminal.taken():
            assert os.read(near, 1000) == OPEN.encode()
            assert not termios.tcgetattr(near)[3] & termios.ICANON
        assert os.read(near, 1000) == CLOSE.encode()
        assert termios.tcgetattr(near) == before


def test_a_page_is_written_over_the_one_before() -> None:
    with opened() as (terminal, near):
        terminal.draw(["one", "two"])
        shown = os.read(near, 1000).decode().replace("\r\r", "\r")
        assert shown == f"{HOME}one{END_OF_LINE}\r\ntwo{END_OF_LINE}"


def test_a_terminal_has_a_size_even_if_nobody_knows_it() -> None:
    with opened() as (terminal, _):
        width, height = terminal.size()
        assert width >= 0
        assert height >= 0


async def test_keys_are_waited_for() -> None:
    with opened() as (terminal, near), terminal.taken():
        os.write(near, b"q")
        with trio.fail_after(5):
            assert await terminal.keys() == ["q"]


def test_output_that_goes_elsewhere_is_no_terminal() -> None:
    assert of_this_process() is None
