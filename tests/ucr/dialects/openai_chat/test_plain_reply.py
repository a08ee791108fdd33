"""Plain whole answers: what fits, what does not, and that both ways of reading give the same."""

import json
from dataclasses import replace as changed
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.world.chat_streams import context
from ucr.dialects.openai_chat.plain_reply import plain_reply
from ucr.dialects.openai_chat.reply import read_reply
from ucr.events import Text, Usage

USAGE = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}
PLAIN: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def written(value: object) -> bytes:
    return json.dumps(value).encode()


def with_choice(**changes: Any) -> dict[str, Any]:
    return {**PLAIN, "choices": [{**PLAIN["choices"][0], **changes}]}


def with_message(**changes: Any) -> dict[str, Any]:
    return with_choice(message={**PLAIN["choices"][0]["message"], **changes})


def test_a_plain_answer_is_read() -> None:
    reply = plain_reply(written(PLAIN), context())
    assert reply is not None
    assert (reply.id, reply.content, reply.stop_reason) == ("msg_chatcmpl-1", (Text("Hi."),), "end_turn")
    assert reply.usage == Usage(input_tokens=12, output_tokens=9)


@pytest.mark.parametrize(
    "value",
    [
        {**PLAIN, "error": {"message": "no"}},
        {**PLAIN, "id": ""},
        {**PLAIN, "object": "error"},
        {**PLAIN, "x_groq": {"usage": {}}},
        {**PLAIN, "usage": None},
        {**PLAIN, "usage": {**USAGE, "completion_tokens": -1}},
        {**PLAIN, "usage": {**USAGE, "prompt_tokens": 1.5}},
        {**PLAIN, "choices": []},
        {**PLAIN, "choices": PLAIN["choices"] * 2},
        with_choice(index=1),
        with_choice(finish_reason=None),
        with_choice(finish_reason="content_filter"),
        with_choice(error={"message": "no"}),
        with_message(content=""),
        with_message(content=None),
        with_message(content=[{"type": "text", "text": "Hi."}]),
        with_message(refusal="no"),
        with_message(reasoning="hm"),
        with_message(reasoning_content="hm"),
        with_message(tool_calls=[{"id": "call_1", "function": {"name": "f", "arguments": "{}"}}]),
        [PLAIN],
    ],
)
def test_what_must_be_looked_at_is_not_plain(value: object) -> None:
    assert plain_reply(written(value), context()) is None


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"id": "\xff\xfe"}'])
def test_what_is_no_answer_is_not_plain(body: bytes) -> None:
    assert plain_reply(body, context()) is None


def test_nothing_is_plain_where_thoughts_stand_in_the_text() -> None:
    splitting = replace(context(), quirks=changed(context().quirks, split_think=True))
    assert plain_reply(written(PLAIN), splitting) is None


COUNTS = st.none() | st.integers(0, 10_000)
DETAILS = st.none() | st.dictionaries(
    st.sampled_from(["cached_tokens", "reasoning_tokens", "cache_write_tokens", "audio_tokens"]), COUNTS
)
ANSWERS = st.builds(
    lambda id_, text, finish, usage, extra: {
        "id": id_,
        "model": "m",
        "choices": [{"index": 0, "message": {"content": text, **extra}, "finish_reason": finish}],
        "usage": usage,
    },
    st.text(min_size=1, max_size=120),
    st.text(min_size=1),
    st.sampled_from(["stop", "length"]),
    st.fixed_dictionaries(
        {"prompt_tokens": st.integers(0, 10**6), "completion_tokens": st.integers(0, 10**6)},
        optional={
            "total_tokens": COUNTS,
            "prompt_tokens_details": DETAILS,
            "completion_tokens_details": DETAILS,
            "prompt_cache_hit_tokens": COUNTS,
        },
    ),
    st.dictionaries(st.sampled_from(["refusal", "annotations", "reasoning", "tool_calls"]), st.none()),
)


@given(value=ANSWERS)
def test_both_ways_of_reading_give_the_same(value: dict[str, Any]) -> None:
    body = written(value)
    plain = plain_reply(body, context())
    assert plain is not None
    assert plain == read_reply(body, context())
