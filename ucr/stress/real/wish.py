"""What is asked of the real mode: targets, a level of load with faults, or all targets."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from ucr.stress.real.levels import MINUTES, SOAK_MINUTES, under_load
from ucr.stress.real.storms import KINDS
from ucr.stress.real.targets import NAMES, Target, chosen

LEVEL = "medium"
GRACE_S = 300.0
"""A level may take so much longer than its load lasts."""


class WishError(ValueError):
    """Something was asked for that is not there. Each line says what, and what there is."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Names of targets; and a level with its length and its faults, or None."""

    names: tuple[str, ...] = ()
    level: str | None = None
    seconds: float = MINUTES * 60
    faults: tuple[str, ...] = ()

    def targets(self) -> tuple[Target, ...]:
        """Return what is to be proved: the level first; all targets when nothing was named."""
        if self.level is None:
            return chosen(self.names)
        load = partial(under_load, level=self.level, seconds=self.seconds, faults=self.faults)
        return (Target(self.level, load, self.seconds + GRACE_S), *(chosen(self.names) if self.names else ()))


def wish_of(
    targets: str, level: str | None, minutes: float | None, faults: str, *, is_soak: bool = False
) -> Wish:
    """Return what the options ask for; raise `WishError` with everything that is wrong with them.

    Any of the options of a load asks for one; `--soak` is an hour with every fault unless others are named.
    """
    names, kinds = _listed(targets), _listed(faults)
    wrong = [*_unknown("target", names, NAMES), *_unknown("fault", kinds, KINDS)]
    if is_soak and minutes is not None:
        wrong.append("--soak and --minutes exclude each other")
    if wrong:
        raise WishError("\n".join(wrong))
    has_load = level is not None or minutes is not None or bool(kinds) or is_soak
    if not has_load:
        return Wish(names)
    length = SOAK_MINUTES if is_soak else MINUTES if minutes is None else minutes
    return Wish(names, level or LEVEL, length * 60, kinds or (tuple(KINDS) if is_soak else ()))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _unknown(what: str, names: Iterable[str], known: Iterable[str]) -> list[str]:
    found = [name for name in names if name not in known]
    return [f"no {what} {', '.join(found)}; there are {', '.join(known)}"] if found else []
