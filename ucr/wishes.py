"""What an operator wants of the router, said by signals."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from ucr.config.model import Config

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)
Announce = Callable[[Config, int], None]


class EndedAtOnce(Exception):
    """A second signal came: nothing was waited for any more."""


class Wishes:
    """What signals ask for. The first SIGTERM or SIGINT asks for the end, a second one for the end at once."""

    def __init__(self) -> None:
        self.end = trio.Event()
        self.at_once = trio.CancelScope()
        self.renewal = trio.Event()
        self.reload = trio.Event()
        self.is_starting = True

    def __repr__(self) -> str:
        return f"<Wishes {'end' if self.end.is_set() else 'go on'}>"

    async def listen(self, signals: AsyncIterator[int]) -> None:
        """Take signals, for ever."""
        async for number in signals:
            if number == signal.SIGUSR2:
                self.renewal.set()
            elif number == signal.SIGHUP:
                self.reload.set()
            elif number in (signal.SIGTERM, signal.SIGINT):
                if self.end.is_set() or self.is_starting:
                    self.at_once.cancel(reason=f"{signal.Signals(number).name} came again, or at the start")
                self.end.set()


@asynccontextmanager
async def obeying() -> AsyncIterator[Wishes]:
    """Take signals as long as the block. A wish to end at once cancels it; `EndedAtOnce` is raised then.

    At the start there is nothing to wait for, and the first signal ends the block without an error.
    """
    wishes = Wishes()
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wishes.listen, signals)
            with wishes.at_once:
                yield wishes
            nursery.cancel_scope.cancel(reason="the router has ended")
    if wishes.at_once.cancelled_caught and not wishes.is_starting:
        raise EndedAtOnce
