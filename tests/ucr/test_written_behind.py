"""What is written behind: in batches, beside the loop, again after a failure, and for the last time at the end."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import trio
from trio.testing import MockClock

from actors import Reply, open_supervisor
from ucr.logs import make_log
from ucr.written_behind import WRITE_S, WrittenBehind

NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def at_once(work: Callable[[], bool]) -> bool:
    await trio.lowlevel.checkpoint()
    return work()


class Notes(WrittenBehind[str, list[str]]):
    topic = "notes"

    def __init__(self, lines: list[dict[str, Any]], *, is_kept: bool = True) -> None:
        log = make_log("info", (), (lambda line: lines.append(json.loads(line)),), lambda: NOW)
        super().__init__("notes", lambda: self, lambda: 7.0, log, is_kept=is_kept, beside=at_once)
        self.waiting: list[str] = []
        self.file: list[str] = []
        self.error: Exception | None = None
        self.was_lost = self.is_closed = False
        self.turns = 0

    def receive(self, message: str, reply: Reply[Any]) -> None:
        self.waiting.append(message)

    def taken(self) -> list[str] | None:
        batch, self.waiting = self.waiting, []
        return batch or None

    def write(self, batch: list[str], now_s: float) -> bool:
        if self.error is not None:
            raise self.error
        self.file += [*batch, str(now_s)]
        return self.was_lost

    def put_back(self, batch: list[str]) -> None:
        self.waiting = batch + self.waiting

    def kept(self, batch: list[str], *, was_lost: bool) -> None:
        assert was_lost == self.was_lost

    def turn(self) -> None:
        self.turns += 1

    def close_file(self) -> None:
        self.is_closed = True


@asynccontextmanager
async def running(notes: Notes) -> AsyncIterator[Notes]:
    async with open_supervisor(rng=lambda: 0.0) as supervisor:
        yield await supervisor.start(notes)


async def test_a_batch_is_written_a_second_later_and_once(autojump_clock: MockClock) -> None:
    async with running(Notes([])) as notes:
        notes.ref.tell("a")
        notes.ref.tell("b")
        await trio.sleep(WRITE_S + 0.1)
        assert notes.file == ["a", "b", "7.0"]
        await trio.sleep(3 * WRITE_S)
        assert (notes.file, notes.turns) == (["a", "b", "7.0"], 4)
    assert notes.is_closed


async def test_what_cannot_be_written_waits_and_is_told_of_once(autojump_clock: MockClock) -> None:
    lines: list[dict[str, Any]] = []
    async with running(Notes(lines)) as notes:
        notes.error = sqlite3.OperationalError("database or disk is full")
        notes.ref.tell("a")
        await trio.sleep(3.5)
        notes.ref.tell("b")
        assert notes.failed == 3
        notes.error = None
        await trio.sleep(1)
        assert notes.file == ["a", "b", "7.0"]
    assert [(line["event"], line["error"]) for line in lines] == [
        ("notes.unwritten", "database or disk is full")
    ]


async def test_a_file_that_was_lost_is_told_of(autojump_clock: MockClock) -> None:
    lines: list[dict[str, Any]] = []
    async with running(Notes(lines)) as notes:
        notes.was_lost = True
        notes.ref.tell("a")
        await trio.sleep(1.5)
    assert [line["event"] for line in lines] == ["notes.damaged"]


async def test_the_rest_is_written_at_the_end(autojump_clock: MockClock) -> None:
    async with running(Notes([])) as notes:
        notes.ref.tell("a")
        await trio.sleep(0.1)
    assert (notes.file, notes.is_closed) == (["a", "7.0"], True)


async def test_without_a_file_nothing_is_written(autojump_clock: MockClock) -> None:
    async with running(Notes([], is_kept=False)) as notes:
        notes.ref.tell("a")
        await trio.sleep(2.5)
        assert notes.turns == 2
    assert (notes.file, notes.is_closed) == ([], False)
