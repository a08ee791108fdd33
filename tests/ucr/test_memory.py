import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from ucr.config.model import Config, Memory
from ucr.errors import ApiError
from ucr.logs import make_log
from ucr.memory import Monitor, limit_bytes, machine_bytes, rss_bytes
from ucr.pressure import Pressure
from ucr.views import RequestCount

MIB = 1024 * 1024
ROOT = str(Path(__file__).parents[2])


@dataclass
class Surroundings:
    """What a monitor sees, and what it did."""

    mib: int = 40
    mib_after_tidying: int = 40
    requests: RequestCount = field(default_factory=lambda: RequestCount(0, 0))
    tidied_at: list[float] = field(default_factory=list)
    trimmed_at: list[float] = field(default_factory=list)
    paces: list[int] = field(default_factory=list)
    let_go_at: list[float] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def take(self) -> int:
        return self.mib * MIB

    def tidy(self) -> None:
        self.tidied_at.append(round(trio.current_time()))
        self.mib = min(self.mib, self.mib_after_tidying)

    def trim(self) -> None:
        self.trimmed_at.append(round(trio.current_time()))

    async def let_go(self) -> None:
        self.let_go_at.append(round(trio.current_time()))

    def write(self, line: bytes) -> None:
        self.lines.append(json.loads(line))


@contextmanager
def watched(nursery: trio.Nursery, pressure: Pressure) -> Iterator[Surroundings]:
    seen = Surroundings()
    log = make_log("info", (), (seen.write,), lambda: datetime(2026, 11, 26, tzinfo=UTC))
    monitor = Monitor(
        pressure,
        log,
        lambda: seen.requests,
        seen.let_go,
        take=seen.take,
        tidy=seen.tidy,
        trim=seen.trim,
        set_pace=seen.paces.append,
    )
    nursery.start_soon(monitor.run)
    yield seen
    nursery.cancel_scope.cancel(reason="seen")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell")
def test_the_memory_of_this_process_is_known() -> None:
    assert os.sysconf("SC_PAGE_SIZE") < rss_bytes() < 4 * 1024**3


def test_the_memory_of_the_machine_is_that_of_its_container_if_that_is_less(tmp_path: Path) -> None:
    meminfo, group, older = (tmp_path / name for name in ("meminfo", "memory.max", "limit"))
    assert machine_bytes(meminfo, (group, older)) is None
    meminfo.write_text("MemTotal:        2048 kB\nMemFree:          100 kB\n", "ascii")
    assert machine_bytes(meminfo, (group, older)) == 2 * MIB
    group.write_text("max\n", "ascii")
    older.write_text(f"{MIB}\n", "ascii")
    assert machine_bytes(meminfo, (group, older)) == MIB
    meminfo.write_text("nonsense", "ascii")
    assert machine_bytes(meminfo, (group,)) is None


def test_the_limit_is_that_of_the_configuration_or_a_share() -> None:
    assert limit_bytes(Config(memory=Memory(worker_limit_bytes=7)), 2) == 7
    assert limit_bytes(Config(), 1) > limit_bytes(Config(), 4) >= 256 * MIB


