"""The terminal while `ucr-trio top` has it: a screen of its own, keys without Enter, and everything back at the end."""

import os
import shutil
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import trio

OPEN = "\x1b[?1049h\x1b[?25l"
CLOSE = "\x1b[?25h\x1b[?1049l"
HOME, END_OF_LINE = "\x1b[H", "\x1b[K"
_READ_BYTES = 256


class Terminal:
    """Reads keys from one descriptor and draws on another, both of one terminal."""

    def __init__(self, keys: int, screen: int) -> None:
        self._keys = keys
        self._screen = screen

    def __repr__(self) -> str:
        return f"<Terminal of descriptors {self._keys} and {self._screen}>"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the terminal as long as the block, and leave it as it was."""
        before = termios.tcgetattr(self._keys)
        try:
            tty.setcbreak(self._keys)
            self._write(OPEN)
            yield
        finally:
            self._write(CLOSE)
            termios.tcsetattr(self._keys, termios.TCSADRAIN, before)

    def size(self) -> tuple[int, int]:
        """Return width and height."""
        try:
            return os.get_terminal_size(self._screen)
        except OSError:
            return shutil.get_terminal_size()

    def draw(self, lines: list[str]) -> None:
        """Show a page: every line is written over the one that was there."""
        self._write(HOME + "\r\n".join(line + END_OF_LINE for line in lines))

    async def keys(self) -> list[str]:
        """Wait for keys, and return them; none when the terminal is gone."""
        await trio.lowlevel.wait_readable(self._keys)
        return keys_of(os.read(self._keys, _READ_BYTES))

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._screen, data) :]


def keys_of(data: bytes) -> list[str]:
    """Return the keys that were pressed; those of which a terminal makes a sequence, such as arrows, are left out."""
    text = data.decode("utf-8", "replace")
    if text.startswith("\x1b") and len(text) > 1:
        return []
    return ["\n" if key == "\r" else key for key in text]


def of_this_process() -> Terminal | None:
    """Return the terminal of this process; None when it has none, or its output goes elsewhere."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return Terminal(sys.stdin.fileno(), sys.stdout.fileno())
