"""What was measured, as Markdown and as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench_micro import Timing
from bench_plot import Group, bars, said
from bench_replay import EXPONENT, TOPICS, USERS, Phase
from bench_rounds import REFERENCE, Measured, named, ratio
from bench_start import Start
from bench_streams import Held, added_ms, direct_of
from bench_wanted import wishes
from bench_workloads import Paced, Workload

from ucr.stress.real.report import versions

MB = 1024 * 1024
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
"""Stand in a page round the part that a run replaces."""


@dataclass(slots=True)
class Report:
    """Everything that a run found out, in the order in which it did."""

    machine: str
    is_short: bool
    workloads: list[tuple[Workload, list[Measured]]] = field(default_factory=list)
    paced: list[tuple[Paced, list[Held]]] = field(default_factory=list)
    replay: list[Phase] = field(default_factory=list)
    start: Start | None = None
    micro: list[Timing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """Return everything: the summary, and then a table for each workload."""
        return self.summary() + "\n" + "\n\n".join(table(*entry) for entry in self.workloads) + "\n"

    def summary(self) -> str:
        """Return what fits on a page."""
        parts = [
            f"{self.machine}.",
            *self.notes,
            budgets(self.workloads),
            self._wanted(),
            costs(self.workloads),
            added(self.workloads),
            *(paced_table(*entry) for entry in self.paced),
            replay_table(self.replay) if self.replay else "",
            start_table(self.start) if self.start else "",
            micro_table(self.micro) if self.micro else "",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _wanted(self) -> str:
        rows = [wish.cells for wish in wishes(self.workloads, self.paced, self.start)]
        head = ("wanted as well", "measured", "at most", "holds")
        return markdown_table(head, rows) if rows else ""

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
        "paced": [
            {"paced": asdict(paced), "results": [asdict(held) for held in results]}
            for paced, results in report.paced
        ],
        "replay": [asdict(phase) for phase in report.replay],
        "start": asdict(report.start) if report.start else None,
        "micro": [asdict(timing) for timing in report.micro],
        "notes": report.notes,
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


def costs(workloads: Sequence[tuple[Workload, list[Measured]]]) -> str:
    """Return the processor time of a request with every contender, and how many times UCR's it is."""
    names = list(
        dict.fromkeys(one.contender for _, results in workloads for one in results if one.idle.total_bytes)
    )
    rows = [_costs_row(workload, results, names) for workload, results in workloads]
    if not rows:
        return ""
    words = "Processor time of a request in µs, and in brackets as a multiple of UCR's."
    return f"### Costs side by side\n\n{words}\n\n{markdown_table(('', *names), rows)}"


def _costs_row(workload: Workload, results: Sequence[Measured], names: Sequence[str]) -> tuple[str, ...]:
    ucr = named(results, "UCR")
    return (f"`{workload.name}`: {workload.title}", *(_cost(named(results, name), ucr) for name in names))


def _cost(measured: Measured | None, ucr: Measured | None) -> str:
    if measured is None:
        return ""
    if not measured.is_sound:
        return "errors"
    times = ratio(measured, ucr) if measured is not ucr else None
    return f"{measured.cpu_us:,.0f}" + (f" ({said(times)})" if times is not None else "")


def added(workloads: Sequence[tuple[Workload, list[Measured]]]) -> str:
    """Return what a router adds to the time of an answer at one connection; "" when that was not measured."""
    head = ("", "workload", "p50 ms", "p99 ms", "added to p50", "added to p99")
    rows = [
        row
        for workload, results in workloads
        if workload.connections == 1
        for row in _added_rows(workload, results)
    ]
    return f"### Added time at one connection\n\n{markdown_table(head, rows)}" if rows else ""


def _added_rows(workload: Workload, results: Sequence[Measured]) -> Iterator[tuple[str, ...]]:
    direct = named(results, "direct")
    for one in results:
        if one.samples and one.is_sound:
            middle, late = one.median(lambda s: s.load.p50_us), one.median(lambda s: s.load.p99_us)
            base = direct if direct is not None and direct is not one else None
            more = (
                (middle - base.median(lambda s: s.load.p50_us), late - base.median(lambda s: s.load.p99_us))
                if base is not None
                else ()
            )
            times = [f"{time_us / 1000:.2f}" for time_us in (middle, late, *more)]
            yield one.contender, workload.name, *times, *[""] * (4 - len(times))


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
    holds = "" if times is None else "yes" if ucr.is_sound and times <= workload.budget.ratio else "NO"
    most = workload.budget
    return workload.title, f"{ucr.cpu_us:.0f}", f"{most.cpu_us:.0f}", said, f"{most.ratio:g}", holds