async def test_levels_are_told_when_they_change(autojump_clock: object) -> None:
    pressure = Pressure(100 * MIB)
    async with trio.open_nursery() as nursery:
        with watched(nursery, pressure) as seen:
            for mib in (40, 82, 83, 96, 20):
                seen.mib = seen.mib_after_tidying = mib
                await trio.sleep(1.1)
    told = [(line["event"], line["level"], line["pressure"], line["rss_bytes"] // MIB) for line in seen.lines]
    assert told == [
        ("memory.pressed", "warning", "tight", 82),
        ("memory.pressed", "warning", "spent", 96),
        ("memory.pressed", "info", "calm", 20),
    ]


async def test_it_tidies_up_when_nobody_waits_and_only_after_requests(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        with watched(nursery, Pressure(100 * MIB)) as seen:
            await trio.sleep(60)
            assert seen.tidied_at == []
            seen.requests = RequestCount(started=5, open=1)
            await trio.sleep(60)
            assert seen.tidied_at == []
            seen.requests = RequestCount(started=5, open=0)
            await trio.sleep(60)
            assert len(seen.tidied_at) == 1


async def test_when_it_is_short_it_tidies_up_now_and_then_even_though_somebody_waits(
    autojump_clock: object,
) -> None:
    pressure = Pressure(100 * MIB)
    async with trio.open_nursery() as nursery:
        with watched(nursery, pressure) as seen:
            seen.requests = RequestCount(started=5, open=5)
            await trio.sleep(20.5)
            seen.mib = seen.mib_after_tidying = 85
            await trio.sleep(30)
            assert len(seen.tidied_at) == 3
            seen.mib, seen.mib_after_tidying = 93, 50
            await trio.sleep(10)
            assert pressure.level == "calm"


async def test_when_it_has_grown_it_gives_pages_back_once_although_somebody_waits(
    autojump_clock: object,
) -> None:
    """A full pass would hold up everybody: it is left to when few wait."""
    async with trio.open_nursery() as nursery:
        with watched(nursery, Pressure(1000 * MIB)) as seen:
            seen.requests = RequestCount(started=500, open=500)
            await trio.sleep(20.5)
            for mib, times in ((60, 0), (90, 1), (100, 1), (120, 2)):
                seen.mib = seen.mib_after_tidying = mib
                await trio.sleep(70)
                assert (len(seen.trimmed_at), seen.tidied_at) == (times, [])


@pytest.mark.parametrize("still_open", [0, 5])
async def test_what_was_in_use_when_it_had_grown_is_given_back_once_it_is_not(
    autojump_clock: object, still_open: int
) -> None:
    async with trio.open_nursery() as nursery:
        with watched(nursery, Pressure(1000 * MIB)) as seen:
            seen.requests = RequestCount(started=500, open=500)
            await trio.sleep(20.5)
            seen.mib = seen.mib_after_tidying = 400
            await trio.sleep(100)
            assert (len(seen.trimmed_at), seen.tidied_at, seen.mib) == (1, [], 400)
            seen.requests, seen.mib_after_tidying = RequestCount(started=500, open=still_open), 50
            await trio.sleep(600)
            assert (len(seen.trimmed_at), len(seen.tidied_at), seen.mib) == (1, 1, 50)


async def test_the_collector_looks_more_seldom_the_more_requests_are_open(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        with watched(nursery, Pressure(1000 * MIB)) as seen:
            for number in (0, 10, 500):
                seen.requests = RequestCount(started=number, open=number)
                await trio.sleep(1.1)
            assert seen.paces == [0, 10, 500]


@pytest.mark.slow
def test_a_pass_looks_at_no_more_than_so_many_objects() -> None:
    code = "import gc; from ucr.memory import set_pace\nfor n in (0, 100, 900, 10**6): set_pace(n); print(*gc.get_threshold())"
    assert child(code) == "5000 20 100\n10000 10 100\n50000 2 100\n50000 2 100\n"


async def test_between_two_looks_it_is_known_what_is_taken(autojump_clock: object) -> None:
    pressure = Pressure(100 * MIB)
    async with trio.open_nursery() as nursery:
        with watched(nursery, pressure) as seen:
            pressure.check()
            seen.mib = 95
            with pytest.raises(ApiError):
                pressure.check()
            assert pressure.level == "calm"


async def test_what_is_kept_for_later_is_let_go_once_when_memory_begins_to_be_short(
    autojump_clock: object,
) -> None:
    async with trio.open_nursery() as nursery:
        with watched(nursery, Pressure(100 * MIB)) as seen:
            await trio.sleep(0.5)
            for mib in (85, 91, 96, 91, 70, 91):
                seen.mib = seen.mib_after_tidying = mib
                await trio.sleep(1)
            assert seen.let_go_at == [1, 6]


def child(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.slow
def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    code = (
        "import gc, ucr.worker; from ucr.memory import settle; before = len(gc.get_objects()); settle(); "
        "print(before > 10_000, len(gc.get_objects()) < 1_000, gc.isenabled())"
    )
    assert child(code) == "True True True\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the C library gives nothing back when asked")
def test_what_is_no_longer_used_is_given_back() -> None:
    code = (
        "from ucr.memory import rss_bytes, tidy; low = rss_bytes(); "
        "held = [b'x' * 60_000 + bytes(number) for number in range(2000)]; high = rss_bytes(); last = held[-1]; "
        "held.clear(); tidy(); print(high - low > 100_000_000, rss_bytes() - low < 20_000_000)"
    )
    assert child(code) == "True True\n"
