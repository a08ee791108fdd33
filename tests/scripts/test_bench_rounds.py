import pytest
from bench_process import Memory
from bench_rounds import Measured, Sample, kind_of, named, ratio, rounds_of, turned
from bench_workloads import ONE, SMALL, TLS
from bench_wrk import Load


def sample(cpu_s: float, requests: int = 1000, refused: int = 0) -> Sample:
    return Sample(Load(requests, 1_000_000, 0, 0, refused, 100, 200, 300, 400), cpu_s, Memory(0, 0))


def measured(name: str, *cpu_s: float) -> Measured:
    return Measured(name, samples=[sample(seconds) for seconds in cpu_s])


def test_the_processor_time_of_a_request_is_in_microseconds() -> None:
    assert sample(0.1).cpu_us == pytest.approx(100)
    assert sample(0.1, requests=0).cpu_us == 0


def test_the_median_of_the_rounds_counts() -> None:
    assert measured("UCR", 0.1, 0.9, 0.2).cpu_us == pytest.approx(200)
    assert measured("UCR").cpu_us == 0


def test_a_ratio_is_made_within_a_round() -> None:
    ucr, nginx = measured("UCR", 0.1, 0.8, 0.9), measured("nginx", 0.01, 0.1, 0.1)
    assert ratio(ucr, nginx) == pytest.approx(9)
    assert ratio(ucr, nginx, lambda one: one.load.per_s) == pytest.approx(1)


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratio(measured("UCR", 0.1), None) is None
    assert ratio(measured("UCR", 0.1), measured("direct", 0.0)) is None


def test_results_are_found_by_name_when_there_are_any() -> None:
    results = [measured("nginx"), measured("UCR", 0.1)]
    assert named(results, "UCR") is results[1]
    assert named(results, "nginx") is None
    assert named(results, "direct") is None


def test_refusals_of_all_rounds_are_counted() -> None:
    assert Measured("UCR", samples=[sample(0.1, refused=2), sample(0.1, refused=3)]).errors == 5


def test_every_contender_is_first_in_turn() -> None:
    orders = [turned("abc", number) for number in (0, 1, 2, 3, 4)]
    assert ["".join(order) for order in orders] == ["cab", "abc", "bca", "cab", "abc"]
    assert turned("", 1) == []


def test_workloads_without_a_budget_are_measured_less_often_and_at_least_once() -> None:
    assert [rounds_of(5, SMALL), rounds_of(5, ONE[0]), rounds_of(1, ONE[0])] == [5, 3, 1]


@pytest.mark.parametrize(("refused", "is_sound"), [(0, True), (10, True), (11, False), (1000, False)])
def test_who_refuses_more_than_one_in_a_hundred_does_not_do_the_work(refused: int, is_sound: bool) -> None:
    assert Measured("smg", samples=[sample(0.1, refused=refused)]).is_sound is is_sound


def test_who_answers_nothing_does_not_do_the_work() -> None:
    assert not Measured("smg").is_sound
    assert not Measured("smg", samples=[sample(0.1, requests=0)]).is_sound


def test_work_is_for_those_who_can_do_it() -> None:
    assert [kind_of(workload) for workload in (SMALL, ONE[0], TLS[0])] == ["plain", "single", "own"]
