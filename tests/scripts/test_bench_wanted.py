from dataclasses import replace

import pytest
from bench_process import Memory
from bench_rounds import Measured, Sample
from bench_start import Idle, Start
from bench_streams import Held, Lateness, Stay
from bench_wanted import MIB, Wish, wishes
from bench_workloads import SMALL, Paced, Workload
from bench_wrk import Load


def asked(name: str, cpu_us: float) -> tuple[Workload, list[Measured]]:
    load = Load(1000, 1_000_000, 0, 0, 0, 1500, 2000, 2500, 3000)
    sample = Sample(load, cpu_us * 1000 / 1e6, Memory(MIB, MIB))
    return replace(SMALL, name=name), [Measured("UCR", Memory(MIB, MIB), [sample])]


def held(name: str, first_us: int, later_us: int, lost: int = 0) -> Held:
    first, later = (Lateness(10, time, time, time, time, time) for time in (first_us, later_us))
    return Held(name, Memory(MIB, MIB), [Stay(100, lost, 4000, first, later, 0.2, Memory(99 * MIB, 90 * MIB))])


@pytest.mark.parametrize(("cpu_us", "holds"), [(150.0, "yes"), (160.0, "NO")])
def test_a_request_may_cost_half_as_much_again_with_a_hundred_times_the_connections(
    cpu_us: float, holds: str
) -> None:
    (wish,) = wishes([asked("pool-10", 100), asked("pool-100", 100), asked("pool-1000", cpu_us)], [], None)
    assert wish.cells[1:] == (f"{cpu_us / 100:.3g} x", "1.5 x", holds)


def test_growth_is_not_told_when_one_end_of_it_was_not_measured() -> None:
    assert wishes([asked("pool-10", 100)], [], None) == []


@pytest.mark.parametrize(
    ("streams", "told"),
    [
        (20, []),
        (100, [("6 ms", "5 ms", "NO"), ("50 µs", "45 µs", "NO")]),
        (500, [("90 MiB", "120 MiB", "yes")]),
        (1000, [("49 ms", "50 ms", "yes"), ("2", "0", "NO")]),
    ],
)
def test_streams_that_are_held_open_are_told_beside_what_the_two_ends_take(
    streams: int, told: list[tuple[str, str, str]]
) -> None:
    results = [held("nginx", 1, 1), held("UCR", 7000, 50_000, 2), held("direct", 1000, 1000)]
    found = wishes([], [(Paced(streams, 1), results)], None)
    assert [wish.cells[1:] for wish in found] == told
    assert wishes([], [(Paced(streams, 1), results[:2])], None) == []
    assert wishes([], [(Paced(streams, 1), [Held("UCR", failure="ended"), results[2]])], None) == []


def test_a_worker_that_rests_is_told_by_the_largest_and_the_start_by_its_medians() -> None:
    idle = (Idle("parent", 90 * MIB, 0.5), Idle("worker 0", 40 * MIB, 0.002), Idle("worker 1", 51 * MIB, 0.001))
    found = [wish.cells[1:] for wish in wishes([], [], Start(0.04, 1.25, idle))]
    assert found == [
        ("0.2 %", "1 %", "yes"),
        ("51 MiB", "50 MiB", "NO"),
        ("0.04 s", "0.2 s", "yes"),
        ("1.25 s", "1 s", "NO"),
    ]
    assert len(wishes([], [], Start(0.04, 1.25, ()))) == 2


def test_what_is_just_at_its_bound_holds() -> None:
    assert Wish("it", 5, 5, "").cells[-1] == "yes"
