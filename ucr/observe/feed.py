"""The live feed of a worker: the lines of the log and, each second, statistics, for whoever listens.

How this works. Everything that is worth telling is in the log already, redacted and short: requests that finish,
breakers, restarts, reloads. So the feed is the log, overheard. While nobody listens the log does not know of it,
which costs nothing. Listeners of one worker hear of the others as well: each second a worker with listeners says so to
the parent, the parent asks the other workers to pass on what they log, and what is asked lapses by itself
(`LEASE_S`), so that no worker has to hear that another is gone.
"""

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import trio

from actors.supervisor import Restart
from ucr.jsontext import JsonObject, dumps
from ucr.logs import moment
from ucr.messages import Lines, Listening
from ucr.observe.listener import Listener
from ucr.observe.statistics import Window
from ucr.outlet import Write
from ucr.views import Gathered

LEASE_S = 3.0
TURN_S = 0.2
"""How long lines of this worker may wait until they are passed on together."""
STATISTICS_S = 1.0
MOST_LISTENERS = 32
OUTGOING_BYTES = 1024 * 1024
"""How much may wait to be passed on; what is more is left out, and other workers' listeners do not hear of it."""

TellParent = Callable[[Listening | Lines], object]
"""How a worker says something that the parent may miss."""

Overhear = Callable[[Write | None], None]
"""Has every line of the log given to this as well; None ends it."""


def deaf(_write: Write | None) -> None:
    """Overhear nothing."""


def alone(_message: Listening | Lines) -> None:
    """Tell nobody: there is no parent."""


class Feed:
    """What is told to listeners: a child to be supervised, so that a fault in it costs nothing but what it tells.

    `gather` says how all workers are, `tell_parent` tells the parent what it may miss.
    """

    name = "feed"
    essential = False
    restart: Restart = "permanent"

    def __init__(
        self,
        overhear: Overhear,
        gather: Callable[[], Awaitable[Gathered]],
        unix_time: Callable[[], float],
        tell_parent: TellParent = alone,
    ) -> None:
        self._overhear = overhear
        self._gather = gather
        self._tell_parent = tell_parent
        self._now = lambda: datetime.fromtimestamp(unix_time(), UTC)
        self._listeners: set[Listener] = set()
        self._wanted = trio.Event()
        self._others_until = -math.inf
        self._passes_on = False
        self._outgoing: list[str] = []
        self._outgoing_bytes = 0
        self._is_closed = False
        self._all_left = trio.Event()

    def __repr__(self) -> str:
        return f"<Feed of {len(self._listeners)} listeners>"

    @property
    def has_room(self) -> bool:
        """Whether another one may listen."""
        return len(self._listeners) < MOST_LISTENERS and not self._is_closed

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Give a listener its place, as long as the block."""
        listener = Listener()
        self._listeners.add(listener)
        self._wanted.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._all_left.set()
                self._all_left = trio.Event()

    def others_listen(self) -> None:
        """Pass on what is logged here, for a while: somebody listens to another worker."""
        self._others_until = trio.current_time() + LEASE_S
        self._passes_on = True
        self._wanted.set()

    def hear(self, line: bytes) -> None:
        """Tell a line of this worker's log."""
        text = line.rstrip(b"\n").decode()
        self._tell(text)
        if self._passes_on and self._outgoing_bytes + len(line) <= OUTGOING_BYTES:
            self._outgoing.append(text)
            self._outgoing_bytes += len(line)

    def hear_of_others(self, lines: tuple[str, ...]) -> None:
        """Tell what others have logged."""
        for text in lines:
            self._tell(text)

    def _tell(self, text: str) -> None:
        for listener in self._listeners:
            listener.offer(text)

    def close(self) -> None:
        """Let listeners have what waits for them, and no more: the worker ends."""
        self._is_closed = True
        for listener in self._listeners:
            listener.close()

    async def wait_left(self) -> None:
        """Return when nobody listens."""
        while self._listeners:
            await self._all_left.wait()

    async def run(self) -> None:
        """Overhear the log while anybody listens, for ever."""
        while True:
            await self._wanted.wait()
            self._overhear(self.hear)
            try:
                await self._tell_all()
            finally:
                self._overhear(None)
            self._wanted = trio.Event()

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear up: the next incarnation goes on telling those who listen."""

    def gave_up(self) -> None:
        """Let listeners go: nobody would tell them anything."""
        self.close()

    async def drain(self) -> None:
        """Nothing is open that must end: listeners are let go by whoever drains the worker."""
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Let listeners go."""
        self.close()
        await trio.lowlevel.checkpoint()

    def inside(self) -> None:
        """Return nothing: it has no mailbox."""

    async def _tell_all(self) -> None:
        window, due_s = Window(), -math.inf
        while self._listeners or self._passes_on:
            now_s = trio.current_time()
            if not self._listeners:
                window = Window()
            elif now_s >= due_s:
                due_s = now_s + STATISTICS_S - TURN_S / 2
                self._tell_parent(Listening())
                await self._tell_statistics(window)
            self._pass_on()
            await trio.sleep(TURN_S)

    async def _tell_statistics(self, window: Window) -> None:
        gathered = await self._gather()
        told: JsonObject = {"timestamp": moment(self._now), "level": "info", "event": "statistics"}
        self._tell(dumps({**told, **window.statistics(gathered, trio.current_time())}).decode())

    def _pass_on(self) -> None:
        if self._outgoing:
            self._tell_parent(Lines(tuple(self._outgoing)))
            self._outgoing, self._outgoing_bytes = [], 0
        self._passes_on = trio.current_time() < self._others_until
