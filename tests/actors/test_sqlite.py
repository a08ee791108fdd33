"""A backing in a file: what it keeps across restarts, its bounds, and that whatever is wrong with it is a miss."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import open_supervisor
from actors.sqlite import BEHIND_S, RETRY_S, SqliteBacking, SqliteEvent, SqliteSpec, Thread
from actors.sqlite_file import SqliteFile, open_file

Result = TypeVar("Result")
KEY, OTHER = b"k" * 32, b"o" * 32
WALL_S = 1_800_000_000.0


class FakeThread:
    """Runs what blocks at once, in the loop, or fails as it is told to."""

    def __init__(self) -> None:
        self.error: sqlite3.Error | None = None
        self.runs = 0

    async def __call__(self, work: Callable[[], Result]) -> Result:
        await trio.lowlevel.checkpoint()
        self.runs += 1
        if self.error is not None:
            raise self.error
        return work()


class Site:
    def __init__(self, folder: Path) -> None:
        self.spec = SqliteSpec(folder / "answers.sqlite", b"s" * 32)
        self.thread = FakeThread()
        self.events: list[SqliteEvent] = []

    @asynccontextmanager
    async def run(self, spec: SqliteSpec | None = None) -> AsyncIterator[SqliteBacking]:
        """Run a backing as a process does from its start to its end."""
        backing = SqliteBacking(
            spec or self.spec,
            lambda: WALL_S + trio.current_time(),
            thread=self.thread,
            on_event=self.events.append,
        )
        async with open_supervisor() as supervisor:
            await supervisor.start(backing)
            await wait_all_tasks_blocked()
            yield backing


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_what_was_kept_is_found_after_a_restart(site: Site, autojump_clock: trio.abc.Clock) -> None:
    async with site.run() as backing:
        await backing.put(KEY, b"entry", 100.0, ("model:a",))
        await trio.sleep(2 * BEHIND_S)
    await trio.sleep(10.0)
    async with site.run() as backing:
        found = await backing.get(KEY)
        assert found is not None
        assert (found.entry, round(found.age_s), found.tags) == (b"entry", 11, ("model:a",))
        await trio.sleep(100.0)
        assert await backing.get(KEY) is None


async def test_what_waits_to_be_written_is_found_and_not_lost_at_the_end(
    site: Site, autojump_clock: trio.abc.Clock
) -> None:
    async with site.run() as backing:
        await backing.put(KEY, b"entry", 100.0, ())
        assert await backing.get(KEY) is not None
        assert backing.statistics()["stored"] == 0
    async with site.run() as backing:
        assert await backing.get(KEY) is not None


async def test_what_comes_together_is_written_together(site: Site, autojump_clock: trio.abc.Clock) -> None:
    async with site.run() as backing:
        before = site.thread.runs
        for number in range(50):
            await backing.put(bytes([number]) * 32, b"entry", 100.0, ())
        await trio.sleep(2 * BEHIND_S)
        assert backing.statistics()["stored"] == 50
        assert site.thread.runs - before == 1


async def test_a_key_that_is_not_there_asks_no_thread(site: Site, autojump_clock: trio.abc.Clock) -> None:
    async with site.run() as backing:
        before = site.thread.runs
        assert await backing.get(KEY) is None
        assert site.thread.runs == before
        assert backing.statistics()["misses"] == 1


async def test_entries_and_bytes_in_the_file_are_bounded_and_what_expires_first_goes(
    site: Site, autojump_clock: trio.abc.Clock
) -> None:
    async with site.run(replace(site.spec, max_entries=10, max_bytes=5000)) as backing:
        for number in range(30):
            await backing.put(bytes([number]) * 32, b"x" * 10, 100.0, ())
            await trio.sleep(2 * BEHIND_S)
        assert backing.statistics()["entries"] == 10
        assert await backing.get(bytes([19]) * 32) is None
        assert await backing.get(bytes([20]) * 32) is not None
        await backing.put(KEY, b"x" * 4800, 100.0, ())
        await trio.sleep(2 * BEHIND_S)
        assert backing.statistics()["bytes"] <= 5000
        assert await backing.get(KEY) is not None
        for number in range(40):
            await backing.put(bytes([number]) * 32, b"x" * 10, 100.0, ())
        await trio.sleep(2 * BEHIND_S)
        assert backing.statistics()["entries"] <= 10


async def test_what_waits_is_bounded_by_bytes(site: Site, autojump_clock: trio.abc.Clock) -> None:
    async with site.run(replace(site.spec, max_pending_bytes=1000)) as backing:
        for number in range(10):
            await backing.put(bytes([number]) * 32, b"x" * 300, 100.0, ())
        assert backing.statistics()["pending_bytes"] <= 1000
        assert backing.statistics()["unstored"] == 7


async def test_clearing_reaches_the_file_and_what_waits(site: Site, autojump_clock: trio.abc.Clock) -> None:
    async with site.run() as backing:
        await backing.put(KEY, b"entry", 100.0, ("a",))
        await trio.sleep(2 * BEHIND_S)
        await backing.put(OTHER, b"entry", 100.0, ("a", "b"))
        assert await backing.clear("b") == 1
        assert await backing.get(OTHER) is None
        await backing.put(OTHER, b"entry", 100.0, ("a", "b"))
        assert await backing.clear("a") == 2
        assert backing.statistics()["entries"] == 0
    async with site.run() as backing:
        assert await backing.get(KEY) is None
        assert await backing.get(OTHER) is None


async def test_what_is_being_written_when_it_is_cleared_does_not_stay(
    site: Site, autojump_clock: trio.abc.Clock
) -> None:
    async with site.run() as backing, trio.open_nursery() as nursery:
        await backing.put(KEY, b"entry", 100.0, ("a",))
        await trio.sleep(BEHIND_S)
        nursery.start_soon(backing.clear, "a")
        await trio.sleep(BEHIND_S)
        assert await backing.get(KEY) is None
    async with site.run() as backing:
        assert await backing.get(KEY) is None


async def test_a_full_disk_is_counted_and_told_once(site: Site, autojump_clock: trio.abc.Clock) -> None:
    async with site.run() as backing:
        await backing.put(KEY, b"entry", 1000.0, ())
        await trio.sleep(2 * BEHIND_S)
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        site.thread.error = full
        for number in range(3):
            await backing.put(bytes([number]) * 32, b"entry", 1000.0, ())
            await trio.sleep(2 * BEHIND_S)
        assert await backing.get(KEY) is None
        site.thread.error = None
        assert await backing.get(KEY) is not None
        numbers = backing.statistics()
        assert (numbers["stored"], numbers["unstored"], numbers["failed"]) == (1, 3, 4)
    assert [event.name for event in site.events] == ["opened", "failed"]
    assert "full" in str(site.events[1].error)


async def test_a_damaged_file_is_moved_aside_at_the_start(site: Site, autojump_clock: trio.abc.Clock) -> None:
    site.spec.path.write_bytes(b"nonsense" * 1000)
    async with site.run() as backing:
        assert [event.name for event in site.events] == ["damaged", "opened"]
        assert await backing.get(KEY) is None
        await backing.put(KEY, b"entry", 100.0, ())
        await trio.sleep(2 * BEHIND_S)
        assert await backing.get(KEY) is not None
        assert backing.statistics()["damaged"] == 1
    assert (site.spec.path.parent / "answers.sqlite.damaged").read_bytes().startswith(b"nonsense")


async def test_damage_that_shows_while_it_runs_is_a_miss_and_another_file_is_begun(
    site: Site, autojump_clock: trio.abc.Clock
) -> None:
    async with site.run() as backing:
        await backing.put(KEY, b"entry", 100.0, ())
        await trio.sleep(2 * BEHIND_S)
        site.thread.error = sqlite3.DatabaseError("database disk image is malformed")
        site.thread.error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        assert await backing.get(KEY) is None
        site.thread.error = None
        await trio.sleep(2 * RETRY_S)
        await backing.put(KEY, b"entry", 100.0, ())
        await trio.sleep(2 * BEHIND_S)
        assert await backing.get(KEY) is not None


async def test_a_row_that_a_stranger_wrote_is_a_miss(site: Site, autojump_clock: trio.abc.Clock) -> None:
    async with site.run() as backing:
        await backing.put(KEY, b"entry", 100.0, ())
    with sqlite3.connect(site.spec.path) as stranger:
        stranger.execute("update entries set sealed = zeroblob(200)")
    stranger.close()
    async with site.run() as backing:
        assert await backing.get(KEY) is None
        assert backing.statistics()["unsealed"] == 1


async def test_a_file_that_cannot_be_opened_is_tried_again(site: Site, autojump_clock: trio.abc.Clock) -> None:
    site.spec.path.mkdir()
    async with site.run() as backing:
        await backing.put(KEY, b"entry", 100.0, ())
        assert await backing.get(KEY) is None
        assert await backing.clear(None) == 0
        await trio.sleep(3 * RETRY_S)
        assert [event.name for event in site.events] == ["failed"]
        site.spec.path.rmdir()
        await trio.sleep(RETRY_S)
        await backing.put(KEY, b"entry", 100.0, ())
        assert await backing.get(KEY) is not None
    assert [event.name for event in site.events] == ["failed", "opened"]


async def test_the_thread_runs_one_thing_at_a_time_and_holds_up_nobody_who_leaves(tmp_path: Path) -> None:
    thread = Thread()
    file = await thread(lambda: open_file(tmp_path / "a", 1_000_000))
    with trio.CancelScope() as scope:
        scope.cancel(reason="the asker has left")
        await thread(lambda: file.read(KEY, 0.0))
    assert scope.cancelled_caught
    await thread(file.close)


class LateThread:
    """Has done its work while its asker waits on, or does it when he has long left."""

    def __init__(self) -> None:
        self.works: list[Callable[[], object]] = []
        self.done: list[object] = []
        self.is_late = False

    async def __call__(self, work: Callable[[], Result]) -> Result:
        if self.is_late:
            self.works.append(work)
        else:
            self.done.append(work())
        await trio.sleep_forever()
        raise AssertionError("nobody wakes it")


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_file_that_is_opened_for_somebody_who_has_left_is_closed(tmp_path: Path, is_late: bool) -> None:
    thread = LateThread()
    thread.is_late = is_late
    backing = SqliteBacking(SqliteSpec(tmp_path / "a.sqlite", b"s" * 32), lambda: WALL_S, thread=thread)
    async with open_supervisor() as supervisor:
        await supervisor.start(backing)
        await wait_all_tasks_blocked()
    (file,) = thread.done or [work() for work in thread.works]
    assert isinstance(file, SqliteFile)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        file.index(WALL_S)
