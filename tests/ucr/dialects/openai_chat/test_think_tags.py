"""Reasoning that stands in the text, between tags."""

from typing import Any

import pytest

from tests.world.chat_streams import chunk, content


@pytest.mark.parametrize(
    ("pieces", "blocks"),
    [
        pytest.param(["<think>hm</think>\n\nYes"], [{"thinking": "hm"}, {"text": "Yes"}], id="edge-55-whole"),
        pytest.param(
            list("<think>hm</think>\n\nYes"), [{"thinking": "hm"}, {"text": "Yes"}], id="edge-55-in-letters"
        ),
        pytest.param(
            ["Say <think>hm</think>"], [{"text": "Say <think>hm</think>"}], id="edge-55-not-at-the-start"
        ),
        pytest.param(["<think>hm"], [{"thinking": "hm"}], id="edge-55-never-closed"),
        pytest.param(["<thi"], [{"text": "<thi"}], id="edge-55-half-a-tag"),
    ],
)
def test_think_tags_are_split_on_demand(pieces: list[str], blocks: list[Any]) -> None:
    chunks = [*(chunk(content=piece) for piece in pieces), chunk("stop")]
    assert content(*chunks, split_think=True) == blocks
    assert content(*chunks) == [{"text": "".join(pieces)}]
