import json
from typing import Any, get_args

import pytest
from openai.types.chat import ChatCompletion

from tests.world.chat_client import translate
from ucr.dialects.openai_chat.client_reply import FINISH_REASONS, completion_id, encode, finish_reason, usage
from ucr.events import Block, Opaque, RedactedThinking, Reply, StopReason, Text, Thinking, ToolUse, Usage


def reply(*content: Block, stop: StopReason = "end_turn", counted: Usage | None = None, **fields: Any) -> Any:
    """Encode a reply and check it with the SDK's own type before it is looked at."""
    raw = encode(
        Reply("msg_1", "real", content, stop, counted or Usage(1, 2), **fields), "asked", 1_795_000_000
    )
    ChatCompletion.model_validate_json(raw, strict=True)
    return json.loads(raw)


def message(*content: Block, stop: StopReason = "end_turn", **fields: Any) -> Any:
    return reply(*content, stop=stop, **fields)["choices"][0]["message"]


def test_a_reply_is_written_to_the_byte() -> None:
    raw = encode(Reply("msg_1", "real", (Text("Hi"),), "end_turn", Usage(3, 2)), "asked", 1_795_000_000)
    assert raw == (
        b'{"id":"chatcmpl-1","object":"chat.completion","created":1795000000,"model":"asked","choices":['
        b'{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,'
        b'"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}'
    )


def test_texts_are_joined_and_opaque_blocks_left_out() -> None:
    made = message(Text("a", ({"type": "x"},)), Opaque({"type": "web_search_tool_result"}), Text("b"))
    assert made == {"role": "assistant", "content": "ab", "refusal": None}


def test_calls_keep_the_text_of_their_arguments() -> None:
    made = message(
        ToolUse("t1", "f", '{"n": 12345678901234567890.10}'),
        ToolUse("t2", "g"),
        ToolUse("t3", "h", ""),
        stop="tool_use",
    )
    assert made["content"] is None
    assert made["tool_calls"] == [
        {
            "id": "t1",
            "type": "function",
            "function": {"name": "f", "arguments": '{"n": 12345678901234567890.10}'},
        },
        {"id": "t2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"id": "t3", "type": "function", "function": {"name": "h", "arguments": "{}"}},
    ]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param('{"id":9007199254740993}', id="edge-131-big-integer"),
        pytest.param('{"x":0.10, "x":1e2}', id="edge-131-duplicate-keys-and-floats"),
        pytest.param('{"name":"Zoë 日本"}', id="edge-131-not-ascii"),
    ],
)
def test_arguments_are_the_providers_own_text(written: str) -> None:
    made = message(ToolUse("t", "f", written), stop="tool_use")
    assert made["tool_calls"][0]["function"]["arguments"] == written


def test_an_answer_of_nothing_is_an_empty_string() -> None:
    assert message()["content"] == ""


def test_thinking_comes_back_whole_through_the_client() -> None:
    content = (
        Thinking("first ", "s1"),
        Text("I look."),
        ToolUse("t1", "f", '{"x":1}'),
        RedactedThinking("blob"),
        Thinking("second", "s2"),
        ToolUse("t2", "f"),
    )
    made = message(*content, stop="tool_use")
    assert made["reasoning_content"] == "first second"
    history = translate({"role": "user", "content": "q"}, made).body["messages"][1]["content"]
    assert history == [
        {"type": "thinking", "thinking": "first ", "signature": "s1"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}},
        {"type": "redacted_thinking", "data": "blob"},
        {"type": "thinking", "thinking": "second", "signature": "s2"},
        {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
    ]


def test_unsigned_thinking_is_shown_and_has_nothing_to_send_back() -> None:
    made = message(Thinking("hm"), Text("a"))
    assert made["reasoning_content"] == "hm"
    assert "reasoning_signature" not in made


@pytest.mark.parametrize(
    ("content", "details", "expected"),
    [
        pytest.param((), None, (None, "The model declined to answer."), id="edge-70-nothing"),
        pytest.param((), {"explanation": "Policy."}, (None, "Policy."), id="edge-70-explained"),
        pytest.param((), {"explanation": 7}, (None, "The model declined to answer."), id="edge-70-no-words"),
        pytest.param((Text("Well"),), {"explanation": "Policy."}, ("Well", "Policy."), id="edge-70-midway"),
    ],
)
def test_a_refusal_says_so(content: Any, details: Any, expected: Any) -> None:
    choice = reply(*content, stop="refusal", stop_details=details)["choices"][0]
    assert (choice["message"]["content"], choice["message"]["refusal"]) == expected
    assert choice["finish_reason"] == "content_filter"


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        pytest.param("pause_turn", "stop", id="edge-68"),
        ("compaction", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_every_stop_reason_has_its_finish_reason(stop: StopReason, finish: str) -> None:
    assert reply(ToolUse("t", "f"), stop=stop)["choices"][0]["finish_reason"] == finish


def test_no_stop_reason_is_forgotten() -> None:
    assert set(FINISH_REASONS) == set(get_args(StopReason))


def test_a_reason_that_nobody_knows_is_an_ordinary_stop() -> None:
    assert finish_reason("tired", has_calls=True) == "stop"  # type: ignore[arg-type]


def test_a_stop_for_tools_that_ran_elsewhere_is_an_ordinary_stop() -> None:
    assert finish_reason("tool_use", has_calls=False) == "stop"


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (Usage(), None),
        (Usage(output_tokens=2), {"prompt_tokens": 0, "completion_tokens": 2, "total_tokens": 2}),
        pytest.param(
            Usage(86, 20, 1920, 400, 7),
            {
                "prompt_tokens": 2406,
                "completion_tokens": 20,
                "total_tokens": 2426,
                "prompt_tokens_details": {"cached_tokens": 1920, "cache_write_tokens": 400},
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
            id="edge-163-all",
        ),
        pytest.param(
            Usage(86, 20, cache_read_tokens=0),
            {
                "prompt_tokens": 86,
                "completion_tokens": 20,
                "total_tokens": 106,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
            id="edge-163-nothing-cached",
        ),
    ],
)
def test_the_prompt_counts_what_was_cached(counted: Usage, expected: Any) -> None:
    assert usage(counted) == expected


def test_a_reply_of_unknown_usage_has_none() -> None:
    assert "usage" not in reply(Text("a"), counted=Usage(None, None))


@pytest.mark.parametrize(
    ("given", "expected"), [("msg_01", "chatcmpl-01"), ("chatcmpl-9", "chatcmpl-9"), ("x", "chatcmpl-x")]
)
def test_an_id_looks_like_openais(given: str, expected: str) -> None:
    assert completion_id(given) == expected
