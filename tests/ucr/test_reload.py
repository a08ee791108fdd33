"""Reading the configuration again: one at a time, not too often, and never a broken one."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.world.crew import Stage, stage_log, works
from ucr.config.model import Config
from ucr.control import ReloadResult
from ucr.errors import ConfigError, Problem
from ucr.notify import Notifier
from ucr.reload import PAUSE_S, NotApplied, Reloader, exclusively, told


class Scene:
    """A configuration that is read and applied; what `fails` says is raised instead."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.stage = Stage(nursery, works)
        self.numbers = itertools.count(2)
        self.generation = 1
        self.began: list[float] = []
        self.takes_s = 0.0
        self.running = 0
        self.fails: Exception | None = None
        self.reloader = Reloader(self.read, self.apply, lambda: self.generation, stage_log(self.stage))

    def read(self) -> Config:
        if isinstance(self.fails, ConfigError):
            raise self.fails
        return replace(Config(), source="ucr.toml")

    async def apply(self, config: Config) -> int:
        self.began.append(trio.current_time())
        self.running += 1
        assert self.running == 1
        await trio.sleep(self.takes_s)
        self.running -= 1
        if self.fails is not None:
            raise self.fails
        self.generation = next(self.numbers)
        return self.generation


async def test_a_good_configuration_is_applied_and_told(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        scene = Scene(nursery)
        assert await scene.reloader.reload() == ReloadResult(True, 2)
        (line,) = scene.stage.lines
        assert (line["event"], line["generation"], line["file"]) == ("config.applied", 2, "ucr.toml")
        assert repr(scene.reloader) == "<Reloader, generation 2>"


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (
            ConfigError((Problem("ucr.toml", "server.port", "'sk-secret'", "must be a number"),)),
            {"file": "ucr.toml", "key": "server.port", "remedy": "must be a number"},
        ),
        (NotApplied("worker 1: no such log file"), {"error": "worker 1: no such log file"}),
    ],
)
async def test_one_that_cannot_be_used_keeps_the_old_one_and_says_why_without_values(
    autojump_clock: object, error: Exception, fields: dict[str, Any]
) -> None:
    async with trio.open_nursery() as nursery:
        scene = Scene(nursery)
        scene.fails = error
        result = await scene.reloader.reload()
        assert (result.is_applied, result.generation) == (False, 1)
        (line,) = scene.stage.lines
        assert line["event"] == "config.rejected"
        assert fields.items() <= line.items()
        assert "sk-secret" not in str(line)


async def test_a_storm_of_reloads_is_at_most_two_in_a_second_one_at_a_time(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        scene = Scene(nursery)
        scene.takes_s = 0.1
        async with trio.open_nursery() as storm:
            for _ in range(100):
                storm.start_soon(scene.reloader.reload)
                await trio.sleep(0.05)
        assert 2 <= len(scene.began) <= 2 * 5 + 2
        gaps = [after - before for before, after in itertools.pairwise(scene.began)]
        assert min(gaps) >= PAUSE_S


async def test_whoever_asks_while_one_runs_gets_one_that_begins_after_it(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        scene = Scene(nursery)
        scene.takes_s = 1.0
        nursery.start_soon(scene.reloader.reload)
        await trio.sleep(0.5)
        assert (await scene.reloader.reload()).generation == 3


async def test_one_who_leaves_takes_nobodys_reload_with_him(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        scene = Scene(nursery)
        scene.takes_s = 1.0
        with trio.move_on_after(0.5):
            await scene.reloader.reload()
        scene.running = 0
        assert (await scene.reloader.reload()).is_applied


async def test_other_changes_wait_for_a_reload(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        scene = Scene(nursery)
        scene.takes_s = 3.0
        nursery.start_soon(scene.reloader.reload)
        await trio.sleep(1)
        ended: list[float] = []

        async def work() -> None:
            ended.append(trio.current_time() - scene.began[0])

        await exclusively(scene.reloader.lock, work)
        assert ended == [pytest.approx(3.0)]


async def test_the_service_manager_is_told_without_one_as_well(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        scene = Scene(nursery)
        assert (await told(Notifier({}, 1), scene.reloader)).generation == 2
