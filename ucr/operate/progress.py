"""What a command shows while it works: nothing for a second, then that it still does. Colours, on terminals alone."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

QUIET_S, TICK_S = 1.0, 0.2
"""So long nothing is shown, and so often it is looked whether something is to be shown."""

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


@contextmanager
def ticking(progress: Progress, every_s: float = TICK_S) -> Iterator[None]:
    """Show progress by a thread of its own, while this one works without ever waiting."""
    has_ended = threading.Event()

    def tick() -> None:
        while not has_ended.wait(every_s):
            progress.tick()

    thread = threading.Thread(target=tick, name="progress", daemon=True)
    with progress:
        thread.start()
        try:
            yield
        finally:
            has_ended.set()
            thread.join()


def say(text: str, colour: str | None = None, *, is_error: bool = False) -> None:
    """Print a line; with a colour where it goes to a terminal, unless NO_COLOR is set."""
    shown = click.style(text, fg=colour) if colour and not os.environ.get("NO_COLOR") else text
    click.echo(shown, err=is_error)
