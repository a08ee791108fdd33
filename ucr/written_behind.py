"""An actor whose child writes what it was told into a file, once a second and beside the loop.

How this works. Messages are answered from memory, so that nobody waits for a disk. Once a second what is new is taken
as one batch and written in a thread; what cannot be written is put back, and tried again with what comes next.
"""

import sqlite3
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

import trio

from actors import ActorChild, Mailbox
from actors.actor import Actor
from ucr.logs import Log

WRITE_S = 1.0
CAPACITY = 4096

Message = TypeVar("Message")
Batch = TypeVar("Batch")

Beside = Callable[[Callable[[], bool]], Awaitable[bool]]
"""Does beside the loop what blocks."""


async def in_thread(work: Callable[[], bool]) -> bool:
    """Do in a thread what blocks; it is waited for, whatever happens."""
    return await trio.to_thread.run_sync(work)


class WrittenBehind(ActorChild[Message], Generic[Message, Batch]):
    """The child: everything that outlives a crash of the actor. `topic` begins the names of its events in the log.

    Without a file (`is_kept` is false) nothing is kept beyond the process.
    """

    topic: str

    def __init__(
        self,
        name: str,
        make: Callable[[], Actor[Message]],
        unix_time: Callable[[], float],
        log: Log,
        *,
        is_kept: bool,
        beside: Beside = in_thread,
    ) -> None:
        super().__init__(Mailbox(name, capacity=CAPACITY), make)
        self.is_kept = is_kept
        self._unix_time = unix_time
        self._log = log
        self._beside = beside
        self._is_failing = False
        self.failed = 0

    @abstractmethod
    def taken(self) -> Batch | None:
        """Take what is new; None when there is nothing."""

    @abstractmethod
    def write(self, batch: Batch, now_s: float) -> bool:
        """Write a batch, in a thread; True: what was there before is lost. Raise `sqlite3.Error` or `OSError`."""

    @abstractmethod
    def close_file(self) -> None:
        """Let go of the file."""

    @abstractmethod
    def put_back(self, batch: Batch) -> None:
        """Keep what was not written for the next time."""

    @abstractmethod
    def kept(self, batch: Batch, *, was_lost: bool) -> None:
        """Note that a batch was written; `was_lost`: what was in the file before is not."""

    def turn(self) -> None:
        """Do what is to be done once a second besides."""

    async def run(self) -> None:
        """Run one incarnation, and write beside it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(super().run)
            while True:
                await trio.sleep(WRITE_S)
                await self._keep()
                self.turn()

    async def _keep(self) -> None:
        """Write what is new; what is not written waits on."""
        batch = self.taken()
        if not self.is_kept or batch is None:
            return
        try:
            was_lost = await self._beside(partial(self.write, batch, self._unix_time()))
        except (sqlite3.Error, OSError) as error:
            self.put_back(batch)
            self.note_failure(error)
        except BaseException:
            self.put_back(batch)
            raise
        else:
            self._is_failing = False
            self.kept(batch, was_lost=was_lost)
            if was_lost:
                self._log.warning(f"{self.topic}.damaged")

    def note_failure(self, error: Exception) -> None:
        """Count that the file could not be used, and tell it once until it can be."""
        self.failed += 1
        if not self._is_failing:
            self._log.warning(f"{self.topic}.unwritten", error=str(error))
        self._is_failing = True

    async def aclose(self) -> None:
        """Write for the last time: nobody waits for this process any more."""
        try:
            await super().aclose()
        finally:
            self._close()

    def _close(self) -> None:
        if not self.is_kept:
            return
        try:
            if (batch := self.taken()) is not None:
                self._write_last(batch)
        finally:
            self.close_file()

    def _write_last(self, batch: Batch) -> None:
        try:
            self.write(batch, self._unix_time())
        except (sqlite3.Error, OSError) as error:
            self.put_back(batch)
            self.note_failure(error)
