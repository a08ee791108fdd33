import pytest

from ucr.config.interpolate import Filled, Unresolved, fill, fill_tree

ENVIRON = {"KEY": "value", "EMPTY": "", "NESTED": "${KEY}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("${KEY}", "value"),
        ("a${KEY}b${KEY}", "avaluebvalue"),
        ("${EMPTY}", ""),
        ("$${KEY}", "${KEY}"),
        ("$KEY", "$KEY"),
        ("${NESTED}", "${KEY}"),
    ],
)
def test_references_are_replaced_once(text: str, filled: str) -> None:
    assert fill(text, ENVIRON) == filled


def test_a_filled_text_remembers_how_it_was_written() -> None:
    filled = fill("a${KEY}", ENVIRON)
    assert isinstance(filled, Filled)
    assert filled.written == "a${KEY}"
    assert type(str(filled)) is str


@pytest.mark.parametrize("text", ["${LOST}", "${KEY}${LOST}"])
def test_a_variable_that_is_not_set_is_named(text: str) -> None:
    with pytest.raises(Unresolved, match="LOST is not set"):
        fill(text, ENVIRON)


@pytest.mark.parametrize("text", ["${}", "${A B}", "${KEY:-x}", "${1A}"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Unresolved, match="no name of a variable"):
        fill(text, ENVIRON)


def test_trees_are_filled_however_deep() -> None:
    assert fill_tree({"a": ["${KEY}", 1, {"b": "${KEY}"}]}, ENVIRON) == {"a": ["value", 1, {"b": "value"}]}
