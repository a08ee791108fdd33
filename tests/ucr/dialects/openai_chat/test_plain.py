"""Plain chunks: what fits, what does not, and that both ways of reading give the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_chunks import STREAMS
from tests.world.chat_streams import USAGE, call, calls, chunk, context, decoded
from ucr.dialects.openai_chat.plain import PlainDelta, lone_arguments, plain_chunk
from ucr.errors import UpstreamError
from ucr.events import Event, Failed


def written(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "value",
    [
        chunk(content="x"),
        chunk("stop", content="", refusal=None, role="assistant"),
        {
            **chunk(content="x"),
            "object": "chat.completion.chunk",
            "usage": None,
            "obfuscation": "1a",
            "new": {},
        },
        calls(call(0, "call_1", "f", "{}")),
        chunk(content=None, reasoning="hm", reasoning_details=[]),
        USAGE,
    ],
)
def test_what_nearly_all_chunks_say_is_plain(value: object) -> None:
    assert plain_chunk(written(value)) is not None


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"message": "no"}, **chunk(content="x")},
        {**chunk(content="x"), "object": "error"},
        {**chunk(content="x"), "x_groq": {"usage": {}}},
        {**chunk(content="x"), "choices": [{"delta": {}}, {"delta": {}}]},
        {"choices": [{"index": 1, "delta": {"content": "x"}}]},
        {"choices": [{"delta": {"content": "x"}, "error": {}}]},
        {"choices": [{"delta": None}]},
        {"choices": None},
        {},
        chunk(content=["x"]),
        chunk(content=1),
        chunk(refusal="no"),
        chunk(reasoning_details=[{"type": "reasoning.text"}]),
        chunk(function_call={"name": "f"}),
        calls({"index": 0, "custom": {"name": "f"}}),
        calls({"index": 0, "function": {"name": "f", "arguments": {}}}),
        calls({"index": 0, "extra_content": {}, "function": {}}),
        [chunk(content="x")],
        "[DONE]",
    ],
)
def test_what_must_be_looked_at_is_not_plain(value: object) -> None:
    assert plain_chunk(written(value)) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"[DONE]", b'{"choices":[', b'{"choices":[]}{}', b'{"choices":[],"a":"\\ud800"}', b'{"a":' * 5000],
)
def test_what_is_no_json_is_not_plain(data: bytes) -> None:
    assert plain_chunk(data) is None


def test_the_later_of_two_equal_names_counts_as_in_a_dictionary() -> None:
    data = b'{"choices":[{"delta":{"content":"a","content":"b"},"delta":{"reasoning":"c"}}]}'
    read = plain_chunk(data)
    assert read is not None
    assert read.choices[0].delta == PlainDelta(reasoning="c")


def said(value: object) -> tuple[int | None, str] | None:
    chunk = plain_chunk(written(value))
    assert chunk is not None
    return lone_arguments(chunk)


def test_arguments_are_the_only_thing_that_a_chunk_says() -> None:
    assert said(calls(call(3, arguments='{"'))) == (3, '{"')
    for other in (
        calls(call(3, "call_1", arguments='{"')),
        calls(call(3, None, "f", '{"')),
        calls(call(3, arguments="")),
        calls(call(3, arguments="1"), call(4, arguments="1")),
        calls(call(3, arguments="1"), content="x"),
        calls(call(3, arguments="1"), reasoning="x"),
        calls({"index": 3}),
        calls(call(3, arguments="1"), finish="tool_calls"),
        chunk(content="x"),
    ):
        assert said(other) is None


def told(events: list[Event]) -> list[object]:
    """Return events in a form that can be compared."""
    return [_words(event.error) if isinstance(event, Failed) else event for event in events]


def _words(error: Exception) -> object:
    assert isinstance(error, UpstreamError)
    return error.type, error.message, error.fault


@pytest.mark.slow
@settings(max_examples=400)
@given(chunks=STREAMS, is_ascii=st.booleans(), quirks=st.booleans(), shows=st.booleans(), data=st.data())
def test_the_quick_way_reads_what_the_general_way_reads(
    chunks: list[Any], is_ascii: bool, quirks: bool, shows: bool, data: st.DataObject
) -> None:
    lines = [f"data: {json.dumps(chunk, ensure_ascii=is_ascii)}\n\n" for chunk in chunks]
    body = "".join([*lines, "data: [DONE]\n\n"]).encode("utf-8", "surrogatepass")
    history = "reasoning_content" if quirks else "drop"
    about = context(thinking_wanted=shows, split_think=quirks, reasoning_history=history)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=4)))
    general = body.replace(b"\n", b"\r\n")
    assert told(decoded(body, about, *cuts)) == told(decoded(general, about)), chunks
