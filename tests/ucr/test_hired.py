"""A worker as its parent sees it; most of it is tested in `test_crew`."""

import pytest
import trio

from actors import frame
from tests.world.crew import FakeProcess, Stage, stage_log, works
from ucr.begun import Begun
from ucr.config.model import Config
from ucr.hired import HiredWorker, StartWorker, Unready


async def test_a_worker_that_is_ready_knows_what_it_serves(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        stage = Stage(nursery, works)
        worker = HiredWorker(3, stage_log(stage))
        assert (worker.pid, worker.is_settled) == (0, False)
        await nursery.start(worker.run, stage.start, ())
        await worker.make_ready(7, Config())
        assert repr(worker) == "<HiredWorker 100 of slot 3, generation 7>"
        assert not worker.is_settled
        await trio.sleep(1)
        assert worker.is_settled
        worker.drain(0)
        await worker.ended.wait()
        assert str(worker.exit) == "status 0"


async def test_a_worker_that_talks_nonsense_is_killed(autojump_clock: object) -> None:
    async def garbles(process: FakeProcess) -> None:
        await process.stream.send_all(frame(b"\xc1"))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        stage = Stage(nursery, garbles)
        worker = HiredWorker(0, stage_log(stage))
        await nursery.start(worker.run, stage.start, ())
        with pytest.raises(Unready, match="the other process is gone"):
            await worker.make_ready(1, Config())
        assert [line["event"] for line in stage.lines] == ["worker.garbled"]


async def test_a_worker_is_killed_with_the_task_that_runs_it(autojump_clock: object) -> None:
    async with trio.open_nursery() as outer:
        stage = Stage(outer, works)
        async with trio.open_nursery() as nursery:
            worker = HiredWorker(0, stage_log(stage))
            await nursery.start(worker.run, stage.start, ())
            nursery.cancel_scope.cancel()
        await stage.processes[0].ended.wait()
        assert worker.ended.is_set()


@pytest.mark.slow
async def test_the_first_worker_is_the_process_that_was_begun_ahead_and_the_others_are_new() -> None:
    with Begun(0) as begun:
        start = StartWorker(begun)
        hired = [start(slot, ()) for slot in (1, 0, 0)]
        assert [process.pid == begun.process.pid for process, _ in hired] == [False, True, False]
    for process, stream in hired:
        await stream.aclose()
        with trio.fail_after(60):
            assert str(await process.wait()) == "status 0"


@pytest.mark.slow
async def test_a_process_that_has_ended_before_it_was_hired_is_seen_to_have_ended() -> None:
    with Begun(0) as begun:
        begun.process.kill()
        begun.process.wait()
        process, stream = StartWorker(begun)(0, ())
        async with stream:
            assert await stream.receive_some(1) == b""
        assert str(await process.wait()) == "signal SIGKILL"
