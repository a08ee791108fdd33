"""The conditions of rules, made ready once for all requests: whether one holds, and if not why not. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from fnmatch import translate
from typing import Any
from zoneinfo import ZoneInfo

from ucr.config.rule_model import FieldTest, HeaderTest, Path, Span, When
from ucr.facts import Facts
from ucr.routing import plain_name

Holds = Callable[[Facts, float], bool]
"""Asked with a request and the present unix time."""

Fits = Callable[[str], bool]


def conditions(when: When) -> tuple[tuple[str, Holds], ...]:
    """Return the conditions with their names, those that cost least first."""
    return tuple(_conditions(when))


def _conditions(when: When) -> Iterator[tuple[str, Holds]]:
    if when.model:
        yield "model", _model(pattern_of(when.model))
    if when.dialect:
        yield "dialect", _dialect(pattern_of(when.dialect))
    if when.client:
        yield "client", _client(pattern_of(when.client))
    if when.time is not None:
        yield "time", _time(when.time)
    for header in when.headers:
        yield f"headers.{header.name}", _header(header)
    for test in when.body:
        yield f"body.{'.'.join(test.path)}", _field(test)
    if when.tokens_greater is not None or when.tokens_less is not None:
        yield "tokens", _tokens(when.tokens_greater, when.tokens_less)


def pattern_of(patterns: Iterable[str]) -> Fits:
    """Return what says whether a text fits one of the patterns, which are those for names of files."""
    match = re.compile("|".join(translate(pattern) for pattern in patterns)).match
    return lambda text: match(text) is not None


def _model(fits: Fits) -> Holds:
    return lambda facts, _now: fits(facts.model) or fits(plain_name(facts.model))


def _dialect(fits: Fits) -> Holds:
    return lambda facts, _now: fits(facts.request.dialect)


def _client(fits: Fits) -> Holds:
    return lambda facts, _now: facts.client is not None and fits(facts.client)


def _tokens(greater: int | None, less: int | None) -> Holds:
    low = -1 if greater is None else greater
    if less is None:
        return lambda facts, _now: facts.input_tokens > low
    return lambda facts, _now: low < facts.input_tokens < less


def _header(test: HeaderTest) -> Holds:
    name = test.name
    if not test.patterns:
        return lambda facts, _now: (name in facts.headers) is test.exists
    fits = pattern_of(test.patterns)
    return lambda facts, _now: name in facts.headers and fits(facts.headers[name])


def _time(span: Span) -> Holds:
    zone = ZoneInfo(span.zone)
    return lambda _facts, now: _is_within(span, datetime.fromtimestamp(now, zone))


def _is_within(span: Span, now: datetime) -> bool:
    minute, day = now.hour * 60 + now.minute, now.weekday()
    if span.start < span.end:
        return span.start <= minute < span.end and day in span.days
    if minute >= span.start:
        return day in span.days
    return minute < span.end and (day - 1) % 7 in span.days


def _field(test: FieldTest) -> Holds:
    path, fits = test.path, _comparison(test)
    if test.operation == "exists":
        wanted = bool(test.value)
        return lambda facts, _now: (
            any(value is not None for value in values_at(facts.request.own_body, path)) is wanted
        )
    return lambda facts, _now: any(fits(value) for value in values_at(facts.request.own_body, path))


def values_at(value: Any, path: Path) -> Iterator[Any]:
    """Give what stands at a path; in a list a number is a place, from the end below 0, and a name is in each item."""
    if not path:
        yield value
    elif isinstance(value, dict):
        if path[0] in value:
            yield from values_at(value[path[0]], path[1:])
    elif isinstance(value, list):
        if (place := place_of(path[0])) is None:
            for item in value:
                if isinstance(item, dict):
                    yield from values_at(item, path)
        elif -len(value) <= place < len(value):
            yield from values_at(value[place], path[1:])


def place_of(text: str) -> int | None:
    """Return the place in a list that a part of a path means; None for a name."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _comparison(test: FieldTest) -> Callable[[Any], bool]:
    wanted = test.value
    match test.operation:
        case "like":
            fits = pattern_of(wanted)
            return lambda value: isinstance(value, str) and fits(value)
        case "greater":
            return lambda value: is_number(value) and value > wanted
        case "less":
            return lambda value: is_number(value) and value < wanted
        case "equals" | "exists":
            return lambda value: is_same(value, wanted)


def is_number(value: object) -> bool:
    """Whether a value is a number to JSON, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_same(one: object, other: object) -> bool:
    """Whether two values are the same to JSON, where 1 is 1.0 and true is no number."""
    if one is other:
        return True
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    return isinstance(one, bool) is isinstance(other, bool) and one == other
