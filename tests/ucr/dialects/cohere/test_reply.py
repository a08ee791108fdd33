"""Whole answers: the recorded ones, and what is none."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import context, written
from tests.world.cohere import cases, summary, validator
from ucr.dialects.cohere.reply import decode_reply
from ucr.errors import UpstreamError

WHOLE = [case for case in cases() if not case.is_stream]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.id)
def test_recorded_answers_are_read_as_their_goldens_say(case: Any) -> None:
    validator("response").validate(json.loads(case.body))
    assert summary(case) == json.loads(case.golden.read_bytes())


(NULL,) = [case for case in WHOLE if "null-args" in case.name]


@pytest.mark.parametrize("case", [pytest.param(NULL, id="edge-57")])
def test_arguments_of_null_are_none(case: Any) -> None:
    assert summary(case)["content"][-1]["input"] == {}


@pytest.mark.parametrize("case", [pytest.param(NULL, id="edge-161")])
def test_all_tokens_count_and_not_only_those_that_are_billed(case: Any) -> None:
    read = summary(case)
    assert read["usage"]["input_tokens"] + read["usage"]["cache_read_tokens"] == 1445


def answer(**fields: Any) -> dict[str, Any]:
    body = {"id": "1", "message": {"content": [{"type": "text", "text": "a"}]}, "finish_reason": "COMPLETE"}
    return {**body, **fields}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("COMPLETE", "end_turn"),
        ("STOP_SEQUENCE", "stop_sequence"),
        ("MAX_TOKENS", "max_tokens"),
        ("TOOL_CALL", "end_turn"),
        ("NEW_ONE", "end_turn"),
        (None, "end_turn"),
    ],
)
def test_why_it_stopped(reason: str | None, expected: str) -> None:
    assert decode_reply(json.dumps(answer(finish_reason=reason)).encode(), context()).stop_reason == expected


def test_an_answer_without_content_is_one() -> None:
    read = written(decode_reply(json.dumps(answer(message={"role": "assistant"})).encode(), context()))
    assert read["content"] == []


@pytest.mark.parametrize(
    ("body", "type_", "words"),
    [
        (b"", "api_error", "answered with an empty body"),
        (b"<html>no</html>", "api_error", "answered what is not JSON"),
        (b'{"message":"nothing here"}', "api_error", "nothing here"),
        (json.dumps(answer(finish_reason="ERROR")).encode(), "api_error", "finish reason 'ERROR'"),
        (json.dumps(answer(finish_reason="TIMEOUT")).encode(), "timeout_error", "finish reason 'TIMEOUT'"),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, type_: str, words: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        decode_reply(body, context())
    assert caught.value.type == type_
    assert words in caught.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["message", "finish_reason", "usage", "id", "error"])
INNER = st.sampled_from(["content", "tool_plan", "tool_calls", "text", "thinking", "function", "tokens"])


@settings(max_examples=80)
@given(st.dictionaries(FIELDS, JSON | st.dictionaries(INNER, JSON | st.lists(st.dictionaries(INNER, JSON)))))
def test_nothing_but_our_own_error(value: dict[str, Any]) -> None:
    try:
        decode_reply(json.dumps(value).encode(), context())
    except UpstreamError as error:
        assert error.message
