from typing import Any

import pytest

from tests.world.cohere import END_FIELDS, START, ends, event, says
from ucr.dialects.cohere.chunks import chat_chunk, chat_reply


def delta(said: dict[str, Any]) -> Any:
    return chat_chunk(said)["choices"][0]["delta"]


def test_events_of_content_are_deltas() -> None:
    assert chat_chunk(START) == {"id": "c1", "choices": [{"delta": {}}]}
    assert delta(says("a")) == {"content": "a"}
    assert delta(event("tool-plan-delta", tool_plan="p")) == {"content": "p"}
    assert delta(event("content-delta", 0, content={"thinking": "t"})) == {"reasoning_content": "t"}


@pytest.mark.parametrize("many", [pytest.param(False, id="edge-56"), pytest.param(True, id="a-list")])
def test_a_call_of_an_event_is_an_object_or_a_list(many: bool) -> None:
    call = {"id": "1", "function": {"name": "f", "arguments": ""}}
    said = event("tool-call-start", 2, tool_calls=[call] if many else call)
    assert delta(said) == {"tool_calls": [{**call, "index": 2}]}


@pytest.mark.parametrize("kind", ["content-end", "tool-call-end", "citation-start", "citation-end", "debug", 7])
def test_other_events_say_nothing(kind: Any) -> None:
    assert chat_chunk({"type": kind, "index": 0, "delta": {"message": {"citations": {}}}}) == {}


def test_the_end_brings_the_reason_and_all_tokens() -> None:
    ended = chat_chunk(ends("MAX_TOKENS"))
    assert ended["choices"] == [{"delta": {}, "finish_reason": "max_tokens"}]
    assert ended["usage"] == END_FIELDS


def test_tokens_that_are_billed_stand_in_for_those_that_are_missing() -> None:
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 2}}
    found = chat_reply({"message": {"content": []}, "finish_reason": "COMPLETE", "usage": usage})["usage"]
    assert (found["prompt_tokens"], found["completion_tokens"]) == (3, 2)


@pytest.mark.parametrize(
    ("reason", "given", "error"),
    [
        (
            "ERROR",
            {},
            {"message": "the provider stopped with finish reason 'ERROR'", "type": "api_error"},
        ),
        ("TIMEOUT", {"error": "too slow"}, {"message": "too slow", "type": "timeout_error"}),
        ("COMPLETE", {"error": "lost"}, {"message": "lost", "type": "api_error"}),
    ],
)
def test_a_failure_is_an_error(reason: str, given: dict[str, Any], error: dict[str, Any]) -> None:
    assert chat_chunk(ends(reason, **given))["error"] == error


def test_words_without_an_event_are_an_error() -> None:
    assert chat_chunk({"message": "no"}) == {"error": {"message": "no"}}
    assert chat_chunk({"x": 1}) == {"x": 1}


def test_a_whole_answer_is_thinking_then_text_then_plan_then_calls() -> None:
    message = {
        "content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "a"}],
        "tool_plan": "p",
        "tool_calls": [{"id": "1"}],
    }
    made = chat_reply({"id": "i", "message": message, "finish_reason": "TOOL_CALL"})
    assert [choice["message"] for choice in made["choices"]] == [
        {"content": None, "reasoning_content": "t"},
        {"content": "a"},
        {"content": "p"},
        {"content": None, "tool_calls": [{"id": "1"}]},
    ]
    assert [choice.get("finish_reason") for choice in made["choices"]] == [None, None, None, "tool_call"]
