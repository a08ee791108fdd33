"""A slot, with workers that are tasks. What a crew does with its slots is tested in `test_crew`."""

import pytest
import trio

from tests.world.crew import dies, falls_silent, on_stage, works
from ucr.config.model import Config, Server
from ucr.slot import DRAIN_MARGIN_S, INTENSITY, KILL_AFTER_S

CONFIG = Config(server=Server(grace_s=2.0))


def test_a_slot_never_gives_up() -> None:
    assert not INTENSITY.gives_up
    assert INTENSITY.max_delay_s == 30.0


async def test_a_slot_is_emptied_within_the_grace_time_and_its_margins(autojump_clock: object) -> None:
    async with on_stage(CONFIG) as (stage, crew):
        await crew.resize(1)
        slot = crew.slots[0]
        assert repr(slot).startswith("<Slot 0: <HiredWorker ")
        began = trio.current_time()
        await slot.drain()
        assert trio.current_time() - began <= 2.0 + DRAIN_MARGIN_S + KILL_AFTER_S
        assert [process.exit for process in stage.processes] != [None]
        assert slot.inside() is None


async def test_a_slot_that_is_being_emptied_starts_no_other_worker(autojump_clock: object) -> None:
    async with on_stage(CONFIG) as (stage, crew):
        await crew.resize(1)
        await crew.end()
        await trio.sleep(100)
        assert len(stage.processes) == 1


@pytest.mark.parametrize("lived_s", [0.1, 0.9])
async def test_a_worker_that_dies_right_after_it_was_ready_counts_as_a_crash(
    autojump_clock: object, lived_s: float
) -> None:
    async with on_stage(CONFIG) as (stage, crew):
        await crew.resize(1)
        await trio.sleep(lived_s)
        stage.script = works
        stage.processes[0].kill()
        await trio.sleep(2)
        assert len(stage.events("slot.crashed")) == 1
        assert len(stage.living) == 1


async def test_a_slot_without_a_worker_is_emptied_at_once(autojump_clock: object) -> None:
    async with on_stage(CONFIG) as (stage, crew):
        await crew.resize(1)
        await trio.sleep(5)
        stage.script = dies
        stage.processes[0].kill()
        await trio.sleep(30)
        began = trio.current_time()
        await crew.end()
        assert trio.current_time() - began <= 1


async def test_the_death_of_a_worker_is_seen_while_the_one_it_replaced_still_drains(
    autojump_clock: object,
) -> None:
    async with on_stage(CONFIG, falls_silent) as (stage, crew):
        await crew.resize(1)
        await trio.sleep(5)
        await crew.renew()
        await trio.sleep(5)
        assert [process.slot for process in stage.living] == [0, 0]
        stage.living[1].kill()
        await trio.sleep(2)
        assert [process.slot for process in stage.living] == [0, 0]
        assert crew.workers[0].pid == stage.living[1].pid
        await crew.end()


async def test_a_slot_that_was_given_up_can_be_had_again_while_its_worker_drains(
    autojump_clock: object,
) -> None:
    async with on_stage(CONFIG, falls_silent) as (stage, crew):
        await crew.resize(2)
        former = crew.workers[1]
        await crew.resize(1)
        await trio.sleep(60)
        assert former.exit is None
        await crew.resize(2)
        assert [worker.slot for worker in crew.workers] == [0, 1]
        assert len(stage.living) == 3
        await crew.end()
