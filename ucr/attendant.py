"""A process that serves the router itself, beside its workers: supervised, and started again when it ends."""

from collections.abc import Callable
from typing import Literal

import trio

from actors import Intensity
from ucr.spawn import ChildProcess, python_module, start_child

INTENSITY = Intensity(max_crashes=3, window_s=60.0, first_delay_s=0.2, max_delay_s=30.0, gives_up=False)
END_S = 1.0


def _ignore(_pid: int) -> None:
    pass


class AttendantEnded(Exception):
    """The process ended although it is needed."""


class Attendant:
    """`python -m module arguments…`, which inherits `descriptors`, as a child of a supervisor.

    `on_started` is called with the id of each process that is started.
    """

    essential = False
    restart: Literal["permanent", "transient", "temporary"] = "permanent"

    def __init__(
        self,
        name: str,
        module: str,
        arguments: tuple[str, ...],
        descriptors: tuple[int, ...],
        on_started: Callable[[int], None] = _ignore,
    ) -> None:
        self._name = name
        self._command = python_module(module, arguments)
        self._descriptors = descriptors
        self._on_started = on_started
        self.process: ChildProcess | None = None

    def __repr__(self) -> str:
        return f"<Attendant {self.name}: {self.process!r}>"

    @property
    def name(self) -> str:
        return self._name

    async def run(self) -> None:
        """Run the process to its end, which is a crash."""
        self.process = start_child(self._command, self._descriptors)
        self._on_started(self.process.pid)
        try:
            ended = await self.process.wait()
        finally:
            self.process.kill()
            with trio.move_on_after(END_S, shield=True):
                await self.process.wait()  # what was killed is reaped, and ends at once
            self.process = None
        raise AttendantEnded(f"{self.name} ended with {ended}")

    def crashed(self, error: BaseException | None) -> None:
        """Nothing is left to clear up: the process is gone."""

    def gave_up(self) -> None:
        """Never happens: the intensity does not give up."""

    def inside(self) -> None:
        """Return nothing: what is in the process is its own business."""

    async def drain(self) -> None:
        """Ask the process to end, and wait a moment for it."""
        if self.process is not None:
            self.process.terminate()
            with trio.move_on_after(END_S):
                await self.process.wait()

    async def aclose(self) -> None:
        """The process was killed when `run` was cancelled."""
        await trio.lowlevel.checkpoint()
