"""Stop reasons."""

import pytest

from ucr.dialects.openai_chat.stop import stop_reason

TABLE = [
    ("stop", False, False, "end_turn"),
    ("eos", False, False, "end_turn"),
    (None, False, False, "end_turn"),
    ("something new", False, False, "end_turn"),
    ("tool_calls", True, False, "tool_use"),
    ("function_call", True, False, "tool_use"),
    ("tool_calls", False, False, "end_turn"),
    pytest.param("stop", True, False, "tool_use", id="edge-21"),
    pytest.param(None, True, False, "tool_use", id="edge-22"),
    pytest.param("length", True, False, "max_tokens", id="edge-24"),
    ("LENGTH", False, False, "max_tokens"),
    ("max_tokens", False, True, "max_tokens"),
    ("model_length", False, False, "model_context_window_exceeded"),
    ("content_filter", True, False, "refusal"),
    pytest.param("stop", False, True, "refusal", id="edge-51"),
]


@pytest.mark.parametrize(("finish", "has_calls", "is_refused", "reason"), TABLE)
def test_the_reason_follows_from_the_word_and_the_content(
    finish: str | None, has_calls: bool, is_refused: bool, reason: str
) -> None:
    assert stop_reason(finish, has_calls=has_calls, is_refused=is_refused) == reason
