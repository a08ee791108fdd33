"""The plan of one simulation: who asks how often, what goes wrong and when. Made of a seed, written as JSON.

Everything that happens follows from the plan alone. Each client and each provider draws by dice of its own, so that a
plan with fewer of them leaves the others as they were; hence plans can be made smaller and still fail.
"""

import random
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import msgspec

from ucr.errors import UcrError

FaultName = Literal[
    "refuse",
    "unreachable",
    "dumb",
    "silent",
    "reset",
    "close",
    "429",
    "500",
    "503",
    "529",
    "page",
    "head-only",
    "stall",
    "cut",
    "short",
    "garbage",
    "error-event",
    "slow",
    "surplus",
]
FAULTS: tuple[FaultName, ...] = get_args(FaultName)
WayFault = Literal["refuse", "unreachable", "dumb"]
ON_THE_WAY: tuple[WayFault, ...] = get_args(WayFault)
"""Faults of the way to a provider; the others are in what it answers."""

BlowName = Literal["crash-provider", "crash-metrics", "crash-cache", "limits", "fewer", "all"]
BLOWS: tuple[BlowName, ...] = get_args(BlowName)
"""An actor crashes; or the configuration changes: other limits, one provider fewer, or the first one again."""

Habit = Literal["leave", "slow", "repeat", "stream", "again"]
HABITS: tuple[Habit, ...] = get_args(Habit)

PROVIDERS = ("north", "south", "east", "west")
CALM_S = 60.0
"""How long a router may take to be well again after the last fault; then everything must go well for as long again."""
RATE = 6.0
"""How many requests a second all clients together make, unless that is said."""


class PlanError(UcrError):
    """What should be a plan is none."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A provider has a fault for some time, in a share of its answers."""

    provider: str
    fault: FaultName
    start_s: float
    end_s: float
    share: float


@dataclass(frozen=True, slots=True)
class Blow:
    """Something happens to the router; `target` is the provider whose actor crashes."""

    at_s: float
    name: BlowName
    target: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` are those with faults; the calm after them comes in addition. `rate` is of all clients together."""

    seed: int
    seconds: float
    clients: int
    rate: float = RATE
    habits: tuple[Habit, ...] = HABITS
    spells: tuple[Spell, ...] = ()
    blows: tuple[Blow, ...] = ()
    has_cache: bool = True
    has_limits: bool = True
    is_narrow: bool = False
    has_hedges: bool = False

    @property
    def pause_s(self) -> float:
        """How long a client pauses between two requests, on the average."""
        return self.clients / self.rate

    @property
    def end_s(self) -> float:
        """When the last request may begin."""
        return self.seconds + 2 * CALM_S

    def said(self) -> str:
        """Return the plan as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode()


def read(text: str) -> Plan:
    """Return the plan that a text says; raise `PlanError` for another text."""
    try:
        return msgspec.json.decode(text, type=Plan)
    except msgspec.MsgspecError as error:
        raise PlanError(f"the plan cannot be read: {error}; see docs/stress.md") from None


def make_plan(seed: int, seconds: float, clients: int, rate: float = RATE) -> Plan:
    """Draw a plan: a part of all faults, habits and blows only, since many of them hide what few of them show."""
    dice = random.Random(seed)
    faults = dice.sample(FAULTS, dice.randint(2, 8))
    habits = tuple(habit for habit in HABITS if dice.random() < 0.7)
    blows = dice.sample(BLOWS, dice.randint(0, len(BLOWS)))
    return Plan(
        seed,
        seconds,
        clients,
        rate,
        habits,
        tuple(_spells(dice, seconds, faults)),
        tuple(_blows(dice, seconds, blows)),
        has_cache=dice.random() < 0.7,
        has_limits=dice.random() < 0.6,
        is_narrow=dice.random() < 0.3,
        has_hedges=dice.random() < 0.3,
    )


def _spells(dice: random.Random, seconds: float, faults: list[FaultName]) -> list[Spell]:
    """Return about one spell for every 12 seconds."""
    found = []
    for _ in range(max(3, round(seconds / 12))):
        start_s = dice.uniform(0, seconds * 0.9)
        end_s = min(seconds, start_s + dice.choice((2, 10, 30, 90)))
        share = dice.choice((0.2, 0.5, 1.0))
        spell = Spell(dice.choice(PROVIDERS), dice.choice(faults), round(start_s, 3), round(end_s, 3), share)
        found.append(spell)
    return sorted(found, key=lambda spell: spell.start_s)


def _blows(dice: random.Random, seconds: float, names: list[BlowName]) -> list[Blow]:
    """Return about one blow for every 60 seconds, which leaves a supervisor its patience."""
    times = range(5, max(6, int(seconds)), 60) if names else ()
    return [Blow(float(at_s), dice.choice(names), dice.choice(PROVIDERS)) for at_s in times]


def changed(plan: Plan, **changes: Any) -> Plan:
    """Return a plan that differs in these fields; what lies beyond its end is left out."""
    plan = replace(plan, **changes)
    spells = tuple(
        replace(spell, end_s=min(spell.end_s, plan.seconds))
        for spell in plan.spells
        if spell.start_s < plan.seconds
    )
    blows = tuple(blow for blow in plan.blows if blow.at_s < plan.seconds)
    return replace(plan, spells=spells, blows=blows)
