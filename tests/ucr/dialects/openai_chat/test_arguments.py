"""The end of a JSON object, found while it arrives."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.dialects.openai_chat.arguments import Arguments

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='ab"\\{}[]é😀\n', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet='ab"\\{}[]', max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


def fed(*pieces: str) -> Arguments:
    arguments = Arguments()
    for piece in pieces:
        arguments.add(piece)
    return arguments


@pytest.mark.slow
@settings(max_examples=300)
@given(value=st.dictionaries(st.text(max_size=4), JSON, max_size=4), ascii=st.booleans(), data=st.data())
def test_an_object_is_complete_with_its_last_brace_and_not_before(
    value: dict[str, object], ascii: bool, data: st.DataObject
) -> None:
    text = " " + json.dumps(value, ensure_ascii=ascii)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text) - 1), max_size=6)))
    pieces = [text[start:end] for start, end in zip((0, *cuts), (*cuts, len(text) - 1), strict=True)]
    arguments = fed(*pieces)
    assert not arguments.is_complete
    arguments.add(text[-1] + "}{ more")
    arguments.add("and more")
    assert (arguments.is_complete, arguments.text) == (True, text)


@pytest.mark.parametrize("text", ["", " ", "null", "[1]", '"x"', "}", "x{}"])
def test_what_is_no_object_never_completes(text: str) -> None:
    arguments = fed(text, "}")
    assert (arguments.is_complete, arguments.is_object, arguments.text) == (False, False, text + "}")


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        pytest.param('{"a": [1, {"b": "c"}', "]}", id="edge-25"),
        ("{", "}"),
        ('{"a": 1', "}"),
        ('{"a": "b', ""),
        ('{"a": ', ""),
        ('{"a"', ""),
        ('{"a": 1}', ""),
        ("", ""),
        ("[1", ""),
    ],
)
def test_missing_brackets_are_found_where_they_make_an_object(text: str, ending: str) -> None:
    assert fed(*text).ending() == ending


def test_each_piece_is_taken_once() -> None:
    arguments = fed('{"a"', ":")
    assert arguments.take() == '{"a":'
    arguments.add("1}")
    assert (arguments.take(), arguments.take()) == ("1}", "")
