import json
from dataclasses import replace

import pytest
from bench_micro import Timing
from bench_process import Memory
from bench_replay import Phase
from bench_report import (
    BEGIN,
    END,
    MB,
    Report,
    added,
    budgets,
    cell,
    costs,
    machine,
    markdown_table,
    micro_table,
    paced_table,
    pictures,
    replay_table,
    start_table,
    table,
    with_figures,
)
from bench_rounds import Measured, Sample
from bench_start import Idle, Start
from bench_streams import Held, Lateness, Stay
from bench_workloads import ONE, SMALL, TLS, Budget, Paced
from bench_wrk import Load

IDLE = Memory(50 * MB, 40 * MB)


def measured(name: str, cpu_us: float, idle: Memory = IDLE) -> Measured:
    load = Load(1000, 1_000_000, 0, 0, 0, 1500, 2000, 2500, 3000)
    return Measured(name, idle, [Sample(load, cpu_us * 1000 / 1e6, Memory(60 * MB, 45 * MB))] * 3)


def test_a_line_says_costs_ratio_rate_times_and_memory() -> None:
    lines = table(SMALL, [measured("nginx", 16), measured("UCR", 120)]).splitlines()
    assert lines[0] == f"### small: {SMALL.title}"
    assert lines[-1] == "| UCR | 120 | 7.5 | 1000 | 1.50 | 2.50 | 50 | 60 | 0 |"


def test_who_has_no_process_costs_nothing_and_has_no_ratio() -> None:
    lines = table(SMALL, [measured("nginx", 16), measured("direct", 0, Memory(0, 0))]).splitlines()
    assert lines[-1] == "| direct |  |  | 1000 | 1.50 | 2.50 |  |  | 0 |"


def test_who_did_not_start_is_told_with_the_reason() -> None:
    lines = table(SMALL, [Measured("smg", failure="ended | with 1")]).splitlines()
    assert lines[-1] == "| smg | not measured: ended / with 1 |  |  |  |  |  |  |  |"
    assert {line.count("|") for line in lines[2:]} == {10}


@pytest.mark.parametrize(("cpu_us", "verdict"), [(120.0, "yes"), (160.0, "NO")])
def test_a_budget_is_held_by_the_ratio(cpu_us: float, verdict: str) -> None:
    workload = replace(SMALL, budget=Budget(130, 8))
    found = budgets([(workload, [measured("nginx", 16), measured("UCR", cpu_us)])])
    assert found.splitlines()[-1].endswith(f"| 8 | {verdict} |")


def test_who_does_not_answer_holds_no_budget() -> None:
    ucr = measured("UCR", 0)
    ucr.samples[:] = [replace(one, load=replace(one.load, requests=0)) for one in ucr.samples]
    assert budgets([(SMALL, [measured("nginx", 16), ucr])]).endswith("| 8 | NO |")


def test_there_are_no_budgets_without_a_measurement_of_what_has_one() -> None:
    assert budgets([(replace(SMALL, budget=None), [measured("UCR", 1)]), (SMALL, [measured("nginx", 1)])]) == ""


def test_the_json_holds_every_sample() -> None:
    report = Report("a machine", False, [(SMALL, [measured("nginx", 16), measured("UCR", 32)])])
    found = json.loads(report.as_json())["workloads"][0]
    assert found["workload"]["name"] == "small"
    assert [len(result["samples"]) for result in found["results"]] == [3, 3]
    assert [result["ratio_to_nginx"] for result in found["results"]] == [1, 2]
    assert "| UCR | 32 | 2.0 |" in report.markdown()
    assert "| UCR | 32 | 2.0 |" not in report.summary()


def test_costs_stand_side_by_side_as_multiples_of_those_of_ucr() -> None:
    broken = measured("smg", 10)
    broken.samples[:] = [replace(one, load=replace(one.load, refused=100)) for one in broken.samples]
    results = [measured("nginx", 16), measured("UCR", 160), measured("litellm", 16000), broken]
    lines = costs([(SMALL, results), (TLS[0], results[:2])]).splitlines()
    assert lines[-4] == "|  | nginx | UCR | litellm | smg |"
    assert lines[-2] == f"| `small`: {SMALL.title} | 16 (0.1) | 160 | 16,000 (100) | errors |"
    assert lines[-1].endswith("| 16 (0.1) | 160 |  |  |")
    assert costs([]) == ""


