"""Signatures that UCR writes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.envelope import Envelope, is_ours, seal, unseal

STATES = st.dictionaries(
    st.text(), st.text() | st.integers(-(2**70), 2**70) | st.lists(st.booleans()), max_size=4
)


@given(provider=st.text(), state=STATES)
def test_what_is_sealed_is_unsealed(provider: str, state: dict[str, Any]) -> None:
    signature = seal(provider, state)
    assert is_ours(signature)
    assert unseal(signature) == Envelope(provider, state)


def test_a_provider_with_dots_keeps_its_name() -> None:
    assert unseal(seal("my.own.provider", {})) == Envelope("my.own.provider", {})


@given(state=STATES, place=st.integers(0, 400), letter=st.characters())
def test_a_damaged_envelope_gives_nothing_or_what_it_says(
    state: dict[str, Any], place: int, letter: str
) -> None:
    signature = seal("p", state)
    place = min(place, len(signature))
    unsealed = unseal(signature[:place] + letter + signature[place + 1 :])
    assert unsealed is None or isinstance(unsealed.state, dict)


@pytest.mark.parametrize(
    "signature", [None, 3, "", "EpYBCkYIChgC", "ucr1", "ucr1.", "ucr1.p", "ucr1.p.", "ucr1.p.e30x"]
)
def test_what_is_no_envelope_gives_nothing(signature: object) -> None:
    assert unseal(signature) is None


@pytest.mark.parametrize(
    ("signature", "ours"), [("ucr1.p.damaged", True), ("EpYBCkYIChgC", False), ("", False), (None, False)]
)
def test_ours_are_recognised_even_when_they_are_damaged(signature: object, ours: bool) -> None:
    assert is_ours(signature) is ours


def test_an_envelope_of_something_else_gives_nothing() -> None:
    assert unseal("ucr1.p.WzFd") is None
