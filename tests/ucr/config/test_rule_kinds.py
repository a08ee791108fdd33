from datetime import date
from typing import Any

import jsonschema
import pytest

from ucr.config.kinds import Kind, Wrong
from ucr.config.model import ModelTarget
from ucr.config.rule_kinds import (
    Clock,
    Days,
    FieldTests,
    HeaderTests,
    Patterns,
    Removals,
    Settings,
    Weights,
    Zone,
    is_whole_day,
    open_path,
    path_of,
    plain,
)
from ucr.config.rule_model import FieldTest, HeaderTest, Setting, Weight

A_B = ("a", "b")

GOOD: list[tuple[Kind, Any, Any]] = [
    (Patterns(), "claude-*", ("claude-*",)),
    (Patterns(), ["a", "b"], ("a", "b")),
    (HeaderTests(), {"X-Team": "a*"}, (HeaderTest("x-team", ("a*",)),)),
    (HeaderTests(), {"x-a": ["b", "c"]}, (HeaderTest("x-a", ("b", "c")),)),
    (HeaderTests(), {"x-a": False}, (HeaderTest("x-a", exists=False),)),
    (FieldTests(), {"a.b": "c*"}, (FieldTest(A_B, "like", ("c*",)),)),
    (FieldTests(), {"a.b": 7}, (FieldTest(A_B, "equals", 7),)),
    (FieldTests(), {"a": True}, (FieldTest(("a",), "equals", True),)),
    (
        FieldTests(),
        {"a": {"greater": 1, "less": 9}},
        (FieldTest(("a",), "greater", 1.0), FieldTest(("a",), "less", 9.0)),
    ),
    (FieldTests(), {"a": {"exists": False}}, (FieldTest(("a",), "exists", False),)),
    (FieldTests(), {"a": {"like": "x"}}, (FieldTest(("a",), "like", ("x",)),)),
    (FieldTests(), {"a": {"equals": "x*"}}, (FieldTest(("a",), "equals", "x*"),)),
    (Clock(), "22:30", 22 * 60 + 30),
    (Clock(), "7:05", 7 * 60 + 5),
    (Clock(), "24:00", 24 * 60),
    (Days(), ["sun", "mon"], (0, 6)),
    (Zone(), "UTC", "UTC"),
    (Weights(), {"p/m": 9, "q": 0.5}, (Weight(ModelTarget("p", "m"), 9.0), Weight(ModelTarget("q"), 0.5))),
    (Settings(), {"a.b": [1, {"c": "d"}]}, (Setting(A_B, [1, {"c": "d"}]),)),
    (Removals(), ["a.b", "c"], (A_B, ("c",))),
]

BAD: list[tuple[Kind, Any]] = [
    (Patterns(), ""),
    (Patterns(), []),
    (Patterns(), [1]),
    (Patterns(), 1),
    (HeaderTests(), "x"),
    (HeaderTests(), {"a b": "c"}),
    (HeaderTests(), {"x-a": 1}),
    (HeaderTests(), {"Authorization": "Bearer *"}),
    (HeaderTests(), {"cookie": True}),
    (FieldTests(), []),
    (FieldTests(), {"a..b": 1}),
    (FieldTests(), {"": 1}),
    (FieldTests(), {"a": {}}),
    (FieldTests(), {"a": {"matches": "x"}}),
    (FieldTests(), {"a": {"exists": "yes"}}),
    (FieldTests(), {"a": {"greater": "9"}}),
    (FieldTests(), {"a": date(2026, 1, 1)}),
    (Clock(), "25:00"),
    (Clock(), "24:01"),
    (Clock(), "12"),
    (Clock(), 12),
    (Days(), []),
    (Days(), ["monday"]),
    (Days(), [["mon"]]),
    (Days(), "mon"),
    (Zone(), "Mars/Olympus"),
    (Zone(), "../etc/passwd"),
    (Zone(), ""),
    (Zone(), 1),
    (Weights(), {}),
    (Weights(), {"p": 0}),
    (Weights(), {"p": -1}),
    (Weights(), {"p": "9"}),
    (Weights(), {"p/": 1}),
    (Weights(), ["p"]),
    (Settings(), []),
    (Settings(), {"model": "x"}),
    (Settings(), {"stream": True}),
    (Settings(), {"a": date(2026, 1, 1)}),
    (Removals(), "a"),
    (Removals(), [1]),
    (Removals(), ["a."]),
    (Removals(), ["model"]),
]


def name(value: object) -> str:
    return type(value).__name__ if hasattr(value, "read") else repr(value)[:24]


@pytest.mark.parametrize(("kind", "value", "expected"), GOOD, ids=name)
def test_a_fitting_value_is_read_and_allowed_by_the_schema(kind: Kind, value: Any, expected: Any) -> None:
    assert kind.read(value) == expected
    jsonschema.validate(value, kind.schema())
    assert kind.word


@pytest.mark.parametrize(("kind", "value"), BAD, ids=name)
def test_any_other_value_is_refused_with_words(kind: Kind, value: Any) -> None:
    with pytest.raises(Wrong, match=r"\w+ \w+"):
        kind.read(value)


def test_the_headers_of_keys_lead_to_the_condition_for_clients() -> None:
    with pytest.raises(Wrong, match=r"when\.client"):
        HeaderTests().read({"X-Api-Key": "*"})


def test_paths_are_taken_apart_and_closed_fields_are_refused() -> None:
    assert path_of("a.-1.b") == ("a", "-1", "b")
    assert open_path("metadata.model") == ("metadata", "model")
    with pytest.raises(Wrong, match=r"rewrite\.model"):
        open_path("model")


def test_values_of_the_file_become_plain() -> None:
    assert plain({"a": [1, 2.5, None, True, "x"]}) == {"a": [1, 2.5, None, True, "x"]}


def test_a_span_that_begins_where_it_ends_is_told_from_others() -> None:
    assert is_whole_day(0, 1440)
    assert is_whole_day(60, 60)
    assert not is_whole_day(60, 120)
