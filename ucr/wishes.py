"""What an operator wants of the router, said by signals."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import trio

from ucr.config.model import Config

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)
Announce = Callable[[Config, int], None]


class EndedAtOnce(Exception):
    """A second signal came: nothing was waited for any more."""


class Wishes:
    """What signals ask for. The first SIGTERM or SIGINT asks for the end, a second one for the end at once.

    SIGHUP asks for a reload, SIGUSR2 for new workers; what is asked for again before it has begun is one wish.
    """

    def __init__(self) -> None:
        self.end = trio.Event()
        self.at_once = trio.CancelScope()
        self._send_renewal, self.renewals = trio.open_memory_channel[None](1)
        self._send_reload, self.reloads = trio.open_memory_channel[None](1)
        self.is_starting = True

    def __repr__(self) -> str:
        return f"<Wishes {'end' if self.end.is_set() else 'go on'}>"

    async def listen(self, signals: AsyncIterator[int]) -> None:
        """Take signals, for ever."""
        async for number in signals:
            if number == signal.SIGUSR2:
                _wish(self._send_renewal)
            elif number == signal.SIGHUP:
                _wish(self._send_reload)
            elif number in (signal.SIGTERM, signal.SIGINT):
                if self.end.is_set() or self.is_starting:
                    self.at_once.cancel(reason=f"{signal.Signals(number).name} came again, or at the start")
                self.end.set()


def _wish(channel: trio.MemorySendChannel[None]) -> None:
    with suppress(trio.WouldBlock):
        channel.send_nowait(None)


async def repeat(wishes: trio.MemoryReceiveChannel[None], work: Callable[[], Awaitable[object]]) -> None:
    """Do the work each time it is wished, for ever."""
    async for _ in wishes:
        await work()


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
