"""What was measured, as Markdown and as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench_rounds import REFERENCE, Measured, named, ratio
from bench_workloads import Workload
from chaos_report import versions

MB = 1024 * 1024
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
"""Stand in a page round the part that a run replaces."""


@dataclass(slots=True)
class Report:
    """Everything that a run found out, in the order in which it did."""

    machine: str
    is_short: bool
    workloads: list[tuple[Workload, list[Measured]]] = field(default_factory=list)

    def markdown(self) -> str:
        """Return all tables."""
        parts = [f"{self.machine}.", budgets(self.workloads), *(table(*entry) for entry in self.workloads)]
        return "\n\n".join(part for part in parts if part) + "\n"

    def as_json(self) -> str:
        """Return every single sample."""
        return json.dumps(_plain(self), indent=1) + "\n"


def _plain(report: Report) -> dict[str, Any]:
    return {
        "machine": report.machine,
        "short": report.is_short,
        "workloads": [
            {"workload": asdict(workload), "results": [_result(one, results) for one in results]}
            for workload, results in report.workloads
        ],
    }


def _result(measured: Measured, results: list[Measured]) -> dict[str, Any]:
    found = {**asdict(measured), "cpu_us": measured.cpu_us}
    return found | {"ratio_to_nginx": ratio(measured, named(results, REFERENCE))}


def table(workload: Workload, results: Sequence[Measured]) -> str:
    """Return one workload's table: a line for each contender."""
    head = ("", "CPU µs", "x nginx", "requests/s", "p50 ms", "p99 ms", "idle MB", "loaded MB", "errors")
    reference = named(results, REFERENCE)
    rows = [_row(measured, reference) for measured in results]
    return f"### {workload.name}: {workload.title}\n\n{markdown_table(head, rows)}"


def _row(measured: Measured, reference: Measured | None) -> tuple[str, ...]:
    if not measured.samples:
        return measured.contender, f"not measured: {cell(measured.failure)}", *[""] * 7
    has_own = measured.idle.total_bytes > 0
    times = ratio(measured, reference)
    return (
        measured.contender,
        f"{measured.cpu_us:.0f}" if has_own else "",
        f"{times:.1f}" if times is not None and has_own else "",
        f"{measured.median(lambda s: s.load.per_s):.0f}",
        f"{measured.median(lambda s: s.load.p50_us) / 1000:.2f}",
        f"{measured.median(lambda s: s.load.p99_us) / 1000:.2f}",
        f"{measured.idle.total_bytes / MB:.0f}" if has_own else "",
        f"{measured.median(lambda s: s.memory.total_bytes) / MB:.0f}" if has_own else "",
        str(measured.errors),
    )


def budgets(workloads: Iterable[tuple[Workload, list[Measured]]]) -> str:
    """Return how UCR stands to its budgets; "" when no workload with a budget was measured."""
    rows = [row for workload, results in workloads if (row := _budget_row(workload, results))]
    head = ("path", "CPU µs", "budget", "x nginx", "budget", "the ratio holds")
    return f"### Budgets\n\n{markdown_table(head, rows)}" if rows else ""


def _budget_row(workload: Workload, results: list[Measured]) -> tuple[str, ...] | None:
    ucr = named(results, "UCR")
    if workload.budget is None or ucr is None:
        return None
    times = ratio(ucr, named(results, REFERENCE))
    said = "" if times is None else f"{times:.1f}"
    holds = "" if times is None else "yes" if times <= workload.budget.ratio else "NO"
    most = workload.budget
    return workload.title, f"{ucr.cpu_us:.0f}", f"{most.cpu_us:.0f}", said, f"{most.ratio:g}", holds


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str, limit: int = 160) -> str:
    """Return a text that fits into a cell."""
    short = " ".join(text.replace("|", "/").split())
    return short if len(short) <= limit else short[: limit - 1] + "…"


def with_figures(page: str, figures: str) -> str:
    """Return a page with other figures between its marks; raise `ValueError` when it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no part between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}"


def machine() -> str:
    """Return what the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} cores of {model}; load average {os.getloadavg()[0]:.1f} at the start; {versions()}"
    )
