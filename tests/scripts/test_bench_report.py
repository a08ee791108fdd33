import json
from dataclasses import replace

import pytest
from bench_process import Memory
from bench_report import BEGIN, END, MB, Report, budgets, cell, machine, markdown_table, table, with_figures
from bench_rounds import Measured, Sample
from bench_workloads import SMALL, Budget
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


def test_there_are_no_budgets_without_a_measurement_of_what_has_one() -> None:
    assert budgets([(replace(SMALL, budget=None), [measured("UCR", 1)]), (SMALL, [measured("nginx", 1)])]) == ""


def test_the_json_holds_every_sample() -> None:
    report = Report("a machine", False, [(SMALL, [measured("nginx", 16), measured("UCR", 32)])])
    found = json.loads(report.as_json())["workloads"][0]
    assert found["workload"]["name"] == "small"
    assert [len(result["samples"]) for result in found["results"]] == [3, 3]
    assert [result["ratio_to_nginx"] for result in found["results"]] == [1, 2]
    assert "| UCR | 32 | 2.0 |" in report.markdown()


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