def test_what_is_added_at_one_connection_is_told_beside_the_upstream_alone() -> None:
    direct = measured("direct", 0, Memory(0, 0))
    direct.samples[:] = [replace(one, load=replace(one.load, p50_us=100, p99_us=200)) for one in direct.samples]
    found = added([(ONE[0], [measured("UCR", 100), direct]), (SMALL, [measured("UCR", 100)])])
    assert found.splitlines()[-2:] == [
        "| UCR | one-small | 1.50 | 2.50 | 1.40 | 2.30 |",
        "| direct | one-small | 0.10 | 0.20 |  |  |",
    ]
    assert added([(SMALL, [measured("UCR", 100)])]) == ""


def test_figures_are_put_between_the_marks_of_a_page_again_and_again() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = with_figures(page, "new\n")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert with_figures(once, "new") == once


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no part"):
        with_figures("text", "new")


def test_a_table_has_numbers_at_the_right() -> None:
    assert markdown_table(("a", "b"), [("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_a_long_text_is_cut_in_a_cell() -> None:
    assert cell("x" * 200, 10) == "x" * 9 + "…"


def test_the_machine_is_named() -> None:
    assert "cores of" in machine()


def held(name: str, late_us: int, idle: Memory = IDLE) -> Held:
    late = Lateness(10, late_us // 2, late_us, late_us, late_us, late_us)
    return Held(name, idle, [Stay(100, 1, 4000, late, late, 0.1, Memory(60 * MB, 45 * MB))] * 2)


def test_streams_have_what_is_added_to_the_two_ends_alone() -> None:
    results = [held("UCR", 3000), held("direct", 1000, Memory(0, 0)), Held("smg", failure="ended")]
    lines = paced_table(Paced(100, 1), results).splitlines()
    assert lines[-3] == "| UCR | 1.5 | 3.0 | 2.0 | 1.5 | 3.0 | 2.0 | 25 | 60 | 45 | 200 | 2 |"
    assert lines[-2] == "| direct | 0.5 | 1.0 |  | 0.5 | 1.0 |  |  |  |  | 200 | 2 |"
    assert {line.count("|") for line in lines[2:]} == {13}


def test_a_start_is_told_beside_its_budgets() -> None:
    found = start_table(Start(0.1, 0.75, (Idle("worker 0", 45 * MB, 0.004),)))
    assert "| `ucr-trio --version` | 0.10 s | 0.20 s |" in found
    assert "| worker 0 | 45 | 0.40% |" in found


def test_the_summary_says_what_else_is_wanted_and_whether_it_is_so() -> None:
    report = Report("a machine", True, start=Start(0.1, 1.75, ()))
    assert "| `ucr-trio serve`, to the first whole answer | 1.75 s | 1 s | NO |" in report.summary()
    assert "wanted as well" not in Report("a machine", True).summary()


def test_parts_are_told_with_all_their_percentiles() -> None:
    found = micro_table([Timing("parse", 100, 2, 1, 2, 3, 4, 5)])
    assert found.splitlines()[-1] == "| parse | 100 | 2.0 | 1.0 | 2.0 | 3.0 | 4.0 | 5.0 |"


def test_pictures_are_made_of_what_was_measured() -> None:
    report = Report("a machine", False)
    assert pictures(report) == {}
    report.workloads.append((SMALL, [measured("nginx", 16), measured("UCR", 32)]))
    assert list(pictures(report)) == ["cpu.svg"]
    report.paced.append((Paced(100, 1), [held("UCR", 3000)]))
    assert sorted(pictures(report)) == ["cpu.svg", "late.svg"]
    assert json.loads(report.as_json())["paced"][0]["results"][0]["contender"] == "UCR"


def test_a_replay_says_how_often_the_cache_was_of_use_and_what_a_request_cost() -> None:
    load = Load(1000, 1_000_000, 0, 1, 2, 1500, 2000, 2500, 3000)
    phase = Phase("few topics", load, {"hit": 900, "miss": 25, "coalesced": 75, "bypass": 0}, 321.4)
    assert "| few topics | 1000 | 90.0% | 4.0 | 321 | 1.50 | 2.50 | 3 |" in replay_table([phase]).splitlines()
    assert '"hit": 900' in Report("", True, replay=[phase]).as_json()
