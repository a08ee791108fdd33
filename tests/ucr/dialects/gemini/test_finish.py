"""Why an answer ended."""

import pytest

from tests.world.chat_streams import context
from ucr.dialects.gemini import finish


@pytest.mark.parametrize(
    ("reason", "has_calls", "expected"),
    [
        ("STOP", False, "end_turn"),
        ("STOP", True, "tool_use"),
        ("MAX_TOKENS", True, "max_tokens"),
        ("OTHER", False, "end_turn"),
        ("NEW_WORD", False, "end_turn"),
        *((reason, False, "refusal") for reason in sorted(finish.REFUSALS)),
    ],
)
def test_a_reason_has_its_canonical_word(reason: str, has_calls: bool, expected: str) -> None:
    assert finish.stop_reason(reason, has_calls=has_calls) == expected


@pytest.mark.parametrize(
    ("reason", "is_empty", "fails"),
    [
        ("STOP", True, False),
        ("OTHER", True, True),
        ("OTHER", False, False),
        ("MALFORMED_FUNCTION_CALL", False, True),
        ("MISSING_THOUGHT_SIGNATURE", True, True),
        (None, True, False),
    ],
)
def test_some_reasons_are_failures(reason: str | None, is_empty: bool, fails: bool) -> None:
    error = finish.failure(reason, "bad call", context(), is_empty=is_empty)
    assert (error is not None) is fails
    if error is not None:
        assert (error.type, error.fault) == ("api_error", "server")
        assert error.message == f"provider 'p' stopped with finish reason '{reason}': bad call"


def test_what_is_unspecified_or_odd_is_no_reason() -> None:
    for reason in (None, "", 3, "FINISH_REASON_UNSPECIFIED"):
        assert finish.reason_in({"finishReason": reason}) is None
    for feedback in (None, {}, {"blockReason": "BLOCK_REASON_UNSPECIFIED"}, {"blockReason": 1}):
        assert finish.block_in({"promptFeedback": feedback}) is None
    assert finish.explanation_in({"finishMessage": 3}) == ""


def test_a_refusal_is_explained_where_there_are_words() -> None:
    assert finish.refusal_details("SAFETY", "no") == {"type": "refusal", "category": None, "explanation": "no"}
    assert finish.refusal_details("SAFETY", "") is None
    assert finish.refusal_details("STOP", "no") is None
