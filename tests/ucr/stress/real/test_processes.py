from ucr.stress.real.load import Shot, Verdict
from ucr.stress.real.processes import Kill, show_wrong, was_in_flight
from ucr.stress.real.report import Report

KILL = Kill("1", 10.0, 0.5, frozenset({"m"}), True)


def shot(
    sent_at: float, finished_at: float, *, worker: str = "0", mark: str = "n", verdict: Verdict = "lost"
) -> Shot:
    return Shot(mark, verdict, sent_at, finished_at, worker=worker)


def test_what_the_killed_worker_had_was_in_flight_and_nothing_else() -> None:
    assert was_in_flight(shot(9.9, 10.1, worker="1"), KILL)
    assert was_in_flight(shot(9.9, 10.1, mark="m"), KILL)
    assert not was_in_flight(shot(9.9, 10.1, worker="2"), KILL)
    assert not was_in_flight(shot(10.5, 10.6, worker="1"), KILL)
    assert not was_in_flight(shot(8.0, 9.0, worker="1"), KILL)


def test_only_some_of_what_went_wrong_is_shown() -> None:
    lines: list[str] = []
    show_wrong(Report(False, lines.append), [shot(0, 1) for _ in range(9)] + [shot(0, 1, verdict="ok")])
    assert len(lines) == 5
