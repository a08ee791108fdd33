"""A rule of the routing as the rest of UCR sees it: what must hold of a request, and what follows. Data that travels."""

from dataclasses import dataclass
from typing import Any, Literal

from ucr.config.targets import ModelTarget, Targets

Operation = Literal["like", "equals", "exists", "greater", "less"]
Path = tuple[str, ...]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_DAYS = tuple(range(7))
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class FieldTest:
    """What one field of the body must be: `value` belongs to the operation; for `like` it is a tuple of patterns."""

    path: Path
    operation: Operation
    value: Any


@dataclass(frozen=True, slots=True)
class HeaderTest:
    """What a header must be: one of the patterns, or (`patterns` empty) there or not there."""

    name: str
    patterns: tuple[str, ...] = ()
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the day, in minutes since midnight, on days of the week (0 is Monday), in a time zone.

    One that ends before it starts goes past midnight, and belongs to the day on which it starts.
    """

    start: int = 0
    end: int = MINUTES_A_DAY
    days: tuple[int, ...] = ALL_DAYS
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class When:
    """Everything that must hold; what is empty or None holds for every request."""

    model: tuple[str, ...] = ()
    dialect: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    headers: tuple[HeaderTest, ...] = ()
    body: tuple[FieldTest, ...] = ()
    tokens_greater: int | None = None
    tokens_less: int | None = None
    time: Span | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """One arm of an experiment, and its share among the others."""

    target: ModelTarget
    share: float


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the body, and what it is set to."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What becomes of a request: the model it is routed by, fields of its body that are set, and that are removed."""

    model: str | None = None
    settings: tuple[Setting, ...] = ()
    removals: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`targets` or `weights` say where a request goes that the rule holds for; without both it goes on its way."""

    name: str
    when: When = When()
    targets: Targets = ()
    weights: tuple[Weight, ...] = ()
    rewrite: Rewrite | None = None

    @property
    def decides(self) -> bool:
        """Whether the rule says where a request goes, or under which name it is routed from there on."""
        return bool(self.targets or self.weights or (self.rewrite and self.rewrite.model))
