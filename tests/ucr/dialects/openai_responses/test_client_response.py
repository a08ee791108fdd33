import pytest

from tests.world.responses_client import NOW, check_response
from ucr.dialects.openai_responses.client_response import (
    begun,
    call,
    ended,
    message,
    reasoning,
    response_id,
    text_part,
    usage,
)
from ucr.dialects.openai_responses.client_tools import Origin
from ucr.events import StopReason, ToolUse, Usage

BEGUN = begun("resp_1", "m", NOW, {"reasoning": {"effort": "low"}, "metadata": {"a": "b"}, "temperature": 1})
USE = ToolUse("call_1", "f", "{}")


@pytest.mark.parametrize(("given", "made"), [("msg_1", "resp_1"), ("msg_resp_1", "resp_1"), ("x", "resp_x")])
def test_a_response_has_an_id_of_its_kind(given: str, made: str) -> None:
    assert response_id(given) == made


def test_a_response_that_has_begun_is_valid() -> None:
    assert check_response(BEGUN)["status"] == "in_progress"
    assert (BEGUN["reasoning"], BEGUN["metadata"], BEGUN["store"]) == ({"effort": "low"}, {"a": "b"}, False)
    check_response(begun("resp_1", "m", NOW, {"reasoning": 3, "metadata": 3}))


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("end_turn", "completed", None),
        ("tool_use", "completed", None),
        ("max_tokens", "incomplete", {"reason": "max_output_tokens"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_a_response_that_has_ended_says_why(reason: StopReason, status: str, why: object) -> None:
    items = [
        message("msg_1", [text_part("x")], "completed"),
        reasoning("rs_1", "hm", "sealed"),
        reasoning("rs_2", "", None),
        call("fc_1", USE, Origin("f", "agents"), "{}", "completed"),
        call("ctc_1", USE, Origin("f", is_custom=True), "free", "completed"),
    ]
    response = check_response(ended(BEGUN, items, reason, Usage(10, 5, 3, 2, 4)))
    assert (response["status"], response["incomplete_details"]) == (status, why)


def test_what_came_from_a_cache_is_counted_in() -> None:
    assert usage(Usage(10, 5, 3, 2, 4)) == {
        "input_tokens": 15,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 20,
    }
    assert usage(Usage()) is None
