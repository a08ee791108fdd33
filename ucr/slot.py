"""A slot: the place of one worker. Supervised like an actor; its incarnations are processes.

How this works. A worker that dies before it was ready, or right after, crashes its slot, and the supervisor's
back-off follows. One that had served for a while is replaced at once. In a replacement the new worker is ready
before the old one drains, and the slot's place in the supervisor does not change.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import trio

from actors import Intensity
from ucr.hired import HiredWorker, Unready
from ucr.logs import Log

INTENSITY = Intensity(max_crashes=3, window_s=60.0, first_delay_s=0.2, max_delay_s=30.0, gives_up=False)
"""A slot never gives up: its delay stays at half a minute while its workers die young."""

KILL_AFTER_S = 1.0
"""How long a worker has between SIGTERM and SIGKILL."""

DRAIN_MARGIN_S = 5.0
"""How long a worker may take beyond its grace time."""

Hire = Callable[[int], Awaitable[HiredWorker]]
Dismiss = Callable[[HiredWorker], None]


class Slot:
    """`hire` starts a worker and returns it when it is ready, or raises `Unready`; `dismiss` lets one drain.

    `busy` is held by whoever is about to put a worker into the slot.

    What `run` waits for is that a worker leaves the slot, dead or replaced: who has been replaced may go on for
    minutes, and meanwhile the death of the one that took its place must be seen.
    """

    essential = False
    restart: Literal["permanent", "transient", "temporary"] = "permanent"

    def __init__(
        self,
        number: int,
        first: HiredWorker,
        hire: Hire,
        dismiss: Dismiss,
        grace_s: Callable[[], float],
        log: Log,
    ) -> None:
        self.number = number
        self.current: HiredWorker | None = first
        self.busy = trio.Lock()
        self._hire = hire
        self._dismiss = dismiss
        self._grace_s = grace_s
        self._log = log
        self._is_draining = False

    def __repr__(self) -> str:
        return f"<Slot {self.number}: {self.current!r}>"

    @property
    def name(self) -> str:
        return f"worker {self.number}"

    async def run(self) -> None:
        """Keep a worker in the slot; raises `Unready` when it dies young."""
        while True:
            async with self.busy:
                worker = self.current
                if worker is None:
                    worker = await self._hire(self.number)
                    self.replace(worker)
            await worker.left.wait()
            if self._is_draining:
                await trio.sleep_forever()
            if self.current is worker:
                self.current = None
                if not worker.is_settled:
                    raise Unready(f"worker {self.number} (process {worker.pid}) ended with {worker.exit}")

    def replace(self, hired: HiredWorker) -> None:
        """Put a worker that is ready into the slot; the one that was there drains."""
        before, self.current = self.current, hired
        former = None if before is None else before.pid
        self._log.info("worker.replaced", slot=self.number, pid=hired.pid, former=former)
        if before is not None:
            before.left.set()
            self._dismiss(before)

    def vacate(self) -> None:
        """Let the worker drain as one that is replaced, and have no other."""
        self._is_draining = True
        before, self.current = self.current, None
        if before is not None:
            before.left.set()
            self._dismiss(before)

    def crashed(self, error: BaseException | None) -> None:
        """Nothing is left to clear up: the process is gone."""

    def gave_up(self) -> None:
        """Never happens: the intensity does not give up."""

    def inside(self) -> Any:
        """Return nothing: what is in a worker is shown by the worker."""
        return None

    async def drain(self) -> None:
        """Let the worker finish what is open, and return when it has ended."""
        self._is_draining = True
        if self.current is not None:
            await end(self.current, self._grace_s())

    async def aclose(self) -> None:
        """End what has not ended by itself."""
        if self.current is not None:
            self.current.kill()
        await trio.lowlevel.checkpoint()


async def end(worker: HiredWorker, grace_s: float) -> None:
    """Drain a worker; after the grace time and a margin ask by signal, then kill."""
    worker.drain(grace_s)
    for remind, limit_s in ((worker.terminate, grace_s + DRAIN_MARGIN_S), (worker.kill, KILL_AFTER_S)):
        with trio.move_on_after(limit_s):
            await worker.ended.wait()
            return
        remind()
    await worker.ended.wait()