def paced_table(paced: Paced, results: Sequence[Held]) -> str:
    """Return the table of streams that were held open: what a contender adds to the times of the two ends alone."""
    head = ("", "first event p50 ms", "p99", "added p99", "later events p50 ms", "p99", "added p99")
    more = ("CPU µs/event", "loaded MB", "largest MB", "streams", "lost")
    direct = direct_of(results)
    rows = [_paced_row(held, direct) for held in results]
    return f"### {paced.name}: {paced.title}\n\n{markdown_table((*head, *more), rows)}"


def _paced_row(held: Held, direct: Held | None) -> tuple[str, ...]:
    if not held.stays:
        return held.contender, f"not measured: {cell(held.failure)}", *[""] * 10
    has_own = held.idle.total_bytes > 0
    return (
        held.contender,
        f"{held.median(lambda s: s.first.p50) / 1000:.1f}",
        f"{held.median(lambda s: s.first.p99) / 1000:.1f}",
        f"{added_ms(held, direct, lambda s: s.first.p99):.1f}" if has_own and direct else "",
        f"{held.median(lambda s: s.later.p50) / 1000:.1f}",
        f"{held.median(lambda s: s.later.p99) / 1000:.1f}",
        f"{added_ms(held, direct, lambda s: s.later.p99):.1f}" if has_own and direct else "",
        f"{held.median(lambda s: s.cpu_us):.0f}" if has_own else "",
        f"{held.median(lambda s: s.memory.total_bytes) / MB:.0f}" if has_own else "",
        f"{held.median(lambda s: s.memory.largest_bytes) / MB:.0f}" if has_own else "",
        str(sum(stay.completed for stay in held.stays)),
        str(sum(stay.lost for stay in held.stays)),
    )


def replay_table(phases: Sequence[Phase]) -> str:
    """Return what the cache was worth to a session that many users replayed."""
    words = (
        f"{USERS} users replay a recorded session of Claude Code, each about one of {TOPICS} things, chosen by a Zipf "
        f"distribution with exponent {EXPONENT}; 2 workers, one cache with its defaults and `cache.streams`."
    )
    head = ("", "requests", "hit rate", "requests a call", "CPU µs", "p50 ms", "p99 ms", "errors")
    rows = [_replay_row(phase) for phase in phases]
    return f"### Replay of a session\n\n{words}\n\n{markdown_table(head, rows)}"


def _replay_row(phase: Phase) -> tuple[str, ...]:
    return (
        phase.title,
        str(phase.load.requests),
        f"{phase.hit_rate:.1%}",
        f"{phase.coalescing_factor:.1f}",
        f"{phase.cpu_us:.0f}",
        f"{phase.load.p50_us / 1000:.2f}",
        f"{phase.load.p99_us / 1000:.2f}",
        str(phase.load.failed + phase.load.refused),
    )


def start_table(start: Start) -> str:
    """Return how long a start takes, and what each process takes while there is nothing to do."""
    times = [
        ("`ucr-trio --version`", f"{start.version_s:.2f} s", "0.20 s"),
        ("`ucr-trio serve`, to the first whole answer", f"{start.answered_s:.2f} s", "1.00 s"),
    ]
    idle = [(one.name, f"{one.resident_bytes / MB:.0f}", f"{one.share:.2%}") for one in start.idle]
    tables = (
        markdown_table(("start", "median", "budget"), times),
        markdown_table(("idle process", "resident MB", "of a core"), idle),
    )
    return "### Start and rest\n\n" + "\n\n".join(tables)


def micro_table(timings: Sequence[Timing]) -> str:
    """Return the times of the parts of a request."""
    head = ("part (µs a call)", "calls", "avg", "min", "p50", "p95", "p99", "max")
    rows = [
        (
            one.name,
            str(one.calls),
            *(f"{time:.1f}" for time in (one.avg, one.min, one.p50, one.p95, one.p99, one.max)),
        )
        for one in timings
    ]
    return f"### Micro-benchmarks\n\n{markdown_table(head, rows)}"


def pictures(report: Report) -> dict[str, str]:
    """Return the pictures of a report by the names of their files."""
    costly = [
        Group(workload.name, tuple((one.contender, one.cpu_us) for one in results if one.is_sound))
        for workload, results in report.workloads
        if workload.is_plain
    ]
    late = [
        Group(
            paced.name, tuple((held.contender, held.median(lambda s: s.later.p99) / 1000) for held in results)
        )
        for paced, results in report.paced
    ]
    found = {
        "cpu.svg": bars("Processor time of a request", "µs", costly) if costly else "",
        "late.svg": bars("Lateness of events, p99", "ms", late) if late else "",
    }
    return {name: text for name, text in found.items() if text}


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
