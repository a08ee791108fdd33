"""What is wanted beside the budgets of requests, and whether it is so: late events, growth, rest and start."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench_rounds import Measured, named
from bench_start import Start
from bench_streams import Held, added_ms, direct_of
from bench_workloads import Paced, Workload

MIB = 1024 * 1024
UCR = "UCR"
FEW, MANY = "pool-10", "pool-1000"


@dataclass(frozen=True, slots=True)
class Wish:
    """One figure and the most that it may be, in one unit."""

    what: str
    measured: float
    most: float
    unit: str

    @property
    def cells(self) -> tuple[str, str, str, str]:
        holds = "yes" if self.measured <= self.most else "NO"
        return self.what, f"{self.measured:.3g}{self.unit}", f"{self.most:g}{self.unit}", holds


def wishes(
    workloads: Sequence[tuple[Workload, list[Measured]]],
    paced: Sequence[tuple[Paced, list[Held]]],
    start: Start | None,
) -> list[Wish]:
    """Return all that can be said of what was measured."""
    found = [*_growth(workloads)]
    for kind, results in paced:
        found += _lateness(kind, results)
    if start is not None:
        found += _rest(start)
    return found


def _growth(workloads: Sequence[tuple[Workload, list[Measured]]]) -> Iterator[Wish]:
    cost = {
        workload.name: one.cpu_us
        for workload, results in workloads
        if (one := named(results, UCR)) is not None and one.is_sound
    }
    if FEW in cost and MANY in cost:
        yield Wish(
            "processor time of a request with 1,000 connections, of that with 10",
            cost[MANY] / cost[FEW],
            1.5,
            " x",
        )


def _lateness(kind: Paced, results: Sequence[Held]) -> Iterator[Wish]:
    """Say how late streams are, where both ends alone were measured as well."""
    ucr = next((held for held in results if held.contender == UCR and held.stays), None)
    direct = direct_of(results)
    if ucr is None or direct is None:
        return
    if kind.streams == 100:
        first = added_ms(ucr, direct, lambda stay: stay.first.p99)
        yield Wish("added to the first event of 100 streams, p99", first, 5, " ms")
        yield Wish("processor time of an event of 100 streams", ucr.median(lambda s: s.cpu_us), 45, " µs")
    elif kind.streams == 1000:
        later = added_ms(ucr, direct, lambda stay: stay.later.p99)
        yield Wish("added to a later event of 1,000 streams, p99", later, 50, " ms")
        yield Wish("streams lost of 1,000", sum(stay.lost for stay in ucr.stays), 0, "")
    elif kind.streams == 500:
        largest = ucr.median(lambda stay: stay.memory.largest_bytes)
        yield Wish("a worker with 500 streams", largest / MIB, 120, " MiB")


def _rest(start: Start) -> Iterator[Wish]:
    workers = [one for one in start.idle if one.name.startswith("worker")]
    if workers:
        yield Wish("of a core, by a worker that rests", 100 * max(one.share for one in workers), 1, " %")
        yield Wish("a worker that rests", max(one.resident_bytes for one in workers) / MIB, 50, " MiB")
    yield Wish("`ucr-trio --version`", start.version_s, 0.2, " s")
    yield Wish("`ucr-trio serve`, to the first whole answer", start.answered_s, 1, " s")
