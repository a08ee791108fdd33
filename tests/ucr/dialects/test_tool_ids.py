"""Ids of calls on their way to a client and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.dialects.tool_ids import mint, to_client, to_upstream


@pytest.mark.slow
@given(upstream_id=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_id_comes_back(upstream_id: str) -> None:
    assert to_upstream(to_client(upstream_id)) == upstream_id


def test_minted_ids_are_the_same_for_the_same_text_only() -> None:
    assert mint("a") == mint("a") != mint("b")
    assert len(mint("a")) == 30
