import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import trio

from ucr.stress.real.load import Load, Marks, Plan, Shot
from ucr.stress.real.processes import Kill
from ucr.stress.real.report import Report
from ucr.stress.real.router import Router
from ucr.stress.real.run import Run
from ucr.stress.real.storms import KINDS, Storm, Strike


async def storm_in(folder: Path, kinds: Mapping[str, Strike] = KINDS) -> Storm:
    run = Run(False, 1, folder, Report(False, lambda _: None), 2)
    load = Load(1, Plan(), Marks(), random.Random(1))
    async with run.upstreams("alpha", "beta") as (alpha, beta):
        return Storm(run, cast(Router, None), load, (alpha, beta), random.Random(1), kinds)


async def test_what_was_in_flight_where_a_fault_struck_is_excused_and_nothing_else(tmp_path: Path) -> None:
    storm = await storm_in(tmp_path)
    storm.fell_at.append(10.0)
    storm.kills.append(Kill("1", 20.0, 0.5, frozenset(), True))
    assert storm.excuses(Shot("m", "error", 9.0, 10.1, worker="0"))
    assert not storm.excuses(Shot("m", "error", 10.2, 10.3, worker="0"))
    assert storm.excuses(Shot("m", "lost", 19.9, 20.1, worker="1"))
    assert not storm.excuses(Shot("m", "lost", 19.9, 20.1, worker="2"))


async def test_faults_strike_in_turn_with_a_pause_and_are_timed(tmp_path: Path, autojump_clock: object) -> None:
    def lasting(seconds: float) -> Strike:
        async def strike(_: Storm) -> None:
            await trio.sleep(seconds)

        return strike

    storm = await storm_in(tmp_path, {"kills": lasting(1.0), "reloads": lasting(3.0)})
    with trio.move_on_after(16.5):
        await storm.blow(("kills", "reloads"))
    assert storm.took_s == {"kills": [1.0, 1.0], "reloads": [3.0, 3.0]}
    assert [(fault.at_s, fault.name) for fault in storm.run.timeline.course().faults] == [
        (2.0, "kills"),
        (5.0, "reloads"),
        (10.0, "kills"),
        (13.0, "reloads"),
    ]


async def test_without_faults_nothing_strikes(tmp_path: Path) -> None:
    storm: Any = await storm_in(tmp_path)
    await storm.blow(())
    assert storm.took_s == {}
    assert set(KINDS) == {"kills", "reloads", "replacements", "stops", "outages", "leavers"}
