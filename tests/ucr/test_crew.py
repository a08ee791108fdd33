"""The crew, with workers that are tasks: every way in which one can end, and every change done to all."""

from dataclasses import replace

import pytest
import trio

from tests.world.crew import FakeProcess, dies, falls_silent, hangs, on_stage, refuses, works
from ucr.config.model import Config, Server
from ucr.control import LocalControl
from ucr.crew import HOPELESS_S, MOST_LEAVING, RELIEF_S, STALLED_S, default_workers, wanted_workers
from ucr.hired import START_S, Unready
from ucr.messages import Lines, Listening, ProviderFact, Rejected, RemedyFound, Tune
from ucr.outlet import Write
from ucr.parent_control import ParentControl
from ucr.spawn import Exit

OLD = Config(server=Server(grace_s=3.0))
LOCAL = LocalControl(None, None)  # type: ignore[arg-type]
NEW = replace(OLD, source="new.toml")


async def test_every_slot_gets_a_worker_with_the_configuration(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(3)
        assert sorted(process.slot for process in stage.processes) == [0, 1, 2]
        assert [process.configs for process in stage.processes] == [[OLD]] * 3
        assert sorted(line["slot"] for line in stage.events("worker.ready")) == [0, 1, 2]
        assert [slot.name for slot in crew.slots.values()] == ["worker 0", "worker 1", "worker 2"]
        await crew.end()
    assert [line["status"] for line in stage.events("worker.exited")] == [0, 0, 0]
    assert {line["level"] for line in stage.events("worker.exited")} == {"info"}


@pytest.mark.parametrize(("script", "why"), [(dies, "ended with status 1"), (hangs, "not ready within 30 s")])
async def test_a_first_worker_that_does_not_get_ready_fails_the_start(
    autojump_clock: object, script: object, why: str
) -> None:
    async with on_stage(OLD, script) as (stage, crew):  # type: ignore[arg-type]
        began = trio.current_time()
        with pytest.raises(Unready, match=why):
            await crew.resize(2)
        assert trio.current_time() - began <= START_S + 1
        assert stage.living == []


async def test_a_settled_worker_that_is_killed_is_replaced_at_once_and_the_others_do_not_notice(
    autojump_clock: object,
) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        await trio.sleep(5)
        killed, other = stage.processes
        killed.kill()
        await trio.sleep(0.6)
        assert [process.slot for process in stage.living] == [other.slot, killed.slot]
        assert [worker.slot for worker in crew.workers] == [0, 1]
        (exited,) = stage.events("worker.exited")
        assert (exited["level"], exited["slot"], exited["signal"]) == ("error", killed.slot, "SIGKILL")
        assert [line["slot"] for line in stage.events("worker.replaced")] == [killed.slot]


async def test_workers_that_die_young_are_started_ever_more_slowly_and_for_ever(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        await trio.sleep(5)
        stage.script = dies
        stage.processes[0].kill()
        await trio.sleep(60)
        assert 5 <= len(stage.processes) - 2 <= 10
        crashes = [line["delay_s"] for line in stage.events("slot.crashed")]
        assert all(delay <= 30 for delay in crashes)
        await trio.sleep(600)
        assert 15 <= len(stage.processes) - 2 <= 60
        stage.script = works
        await trio.sleep(31)
        assert sorted(worker.slot for worker in crew.workers) == [0, 1]


async def test_a_worker_whose_loop_does_not_turn_is_called_stalled_and_then_killed_and_replaced(
    autojump_clock: object,
) -> None:
    async with on_stage(OLD, falls_silent) as (stage, crew), trio.open_nursery() as nursery:
        nursery.start_soon(crew.watch)
        await crew.resize(1)
        stage.script = works
        await trio.sleep(STALLED_S + 1.5)
        (worker,) = crew.workers
        assert worker.is_stalled
        await trio.sleep(HOPELESS_S)
        assert [line["event"] for line in stage.lines if line["level"] != "info"] == [
            "worker.stalled",
            "worker.killed",
            "worker.exited",
        ]
        assert [process.slot for process in stage.living] == [0]
        await trio.sleep(60)
        assert len(stage.events("worker.stalled")) == 1
        nursery.cancel_scope.cancel()


async def test_a_configuration_is_followed_by_every_worker(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        await crew.follow(NEW)
        assert [process.configs for process in stage.processes] == [[OLD, NEW]] * 2
        assert (crew.config, crew.generation) == (NEW, 2)
        assert {worker.generation for worker in crew.workers} == {2}


async def test_when_one_worker_rejects_a_configuration_all_go_back(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        good, bad = stage.processes
        bad.refusal = OSError("no such log file")
        with pytest.raises(Rejected, match=f"worker {bad.slot}: OSError: no such log file"):
            await crew.follow(NEW)
        assert good.configs == [OLD, NEW, OLD]
        assert bad.configs == [OLD]
        assert crew.config == OLD


async def test_a_worker_that_dies_meanwhile_has_no_say_and_its_successor_follows(
    autojump_clock: object,
) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        await trio.sleep(5)
        stage.processes[0].kill()
        await crew.follow(NEW)
        await trio.sleep(2)
        assert [process.configs[-1] for process in stage.living] == [NEW, NEW]


async def test_a_worker_that_starts_while_the_configuration_changes_ends_up_with_the_new_one(
    autojump_clock: object,
) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        await trio.sleep(5)
        stage.processes[0].kill()
        await trio.sleep(0.2)
        await crew.follow(NEW)
        await trio.sleep(3)
        assert [process.configs[-1] for process in stage.living] == [NEW, NEW]


async def test_a_renewal_has_each_new_worker_ready_before_its_old_one_drains(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        before = [worker.pid for worker in crew.workers]
        await crew.renew()
        assert not {worker.pid for worker in crew.workers} & set(before)
        order = [(line["event"], line.get("pid")) for line in stage.lines]
        for old, new in zip(before, [worker.pid for worker in crew.workers], strict=True):
            await trio.sleep(2)
            assert order.index(("worker.ready", new)) > 0
            exited = [line for line in stage.events("worker.exited") if line["pid"] == old]
            assert [line["status"] for line in exited] == [0]
        assert len(stage.living) == 2


async def test_a_renewal_that_does_not_succeed_leaves_the_old_workers_where_they_are(
    autojump_clock: object,
) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        before = crew.workers
        stage.script = dies
        await crew.renew()
        assert crew.workers == before
        assert len(stage.events("worker.unready")) == 2


async def test_new_workers_take_a_configuration_that_running_ones_cannot(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        await crew.succeed(NEW, ())
        await trio.sleep(2)
        assert [process.configs for process in stage.living] == [[NEW]] * 2
        stage.script = dies
        before = crew.workers
        with pytest.raises(Unready):
            await crew.succeed(OLD, ())
        assert (crew.workers, crew.config) == (before, NEW)


async def test_a_worker_that_the_system_does_not_start_is_one_that_is_not_ready(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        before = crew.workers
        stage.start_error = OSError("too many processes")
        await crew.renew()
        assert crew.workers == before
        with pytest.raises(Unready, match="too many processes"):
            await crew.succeed(NEW, ())
        stage.living[1].kill()
        await trio.sleep(2)
        stage.start_error = None
        await trio.sleep(10)
        assert [worker.slot for worker in crew.workers] == [0, 1]


async def test_no_new_worker_is_left_when_a_succession_is_given_up_half_way(autojump_clock: object) -> None:
    async def halts(process: FakeProcess) -> None:
        await (works if process.slot == 0 else hangs)(process)

    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        before = {worker.pid for worker in crew.workers}
        stage.script = halts
        with trio.move_on_after(3):
            await crew.succeed(NEW, ())
        await trio.sleep(1)
        assert {process.pid for process in stage.living} == before


async def test_slots_come_and_go(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(1)
        await crew.resize(3)
        assert [worker.slot for worker in crew.workers] == [0, 1, 2]
        await crew.resize(1)
        await trio.sleep(5)
        assert [process.slot for process in stage.living] == [0]
        assert [line["status"] for line in stage.events("worker.exited")] == [0, 0]


async def test_the_end_is_hurried_for_workers_that_were_replaced(autojump_clock: object) -> None:
    async with on_stage(OLD, falls_silent) as (stage, crew):
        await crew.resize(1)
        await crew.renew()
        began = trio.current_time()
        await crew.end()
        assert trio.current_time() - began == pytest.approx(3 + 5 + 1, abs=0.5)
    assert {line["signal"] for line in stage.events("worker.exited")} == {"SIGKILL"}
    assert all(process.is_terminated for process in stage.processes)


async def test_many_renewals_leave_only_so_many_workers_behind(autojump_clock: object) -> None:
    async with on_stage(OLD, falls_silent) as (stage, crew):
        await crew.resize(1)
        for _ in range(2 * MOST_LEAVING):
            await crew.renew()
            await trio.sleep(10)
        assert len(stage.living) == MOST_LEAVING + 1
        assert [process.pid for process in stage.living] == [p.pid for p in stage.processes][
            -MOST_LEAVING - 1 :
        ]


async def test_a_worker_that_refuses_to_change_can_still_start(autojump_clock: object) -> None:
    async with on_stage(OLD, refuses) as (_, crew):
        await crew.resize(1)
        with pytest.raises(Rejected):
            await crew.follow(NEW)


async def test_a_fact_of_one_worker_is_told_to_the_others(autojump_clock: object) -> None:
    fact = ProviderFact("up", "rate_limit", 0, 12.0)
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(3)
        first, *others = stage.processes
        assert first.link is not None
        first.link.parent.offer(fact)
        await trio.sleep(0.1)
        assert [process.facts for process in others] == [[fact], [fact]]
        assert first.facts == []
        found = RemedyFound("up", "m", "cap", ("max_tokens",), 4096)
        first.link.parent.offer(found)
        await trio.sleep(0.1)
        assert [process.facts for process in others] == [[fact, found], [fact, found]]


async def test_totals_never_fall_though_workers_die_and_are_replaced(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        for number, process in enumerate(stage.processes):
            process.requests = 10 + number
        await trio.sleep(3)
        assert (await crew.gather()).metrics.total("ucr_requests_total") == 21
        stage.processes[0].kill()
        await trio.sleep(0.1)
        assert (await crew.gather()).metrics.total("ucr_requests_total") == 21
        await trio.sleep(3)
        await crew.renew()
        await trio.sleep(5)
        gathered = await crew.gather()
        assert gathered.metrics.total("ucr_requests_total") == 21
        assert sorted(view.worker for view in gathered.workers) == ["0", "1"]
        assert gathered.parent is not None
        assert [child.name for child in gathered.parent.children] == ["worker 0", "worker 1"]


async def test_totals_do_not_fall_while_a_slot_that_is_no_longer_wanted_drains(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        for process in stage.processes:
            process.requests = 10
        await trio.sleep(3)
        await crew.resize(1)
        for _ in range(10):
            assert (await crew.gather()).metrics.total("ucr_requests_total") == 20
            await trio.sleep(0.2)
        assert [line["status"] for line in stage.events("worker.exited")] == [0]


async def test_a_worker_that_does_not_answer_is_shown_as_it_was_last_and_as_stalled(
    autojump_clock: object,
) -> None:
    async with on_stage(OLD) as (stage, crew), trio.open_nursery() as nursery:
        nursery.start_soon(crew.watch)
        await crew.resize(1)
        stage.processes[0].requests = 4
        await trio.sleep(2)
        stage.processes[0].link.mailbox.close()  # type: ignore[union-attr]
        (worker,) = crew.workers
        worker.is_stalled = True
        gathered = await crew.gather()
        assert [(view.state, view.metrics.total("ucr_requests_total")) for view in gathered.workers] == [
            ("stalled", 4)
        ]
        nursery.cancel_scope.cancel()


async def test_any_worker_can_ask_for_all(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew):
        await crew.resize(2)
        link = stage.processes[1].link
        assert link is not None
        control = ParentControl(link.parent, LOCAL)
        assert len((await control.gather()).workers) == 2
        assert await control.clear_cache() == 6
        assert await control.clear_cache("model:m") == 14
        assert (await control.reload()).problems == ("the router is starting, or ending",)


def test_there_are_as_many_workers_as_cores_within_reason() -> None:
    assert [default_workers(cores) for cores in (1, 2, 3, 64)] == [2, 2, 3, 4]
    assert default_workers() in range(2, 5)
    assert wanted_workers(Config(server=Server(workers=9))) == 9
    assert wanted_workers(Config()) == default_workers()


async def test_a_worker_without_memory_is_replaced_by_one_that_is_ready_before_it_drains(
    autojump_clock: object,
) -> None:
    async with on_stage(OLD) as (stage, crew), trio.open_nursery() as nursery:
        nursery.start_soon(crew.watch)
        await crew.resize(2)
        first, second = stage.processes
        first.pressure, second.pressure = "spent", "shedding"
        await trio.sleep(RELIEF_S - 5)
        assert stage.events("worker.exhausted") == []
        await trio.sleep(10)
        assert [line["pid"] for line in stage.events("worker.exhausted")] == [first.pid]
        (replaced,) = stage.events("worker.replaced")
        assert (replaced["slot"], replaced["former"]) == (first.slot, first.pid)
        assert (first.exit, second.exit) == (Exit(0, None), None)
        nursery.cancel_scope.cancel()


async def test_workers_without_memory_are_replaced_one_at_a_time_and_each_only_when_it_has_lived_for_a_while(
    autojump_clock: object,
) -> None:
    async def never_has_enough(process: FakeProcess) -> None:
        process.pressure = "spent"
        await works(process)

    async with on_stage(OLD, never_has_enough) as (stage, crew), trio.open_nursery() as nursery:
        nursery.start_soon(crew.watch)
        await crew.resize(2)
        await trio.sleep(10 * RELIEF_S)
        assert 10 <= len(stage.events("worker.replaced")) <= 20
        nursery.cancel_scope.cancel()


async def test_a_worker_without_memory_stays_when_no_other_gets_ready(autojump_clock: object) -> None:
    async with on_stage(OLD) as (stage, crew), trio.open_nursery() as nursery:
        nursery.start_soon(crew.watch)
        await crew.resize(1)
        (first,) = stage.processes
        first.pressure, stage.script = "spent", dies
        await trio.sleep(RELIEF_S + 5)
        assert stage.events("worker.unready")
        assert first.exit is None
        nursery.cancel_scope.cancel()


async def test_what_one_worker_and_the_parent_log_reaches_the_listeners_of_another(
    autojump_clock: object,
) -> None:
    heard: list[Write | None] = []
    async with on_stage(OLD) as (stage, crew):
        crew.hub.overhear = heard.append
        await crew.resize(2)
        one, two = stage.processes
        assert one.link is not None
        assert two.link is not None
        one.link.parent.offer(Listening())
        await trio.sleep(0.1)
        assert two.heard == [Tune()]
        two.link.parent.offer(Lines(("two",)))
        await trio.sleep(0.1)
        assert heard[0] is not None
        heard[0](b"parent\n")
        await trio.sleep(0.1)
        assert one.heard == [Lines(("two",)), Lines(("parent",))]
        assert two.heard == [Tune()]
