"""What a command shows while it works: nothing for a second, then that it still does. Colours, on terminals alone."""

import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

import click

QUIET_S = 1.0
"""So long nothing is shown."""

_ERASED = "\r\x1b[K"


class Progress:
    """Shows on stderr what is waited for, once it takes over a second: each second anew on a terminal, else once."""

    def __init__(
        self, words: str, now: Callable[[], float] = time.monotonic, stream: TextIO | None = None
    ) -> None:
        self._words = words
        self._now = now
        self._stream = sys.stderr if stream is None else stream
        self._started = now()
        self._shown_s = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._shown_s and self._stream.isatty():
            self._write(_ERASED)

    def tick(self) -> None:
        """Show what is to be shown by now."""
        passed_s = int(self._now() - self._started)
        if passed_s < QUIET_S or passed_s == self._shown_s:
            return
        is_first, self._shown_s = self._shown_s == 0, passed_s
        if self._stream.isatty():
            self._write(f"{_ERASED}{self._words} ... {passed_s} s")
        elif is_first:
            self._write(f"{self._words} ...\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def say(text: str, colour: str | None = None, *, is_error: bool = False) -> None:
    """Print a line; with a colour where it goes to a terminal, unless NO_COLOR is set."""
    shown = click.style(text, fg=colour) if colour and not os.environ.get("NO_COLOR") else text
    click.echo(shown, err=is_error)
