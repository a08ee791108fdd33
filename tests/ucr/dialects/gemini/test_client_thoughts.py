"""Thinking inside of the signatures of calls."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.gemini.client_thoughts import OURS, is_ours, pack, restore


@given(st.lists(st.tuples(st.just("thinking"), st.text(), st.text(), st.booleans()), max_size=3))
def test_what_is_packed_comes_back_in_either_alphabet(entries: list[tuple[str, str, str, bool]]) -> None:
    packed = pack(entries)
    assert is_ours(packed)
    found = restore(packed)
    assert found == restore(packed.replace("+", "-").replace("/", "_").rstrip("="))
    if all(text.isascii() for entry in entries for text in entry[1:3]):
        assert [(block["thinking"], block["signature"], behind) for block, behind in found or ()] == [
            entry[1:] for entry in entries
        ]


def test_redacted_thinking_is_packed_too() -> None:
    assert restore(pack([("redacted", "data", "", True)])) == [
        ({"type": "redacted_thinking", "data": "data"}, True)
    ]


@pytest.mark.parametrize(
    "signature",
    [
        None,
        3,
        "",
        "AVSoXO4",
        OURS,
        OURS + "5",
        OURS + "!!",
        base64.b64encode(b"ucr1.{}").decode(),
        base64.b64encode(b"ucr1.[").decode(),
        base64.b64encode(b"ucr1x[]").decode(),
    ],
)
def test_anothers_signature_and_a_damaged_one_hold_nothing(signature: object) -> None:
    assert restore(signature) is None


def test_odd_entries_are_left_out() -> None:
    assert restore(base64.b64encode(b'ucr1.[1,["thinking"],["x","a","b",true]]').decode()) == []
