"""What a run of the targets measured: one line for each bound, and whether it held."""

import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata

import click

SHORT_PATIENCE = 5.0
"""A loaded machine of CI is given this many times the time; counts are never stretched."""

HEAD = ("target", "what", "bound", "measured", "n", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. Without a bound it is only told."""

    target: str
    what: str
    measured: str
    bound: str
    trials: int
    holds: bool | None

    @property
    def verdict(self) -> str:
        return {True: "pass", False: "FAIL", None: ""}[self.holds]


@dataclass(slots=True)
class Report:
    """Collects the figures of one target after the other, and says each at once, with what is `beside` all of them."""

    short: bool
    say: Callable[[str], object] = click.echo
    beside: str = ""
    figures: list[Figure] = field(default_factory=list)

    @property
    def patience(self) -> float:
        return SHORT_PATIENCE if self.short else 1.0

    def count(self, target: str, what: str, measured: int, most: int, trials: int) -> None:
        """Note a number of things that must not be more than `most`."""
        self._add(target, what, str(measured), f"<= {most}", trials, measured <= most)

    def share(self, target: str, what: str, measured: float, least: float, trials: int) -> None:
        """Note a share that must be at least this."""
        self._add(target, what, f"{measured:.2%}", f">= {least:.1%}", trials, measured >= least)

    def ratio(self, target: str, what: str, measured: float, most: float, trials: int, unit: str = "") -> None:
        """Note a quotient that must not be more than `most`, in either form."""
        self._add(target, what, f"{measured:.2f}{unit}", f"<= {most:.2f}{unit}", trials, measured <= most)

    def time(self, target: str, what: str, measured_s: float, most_s: float, trials: int) -> None:
        """Note a time that must not be longer than `most_s`, which the short form stretches."""
        most_s *= self.patience
        self._add(target, what, said(measured_s), f"<= {said(most_s)}", trials, measured_s <= most_s)

    def fact(self, target: str, what: str, holds: bool, trials: int = 1) -> None:
        """Note something that must be so."""
        self._add(target, what, "yes" if holds else "no", "yes", trials, holds)

    def told(self, target: str, what: str, measured: str, trials: int) -> None:
        """Note something that nothing is demanded of."""
        self._add(target, what, measured, "", trials, None)

    def _add(self, target: str, what: str, measured: str, bound: str, trials: int, holds: bool | None) -> None:
        figure = Figure(target, what + self.beside, measured, bound, trials, holds)
        self.figures.append(figure)
        self.say(f"{target:4} {figure.what}: {measured} {figure.verdict}".rstrip())

    def note(self, line: str) -> None:
        """Tell something more of the figures just told; it is not in the table."""
        self.say(f"     {line}")

    @property
    def has_failed(self) -> bool:
        return any(figure.holds is False for figure in self.figures)

    def table(self) -> str:
        """Return all figures in columns."""
        rows = [HEAD, *(_cells(figure) for figure in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join(line.rstrip() for line in lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    return figure.target, figure.what, figure.bound, figure.measured, str(figure.trials), figure.verdict


def said(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that this share of them does not exceed; 0 when there is none."""
    ranked: Sequence[float] = sorted(values)
    if not ranked:
        return 0.0
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def versions() -> str:
    """Return what ran, so that figures can be compared."""
    parts = [f"{name} {metadata.version(name)}" for name in ("ucr-trio", "trio", "hypercorn", "httptools")]
    return ", ".join(
        [*parts, f"Python {platform.python_version()}", f"{platform.system()} {platform.release()}"]
    )
