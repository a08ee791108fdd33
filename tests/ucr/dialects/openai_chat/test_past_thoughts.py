from typing import Any

import pytest

from ucr.dialects.envelope import seal
from ucr.dialects.openai_chat.past_thoughts import Thoughts, recall

CLAUDES = {"type": "thinking", "thinking": "hm", "signature": "EqQBCkgIARABGAIiQL"}


def thinking(words: Any, state: dict[str, Any], provider: str = "p") -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": seal(provider, state)}


def test_the_text_of_a_block_is_the_thinking() -> None:
    blocks = [thinking("a", {"kind": "reasoning_content"}), thinking("b", {"reasoning_content": "B"})]
    assert recall(blocks, "p").text == "aB"


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(CLAUDES, id="edge-98"),
        pytest.param({"type": "redacted_thinking", "data": "x"}, id="edge-102"),
        thinking("a", {"reasoning_content": "a"}, provider="other"),
        {"type": "thinking", "thinking": "a", "signature": "ucr1.p.%%%"},
        {"type": "thinking", "thinking": "a"},
        {"type": "text", "text": "a", "signature": seal("p", {})},
    ],
)
def test_the_thinking_of_others_is_nothing_to_this_provider(block: dict[str, Any]) -> None:
    assert recall([block], "p") == Thoughts()


def test_state_is_gathered_in_order() -> None:
    details = [{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.encrypted", "data": "b"}]
    chunk = {"type": "thinking", "thinking": []}
    blocks = [
        thinking("", {"reasoning_details": details[:1], "thinking_chunks": [chunk]}),
        thinking("", {"reasoning_details": details[1:], "extra_content": {"t1": {"google": {}}}}),
    ]
    assert recall(blocks, "p") == Thoughts("", tuple(details), (chunk,), {"t1": {"google": {}}})


@pytest.mark.parametrize("wrong", [None, 1, "x", [1, None], {"t1": 1}])
def test_state_of_the_wrong_type_is_no_state(wrong: Any) -> None:
    keys = ("reasoning_content", "reasoning_details", "thinking_chunks", "extra_content")
    found = recall([thinking(wrong, dict.fromkeys(keys, wrong))], "p")
    assert (found.details, found.chunks, dict(found.extras)) == ((), (), {})
    assert found.text == (wrong if isinstance(wrong, str) else "")
