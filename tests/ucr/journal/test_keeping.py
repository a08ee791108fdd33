"""The actor that keeps the journal: written behind, bounded by bytes, and never in anybody's way."""

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from actors import open_supervisor
from ucr.config.model import Journal as JournalConfig
from ucr.journal.entry import Entry, Noted
from ucr.journal.file import NAME
from ucr.journal.keeping import MAX_WAITING_BYTES, Journal, JournalSpec, spec_of, start_journal
from ucr.journal.reading import Reader, Wanted
from ucr.logs import make_log
from ucr.usage import Received

NOW = datetime(2026, 11, 26, tzinfo=UTC)


class Disk:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.entries: list[Entry] = []
        self.is_closed = False

    def write(self, entries: Sequence[Entry], now_s: float) -> bool:
        if self.error is not None:
            raise self.error
        self.entries += entries
        return False

    def close(self) -> None:
        self.is_closed = True


async def at_once(work: Callable[[], bool]) -> bool:
    await trio.lowlevel.checkpoint()
    return work()


def log_to(lines: list[dict[str, Any]]) -> Any:
    return make_log("info", (), (lambda line: lines.append(json.loads(line)),), lambda: NOW)


def entry(number: int, size: int = 0) -> Entry:
    return Entry(float(number), f"req_{number}", "up", 200, False, "x" * size)


async def test_entries_are_written_a_second_later(autojump_clock: MockClock) -> None:
    disk = Disk()
    async with open_supervisor(rng=lambda: 0.0) as supervisor:
        journal = await supervisor.start(Journal(disk, lambda: 7.0, log_to([]), beside=at_once))
        journal.ref.tell(Noted((entry(1), entry(2))))
        await journal.ref.ask(Received())
        assert (disk.entries, journal.statistics().waiting) == ([], 2)
        await trio.sleep(1.1)
        assert disk.entries == [entry(1), entry(2)]
        assert (journal.statistics().written, journal.statistics().waiting_bytes) == (2, 0)
    assert disk.is_closed


async def test_of_what_cannot_be_written_the_latest_is_kept_within_a_bound(autojump_clock: MockClock) -> None:
    disk, lines = Disk(), list[dict[str, Any]]()
    disk.error = OSError("no space left on device")
    size = MAX_WAITING_BYTES // 8
    async with open_supervisor(rng=lambda: 0.0) as supervisor:
        journal = await supervisor.start(Journal(disk, lambda: 7.0, log_to(lines), beside=at_once))
        for number in range(12):
            journal.ref.tell(Noted((entry(number, size),)))
            await trio.sleep(1.1)
            assert journal.statistics().waiting_bytes <= MAX_WAITING_BYTES
        assert (journal.statistics().waiting, journal.statistics().dropped) == (7, 5)
        disk.error = None
        await trio.sleep(1.1)
        assert [one.request_id for one in disk.entries] == [f"req_{number}" for number in range(5, 12)]
        assert journal.statistics().waiting_bytes == 0
    assert [line["event"] for line in lines] == ["journal.unwritten"]


async def test_a_crash_of_the_actor_forgets_nothing(autojump_clock: MockClock) -> None:
    disk = Disk()
    async with open_supervisor(rng=lambda: 0.0) as supervisor:
        journal = await supervisor.start(Journal(disk, lambda: 7.0, log_to([]), beside=at_once))
        journal.ref.tell(Noted((entry(1),)))
        journal.ref.tell("nonsense")  # type: ignore[arg-type]
        await trio.sleep(3)
    assert disk.entries == [entry(1)]


async def test_in_its_folder_it_has_a_file(tmp_path: Path) -> None:
    async with open_supervisor(grace_s=0) as supervisor:
        journal = await start_journal(supervisor, JournalSpec(str(tmp_path)), lambda: 7.0, log_to([]))
        journal.ref.tell(Noted((entry(1, 2),)))
        await journal.ref.ask(Received())
    assert [found.entry for found in Reader(tmp_path / NAME).latest(Wanted(), 5)] == [entry(1, 2)]


async def test_a_file_that_cannot_be_opened_at_the_start_is_told_of_once_and_written_when_it_can_be(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / NAME).mkdir()
    lines: list[dict[str, Any]] = []
    async with open_supervisor(grace_s=0) as supervisor:
        journal = await start_journal(supervisor, JournalSpec(str(tmp_path)), lambda: 7.0, log_to(lines))
        journal.ref.tell(Noted((entry(1),)))
        await trio.sleep(3.5)
        assert (journal.statistics().waiting, journal.statistics().failed) == (1, 4)
        (tmp_path / NAME).rmdir()
        journal.ref.tell(Noted((entry(2),)))
        await trio.sleep(1.1)
        assert (journal.statistics().waiting, journal.statistics().written) == (0, 2)
    assert [line["event"] for line in lines] == ["journal.unwritten"]
    assert [found.entry for found in Reader(tmp_path / NAME).latest(Wanted(), 5)] == [entry(1), entry(2)]


def test_the_configuration_says_for_how_long_and_how_much() -> None:
    assert spec_of(JournalConfig(keep_days=2.0, max_bytes=2**20), "f") == JournalSpec("f", 172_800.0, 2**20)
    assert spec_of(JournalConfig(enabled=False), "f").folder is None
    assert JournalSpec().keep_s == math.inf
