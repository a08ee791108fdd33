"""Whole answers."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_cases import cases, summary
from tests.world.chat_streams import context, written
from ucr.dialects.openai_chat.reply import decode_reply
from ucr.errors import UpstreamError
from ucr.events import Text, ToolUse

WHOLE = [case for case in cases() if not case.is_stream]


def answer(*messages: dict[str, Any], finish: str | None = "stop", **fields: Any) -> bytes:
    choices = [
        {"index": index, "message": message, "finish_reason": finish} for index, message in enumerate(messages)
    ]
    return json.dumps({"id": "c1", "choices": choices, **fields}).encode()


def call(name: str, arguments: object, **fields: Any) -> dict[str, Any]:
    return {"id": f"call_{name}xyz", "function": {"name": name, "arguments": arguments}, **fields}


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.id)
def test_a_recorded_answer_is_read_as_its_golden_says(case: Any) -> None:
    assert summary(case) == json.loads(case.golden.read_bytes())


@pytest.mark.parametrize(
    "finish", [pytest.param("tool_calls", id="edge-50"), pytest.param("stop", id="edge-50-stop")]
)
def test_all_choices_make_one_message(finish: str) -> None:
    body = answer(
        {"content": "Let me look."}, {"content": None, "tool_calls": [call("f", '{"a":1}')]}, finish=finish
    )
    reply = decode_reply(body, context())
    assert reply.content == (Text("Let me look."), ToolUse("call_fxyz", "f", '{"a":1}'))
    assert reply.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param(None, {"input_tokens": 7, "output_tokens": 3}, id="edge-162-null"),
        pytest.param({}, {"input_tokens": 7, "output_tokens": 3}, id="edge-162-empty"),
        pytest.param(
            {"prompt_tokens": 4, "completion_tokens": 0}, {"input_tokens": 4, "output_tokens": 0}, id="known"
        ),
    ],
)
def test_missing_usage_is_estimated(usage: Any, expected: dict[str, int]) -> None:
    reply = decode_reply(answer({"content": "twelve chars"}, usage=usage), context())
    assert written(reply)["usage"] == expected


@pytest.mark.parametrize("number", [pytest.param("12345678901234567890123", id="edge-131"), "0.10", "1e2"])
def test_numbers_of_arguments_stay_as_they_were_written(number: str) -> None:
    arguments = f'{{"é": {number}, "é": {number}}}'
    reply = decode_reply(answer({"tool_calls": [call("f", arguments)]}), context())
    assert reply.content == (ToolUse("call_fxyz", "f", arguments),)


def test_calls_of_a_whole_answer_are_never_joined() -> None:
    calls = [
        call("f", "{}", index=0, id=""),
        call("f", "{}", index=0, id=""),
        call("f", "", index=0, id="x1y2"),
    ]
    reply = decode_reply(answer({"tool_calls": calls}), context())
    assert len(reply.content) == 3
    assert len({block.id for block in reply.content if isinstance(block, ToolUse)}) == 3


def test_details_of_a_whole_answer_are_never_joined() -> None:
    details = [{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.text", "text": "b"}]
    reply = decode_reply(answer({"reasoning_details": details, "content": "c"}), context())
    assert written(reply)["content"] == [
        {"thinking": "ab", "provider": "p", "state": {"reasoning_details": details}},
        {"text": "c"},
    ]


@pytest.mark.parametrize("field", ["reasoning_details", "tool_calls"])
def test_a_large_answer_with_many_states_is_not_taken_for_too_much(field: str) -> None:
    items = {
        "reasoning_details": [{"type": "reasoning.encrypted", "data": f"d{number}"} for number in range(100)],
        "tool_calls": [call(f"f{number}", "{}", extra_content={"s": number}) for number in range(100)],
    }
    reply = decode_reply(answer({"content": "x" * 1_000_000, field: items[field]}), context())
    assert Text("x" * 1_000_000) in reply.content


def test_a_refusal_is_text_and_its_stop_reason() -> None:
    reply = decode_reply(answer({"content": None, "refusal": "I won't."}), context())
    assert (reply.content, reply.stop_reason) == ((Text("I won't."),), "refusal")


def test_an_empty_message_is_a_good_answer() -> None:
    reply = decode_reply(answer({"content": ""}), context())
    assert (reply.id, reply.model, reply.content, reply.stop_reason) == (
        "msg_c1",
        "claude-asked",
        (),
        "end_turn",
    )


ERRORS = [
    pytest.param(b"", "api_error", "provider 'p' answered with an empty body", id="edge-172-empty"),
    pytest.param(
        b"<html><h1>502</h1>Bad gateway</html>",
        "api_error",
        "provider 'p' answered what is not JSON: 502 Bad gateway",
        id="edge-172-html",
    ),
    pytest.param(
        b'{"choices": [{"mess',
        "api_error",
        'provider \'p\' answered what is not JSON: {"choices": [{"mess',
        id="edge-172-cut",
    ),
    pytest.param(b"[]", "api_error", "provider 'p' answered what is not an answer: []", id="list"),
    pytest.param(
        b'{"id": 1}', "api_error", "provider 'p' answered without an answer: {\"id\": 1}", id="no-choices"
    ),
    pytest.param(
        b'{"error": {"message": "slow down", "code": 429}}', "rate_limit_error", "slow down", id="edge-171-code"
    ),
    pytest.param(
        b'[{"error": {"message": "no", "status": "UNAVAILABLE"}}]', "overloaded_error", "no", id="edge-171-list"
    ),
    pytest.param(
        answer({"content": "x"}, finish="insufficient_system_resource"),
        "overloaded_error",
        "provider 'p' stopped with finish reason 'insufficient_system_resource'",
        id="edge-173-finish",
    ),
]


@pytest.mark.parametrize(("body", "type_", "message"), ERRORS)
def test_what_is_no_answer_raises(body: bytes, type_: str, message: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        decode_reply(body, context())
    assert (caught.value.type, caught.value.message) == (type_, message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "usage",
                    "error",
                    "type",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@pytest.mark.slow
@settings(max_examples=300)
@given(value=st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"message": JSON}))}) | JSON)
def test_every_json_is_an_answer_or_our_own_error(value: Any) -> None:
    try:
        reply = decode_reply(json.dumps(value).encode(), context())
    except UpstreamError:
        return
    assert all(
        isinstance(json.loads(block.input_json), dict) for block in reply.content if isinstance(block, ToolUse)
    )


@settings(max_examples=100)
@given(body=st.binary(max_size=60))
def test_bytes_of_every_kind_raise_only_our_own_error(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        decode_reply(body, context())
