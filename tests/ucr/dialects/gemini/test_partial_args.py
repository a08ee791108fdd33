"""Arguments in pieces."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.gemini.partial_args import PartialArgs


def put(*pieces: tuple[str, Any] | tuple[str, Any, bool]) -> dict[str, Any]:
    args = PartialArgs()
    for path, value, *more in pieces:
        kinds = {str: "stringValue", bool: "boolValue", type(None): "nullValue"}
        kind = kinds.get(type(value), "numberValue")
        args.add({"jsonPath": path, kind: value, "willContinue": bool(more)})
    return args.value


@pytest.mark.parametrize(
    ("pieces", "value"),
    [
        pytest.param([("$.a", "x")], {"a": "x"}, id="edge-36-text"),
        pytest.param([("$.a", "x", True), ("$.a", "y")], {"a": "xy"}, id="edge-36-a-text-in-pieces"),
        pytest.param([("$.a", "x"), ("$.a", "y")], {"a": "y"}, id="a-text-twice"),
        pytest.param([("$.a[0].b", 1), ("$.a[1].b", 2)], {"a": [{"b": 1}, {"b": 2}]}, id="edge-36-arrays"),
        pytest.param([("$.a[2]", True)], {"a": [None, None, True]}, id="a-gap"),
        pytest.param(
            [("$['a b']['c\\'d']", None), ('$["e"]', 1.5)], {"a b": {"c'd": None}, "e": 1.5}, id="quoted"
        ),
        pytest.param([("$.a", "x"), ("$.a.b", 1)], {"a": {"b": 1}}, id="another-shape"),
        pytest.param(
            [("$", 1), ("a", 1), ("$[0]", 1), ("$..a", 1), ("$.a[99999]", 1), ("$.a[", 1)], {}, id="odd"
        ),
    ],
)
def test_pieces_find_their_places(pieces: list[Any], value: dict[str, Any]) -> None:
    assert put(*pieces) == value


def test_a_piece_without_a_place_or_a_value_says_nothing() -> None:
    args = PartialArgs()
    assert [args.add(piece) for piece in ({}, {"jsonPath": 3}, {"jsonPath": "$.a"})] == [0, 0, 0]
    assert args.value == {}
    assert args.add({"jsonPath": "$.a", "stringValue": "four"}) == 4


@given(
    st.lists(st.tuples(st.text("$.[]'\"0ab\\", max_size=12), st.none() | st.integers() | st.text(max_size=3)))
)
def test_no_path_is_too_odd(pieces: list[Any]) -> None:
    assert isinstance(put(*((f"${path}", value, True) for path, value in pieces)), dict)
