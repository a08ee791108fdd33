"""What a value in a rule of the routing may be: patterns, tests of headers and fields, times, weights, rewrites."""

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ucr.config.kinds import REFERENCE, Number, Schema, TargetList, Wrong
from ucr.config.rule_model import (
    ALL_DAYS,
    DAYS,
    MINUTES_A_DAY,
    FieldTest,
    HeaderTest,
    Path,
    Setting,
    Weight,
)

CREDENTIALS = frozenset({"authorization", "x-api-key", "x-goog-api-key", "proxy-authorization", "cookie"})
"""Headers that hold keys: rules do not look at them, because who asks is said by `client`."""

CLOSED_FIELDS = frozenset({"model", "stream"})
"""Fields of a body that no rewrite sets: `rewrite.model` is for the one, and the client waits for the other."""

SHARE = Number(0, 1_000_000)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00")
_NUMBERS = ("greater", "less")
_OPERATIONS = ("equals", "like", "exists", *_NUMBERS)


@dataclass(frozen=True, slots=True)
class Patterns:
    """A text with `*`, `?` and `[…]` in it, as for names of files, or a list of which one must fit."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "pattern or list of patterns"

    def read(self, value: object) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) and item for item in items):
            raise Wrong('must be a pattern such as "claude-*", or a list of them')
        return tuple(str(item) for item in items)

    def schema(self) -> Schema:
        one = {"type": "string", "minLength": 1}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True, slots=True)
class HeaderTests:
    """Headers by name: a pattern, a list of patterns, or true (there) or false (not there)."""

    is_secret: bool = True

    @property
    def word(self) -> str:
        return "table of patterns"

    def read(self, value: object) -> tuple[HeaderTest, ...]:
        if not isinstance(value, dict):
            raise Wrong('must be a table such as { "x-team" = "research*" }')
        return tuple(_header(str(name), wanted) for name, wanted in value.items())

    def schema(self) -> Schema:
        entry = {"anyOf": [{"type": "boolean"}, *Patterns().schema()["anyOf"]]}
        return {"type": "object", "additionalProperties": entry}


def _header(name: str, wanted: object) -> HeaderTest:
    if not _HEADER.fullmatch(name):
        raise Wrong(f"{name!r} is not a header's name")
    if name.lower() in CREDENTIALS:
        raise Wrong(f"{name!r} holds a key; say who asks with when.client")
    if isinstance(wanted, bool):
        return HeaderTest(name.lower(), exists=wanted)
    return HeaderTest(name.lower(), Patterns().read(wanted))


@dataclass(frozen=True, slots=True)
class FieldTests:
    """Fields of the body by their dotted paths: a pattern, a value, or a table of comparisons that all must hold."""

    is_secret: bool = True

    @property
    def word(self) -> str:
        return "table of comparisons"

    def read(self, value: object) -> tuple[FieldTest, ...]:
        if not isinstance(value, dict):
            raise Wrong(
                'must be a table such as { "metadata.user_id" = "team-a*", max_tokens = { less = 500 } }'
            )
        return tuple(test for path, wanted in value.items() for test in _field_tests(path_of(path), wanted))

    def schema(self) -> Schema:
        plain = {"type": ["string", "number", "boolean"]}
        number = Number(-1e15, 1e15).schema()
        comparisons = {
            "equals": {},
            "like": Patterns().schema(),
            "exists": {"type": "boolean"},
        } | dict.fromkeys(_NUMBERS, number)
        table = {"type": "object", "properties": comparisons, "additionalProperties": False, "minProperties": 1}
        entry = {"anyOf": [plain, *Patterns().schema()["anyOf"], table]}
        return {"type": "object", "additionalProperties": entry}


def path_of(text: str) -> Path:
    """Take a dotted path apart; raise `Wrong` for one with an empty part."""
    path = tuple(str(text).split("."))
    if not all(path):
        raise Wrong(f"{text!r} is no path; write names with a dot between each two, such as metadata.user_id")
    return path


def _field_tests(path: Path, wanted: object) -> tuple[FieldTest, ...]:
    if isinstance(wanted, dict):
        if not wanted:
            raise Wrong(f"{'.'.join(path)} is compared with nothing; use {', '.join(_OPERATIONS)}")
        return tuple(_field_test(path, str(operation), value) for operation, value in wanted.items())
    if isinstance(wanted, bool | int | float):
        return (FieldTest(path, "equals", wanted),)
    return (FieldTest(path, "like", Patterns().read(wanted)),)


def _field_test(path: Path, operation: str, value: object) -> FieldTest:
    match operation:
        case "equals":
            return FieldTest(path, "equals", plain(value))
        case "like":
            return FieldTest(path, "like", Patterns().read(value))
        case "exists":
            if not isinstance(value, bool):
                raise Wrong(f"{'.'.join(path)}.exists must be true or false, without quotes")
            return FieldTest(path, "exists", value)
        case "greater" | "less":
            return FieldTest(path, operation, Number(-1e15, 1e15).read(value))
        case _:
            raise Wrong(f"{operation!r} is no comparison; use {', '.join(_OPERATIONS)}")


def plain(value: object) -> Any:
    """Return a value of the file as JSON has it; raise `Wrong` for one that JSON has not, such as a date."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case list():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case _:
            raise Wrong(f"{value!s} is no JSON value; write it as text")


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, as minutes since midnight."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "time of day"

    def read(self, value: object) -> int:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise Wrong('must be a time of day between "00:00" and "24:00", in quotes')
        hours, _, minutes = value.partition(":")
        return int(hours) * 60 + int(minutes)

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string", "pattern": f"^({_CLOCK.pattern})$"}, dict(REFERENCE)]}


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the week, as numbers from 0 for Monday."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "list of days"

    def read(self, value: object) -> tuple[int, ...]:
        if not isinstance(value, list) or not value or not all(day in DAYS for day in value):
            raise Wrong(f"must be a list of some of {', '.join(DAYS)}")
        return tuple(number for number in ALL_DAYS if DAYS[number] in value)

    def schema(self) -> Schema:
        return {"type": "array", "items": {"enum": list(DAYS)}, "minItems": 1}


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its name in the tz database."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "time zone"

    def read(self, value: object) -> str:
        try:
            return str(ZoneInfo(value if isinstance(value, str) else "").key)
        except (ValueError, OSError, KeyError):
            raise Wrong(
                'must be a time zone that this machine knows, such as "UTC" or "Europe/Vienna"'
            ) from None

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Weights:
    """Targets with their shares, in any unit: 90 and 10 are what 9 and 1 are."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "table of numbers by target"

    def read(self, value: object) -> tuple[Weight, ...]:
        if not isinstance(value, dict) or not value:
            raise Wrong('must be a table such as { "groq" = 90, "deepseek/deepseek-chat" = 10 }')
        weights = tuple(
            Weight(TargetList().read(str(target))[0], SHARE.read(share)) for target, share in value.items()
        )
        if not any(weight.share for weight in weights):
            raise Wrong("must hold a number above 0: with these nobody would be chosen")
        return weights

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": SHARE.schema(), "minProperties": 1}


@dataclass(frozen=True, slots=True)
class Settings:
    """Fields of the body by their dotted paths, and what they are set to."""

    is_secret: bool = True

    @property
    def word(self) -> str:
        return "table"

    def read(self, value: object) -> tuple[Setting, ...]:
        if not isinstance(value, dict):
            raise Wrong('must be a table such as { max_tokens = 1024, "thinking.type" = "disabled" }')
        return tuple(Setting(open_path(path), plain(wanted)) for path, wanted in value.items())

    def schema(self) -> Schema:
        return {"type": "object"}


@dataclass(frozen=True, slots=True)
class Removals:
    """Dotted paths of fields of the body that are left out."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "list of paths"

    def read(self, value: object) -> tuple[Path, ...]:
        if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
            raise Wrong('must be a list of paths such as ["temperature", "metadata.user_id"]')
        return tuple(open_path(path) for path in value)

    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "string", "minLength": 1}}


def open_path(text: str) -> Path:
    """Return the path of a field that a rewrite may change; raise `Wrong` for another."""
    path = path_of(text)
    if path[0] in CLOSED_FIELDS:
        remedy = "use rewrite.model" if path[0] == "model" else "the client waits for the one or the other"
        raise Wrong(f"{path[0]!r} cannot be changed: {remedy}")
    return path


def is_whole_day(start: int, end: int) -> bool:
    """Whether a span of the clock is no span at all."""
    return start % MINUTES_A_DAY == end % MINUTES_A_DAY
