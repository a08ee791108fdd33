from typing import Any

import pytest

from ucr.dialects.envelope import seal
from ucr.dialects.openai_responses.client_reasoning import OWNER, blocks_of, seal_redacted, seal_thinking

LOST = ["earlier reasoning without its intact signature was dropped"]


def item(encrypted: Any, *summary: str) -> dict[str, Any]:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {
        "type": "reasoning",
        "id": "rs_1",
        "summary": parts,
        "content": None,
        "encrypted_content": encrypted,
    }


def test_thinking_comes_back_with_its_signature() -> None:
    notes: list[str] = []
    assert blocks_of(item(seal_thinking("hm", "EqQB"), "hm"), notes) == [
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"}
    ]
    assert blocks_of(item(seal_thinking("", "EqQB")), notes) == [
        {"type": "thinking", "thinking": "", "signature": "EqQB"}
    ]
    assert blocks_of(item(seal_redacted("data")), notes) == [{"type": "redacted_thinking", "data": "data"}]
    assert notes == []


def test_nobody_wants_back_what_was_not_signed() -> None:
    assert seal_thinking("hm", "") is None


@pytest.mark.parametrize(
    "given",
    [
        item(None, "hm"),
        item("gAAA", "hm"),
        item(seal("other", {"signature": "x", "length": 2}), "hm"),
        item(seal_thinking("hm", "EqQB"), "edited"),
        item(seal(OWNER, {"length": 2}), "hm"),
        {"type": "reasoning"},
    ],
)
def test_what_is_not_intact_is_left_out_with_a_note(given: Any) -> None:
    notes: list[str] = []
    assert (blocks_of(given, notes), notes) == ([], LOST)
