"""Streams: framing, failures, the recorded ones as goldens, any split, and hostile bytes."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_cases import cases, summary
from tests.world.chat_streams import USAGE, call, calls, chunk, context, decoded, sse
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.errors import UpstreamError
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Failed,
    MessageDelta,
    MessageStart,
    MessageStop,
    Text,
    TextDelta,
)
from ucr.stress.grammar import problems

STREAMS = [case for case in cases() if case.is_stream]


FAILURES = [
    pytest.param([{"error": {"message": "no", "code": 503}}], [], ("overloaded_error", "no"), id="edge-171"),
    pytest.param(
        [chunk(content="x"), {"error": {"message": "slow", "code": "rate_limit_exceeded"}}],
        [MessageStart, BlockStart, BlockDelta],
        ("rate_limit_error", "slow"),
        id="edge-45-error-after-content",
    ),
    pytest.param(
        [{"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "bad", "code": 502}}]}],
        [],
        ("api_error", "bad"),
        id="error-in-a-choice",
    ),
    pytest.param(
        [chunk(content="x"), chunk("insufficient_system_resource")],
        [MessageStart, BlockStart, BlockDelta],
        ("overloaded_error", "provider 'p' stopped with finish reason 'insufficient_system_resource'"),
        id="edge-173-deepseek",
    ),
    pytest.param(
        [],
        [],
        ("api_error", "provider 'p' sent a stream that cannot be read: no answer is in it"),
        id="nothing",
    ),
]


@pytest.mark.parametrize(("chunks", "before", "words"), FAILURES)
def test_an_error_in_the_stream_fails_it(chunks: list[Any], before: list[type], words: tuple[str, str]) -> None:
    events = decoded(sse(*chunks), context())
    assert [type(event) for event in events] == [*before, Failed]
    assert isinstance(events[-1], Failed)
    assert (events[-1].error.type, events[-1].error.message) == words
    assert problems(events) == []


@pytest.mark.parametrize("name", [pytest.param("error", id="edge-47")])
def test_an_error_event_fails_the_stream(name: str) -> None:
    wrong = {
        "error": {"message": "no such tool", "code": "tool_use_failed", "failed_generation": '{"name": 1}'}
    }
    body = sse(chunk(reasoning="hm"), done=False) + f"event: {name}\ndata: {json.dumps(wrong)}\n\n".encode()
    error = decoded(body, context())[-1]
    assert isinstance(error, Failed)
    assert error.error.type == "invalid_request_error"
    assert error.error.message == 'no such tool (the model wrote: {"name": 1})'


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(
            sse({"error": {"code": 400, "message": "Token limit"}, **USAGE}, done=False), id="edge-46"
        ),
        pytest.param(b"data: {junk\n\n", id="junk"),
        pytest.param(b"data: \xff\n\n", id="no-utf-8"),
    ],
)
def test_what_goes_wrong_after_the_finish_reason_no_longer_matters(last: bytes) -> None:
    events = decoded(sse(chunk("length", content="x"), done=False) + last, context())
    assert [type(event) for event in events][-3:] == [BlockStop, MessageDelta, MessageStop]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(sse(chunk(content="x"), done=False), id="edge-23-text"),
        pytest.param(sse(calls(call(0, "call_aaaa1", "f", "{}")), done=False), id="edge-23-a-whole-call"),
        pytest.param(sse(chunk(content="x"), chunk("stop"), done=False)[:-12], id="edge-23-half-an-event"),
        pytest.param(sse(chunk(content="x"), done=False) + b"data: [DON", id="edge-23-half-the-end"),
        pytest.param(b"", id="edge-172-nothing"),
    ],
)
def test_a_stream_that_is_cut_off_fails(body: bytes) -> None:
    events = decoded(body, context())
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, UpstreamError)
    assert (events[-1].error.fault, events[-1].error.message) == (
        "midstream",
        "provider 'p' ended its answer before it was complete",
    )
    assert not any(isinstance(event, MessageDelta) for event in events)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b'{"error": {"message": "no", "code": 429}}', "no", id="edge-171-json"),
        pytest.param(
            b"<html><body>Bad gateway</body></html>",
            "provider 'p' sent no event stream: Bad gateway",
            id="edge-172",
        ),
        pytest.param(b'{"a": ', "provider 'p' sent no event stream: {\"a\":", id="edge-172-truncated"),
    ],
)
def test_a_body_that_is_no_stream_is_an_error(body: bytes, words: str) -> None:
    (event,) = decoded(body, context())
    assert isinstance(event, Failed)
    assert event.error.message == words


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(b": OPENROUTER PROCESSING\n\n", id="edge-45-comments"),
        pytest.param(b"event: strange\ndata: {}\n\n", id="unknown-event"),
        pytest.param(b"data: null\n\ndata: 1\n\ndata:\n\nid: 3\n\n", id="no-objects"),
        pytest.param(b'data: {"choices": null}\n\ndata: {"choices": [null, 3]}\n\n', id="strange-choices"),
    ],
)
def test_what_says_nothing_changes_nothing(lines: bytes) -> None:
    plain = sse(chunk(content="x"), chunk("stop"))
    first, second, done = plain.split(b"\n\n")[:3]
    body = lines + first + b"\n\n" + lines + second + b"\n\n" + lines + done + b"\n\n" + lines
    assert decoded(body, context()) == decoded(plain, context())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda body: body.replace(b"\n", b"\r\n"), id="edge-66-crlf"),
        pytest.param(lambda body: body.replace(b"\n", b"\r"), id="edge-66-cr"),
        pytest.param(lambda body: body.replace(b"data: ", b"data:"), id="edge-66-no-space"),
        pytest.param(
            lambda body: body.replace(b', "choices"', b',\ndata: "choices"'), id="edge-66-several-lines"
        ),
        pytest.param(lambda body: body.removesuffix(b"\n\n"), id="edge-66-no-last-blank-line"),
        pytest.param(lambda body: b"\xef\xbb\xbf" + body, id="edge-66-bom"),
        pytest.param(lambda body: body.replace(b"[DONE]", b" [DONE] "), id="edge-66-spaces-round-done"),
    ],
)
def test_every_legal_framing_is_read(change: Any) -> None:
    body = sse(chunk(content="é😀"), chunk("stop"))
    assert decoded(change(body), context()) == decoded(body, context())


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.id)
def test_a_recorded_stream_is_read_as_its_golden_says(case: Any) -> None:
    assert summary(case) == json.loads(case.golden.read_bytes())
    assert problems(decoded(case.body, context(case.family))) == []


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.id)
@settings(max_examples=8)
@given(data=st.data())
def test_any_split_of_a_recorded_stream_gives_the_same_events(case: Any, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(case.body)), max_size=30).map(sorted))
    assert repr(decoded(case.body, context(), *cuts)) == repr(decoded(case.body, context()))


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.id)
def test_blocks_that_come_one_by_one_give_the_same_events(case: Any) -> None:
    ends = [match.end() for match in re.finditer(rb"\n\n", case.body)]
    assert repr(decoded(case.body, context(), *ends)) == repr(decoded(case.body, context()))


def test_blocks_that_come_alone_are_a_stretch_until_something_else_comes() -> None:
    decoder = ChatStreamDecoder(context())

    def feed(*chunks: object) -> None:
        decoder.feed(b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in chunks))

    feed(chunk(role="assistant", content=""))
    assert decoder.stretch is None
    for other in (chunk(content="y") | {"id": "c2"}, chunk(reasoning_content="hm"), chunk("stop")):
        feed(chunk(content="x"))
        feed(chunk(content="x"))
        first = decoder.stretch
        assert first is not None
        feed(chunk(content="x"))
        assert decoder.stretch is first
        feed(other)
        assert decoder.stretch is not first
    decoder.close()
    assert decoder.stretch is None


def test_text_that_begins_an_answer_is_one_delta_with_what_came_behind_it() -> None:
    decoder = ChatStreamDecoder(context())
    pieces = ("a", "b", "c")
    events = decoder.feed(sse(chunk(role="assistant", content=""), *map(_said, pieces), done=False))
    assert events[1:] == [BlockStart(0, Text("")), BlockDelta(0, TextDelta("abc", pieces))]
    assert decoder.stretch is None


def test_white_space_that_begins_an_answer_is_written_with_its_first_word() -> None:
    for chunks in ((" ", "\n", "x", "y"), (" ", "x", "y")):
        body = sse(chunk(role="assistant", content=""), *map(_said, chunks), chunk("stop"))
        ends = [match.end() for match in re.finditer(rb"\n\n", body)]
        events = decoded(body, context())
        assert events == decoded(body, context(), *ends)
        blank = "".join(chunks[:-1])
        assert events[2:4] == [BlockDelta(0, TextDelta(blank)), BlockDelta(0, TextDelta("y"))]


def _said(text: str) -> object:
    return chunk(content=text)


def test_single_bytes_give_the_same_events() -> None:
    body = sse(chunk(content="é😀\u2028"), calls(call(0, "0", "f", '{"é":1}')), chunk("stop"), USAGE)
    assert decoded(body, context(), *range(1, len(body))) == decoded(body, context())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


WORDS = (
    st.sampled_from(["", "f", "0", "{", "}", '{"a":', "1}", "null", " ", "é", "<think>", "functions.x:0"])
    | JSON
)


def _objects(*names: str) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(names), WORDS, max_size=4)


CALL = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(0, 2) | JSON,
        "id": WORDS,
        "function": _objects("name", "arguments") | JSON,
        "custom": _objects("name", "input"),
        "extra_content": JSON,
    },
)


DELTA = st.fixed_dictionaries(
    {},
    optional={
        "content": WORDS | st.lists(_objects("type", "text", "thinking") | JSON, max_size=3),
        "reasoning": WORDS,
        "reasoning_content": WORDS,
        "reasoning_details": st.lists(
            _objects("type", "text", "data", "index", "signature") | JSON, max_size=3
        ),
        "refusal": WORDS,
        "tool_calls": st.lists(CALL, max_size=3) | JSON,
        "function_call": _objects("name", "arguments") | JSON,
    },
)


REASONS = st.sampled_from([None, None, None, "stop", "length", "tool_calls", "error"]) | JSON


CHOICE = st.fixed_dictionaries({"delta": DELTA | JSON, "finish_reason": REASONS}, optional={"index": JSON})


CHUNK = st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, max_size=2) | JSON},
    optional={"id": WORDS, "usage": _objects("prompt_tokens", "completion_tokens") | JSON, "x_groq": JSON},
)


@pytest.mark.slow
@settings(max_examples=300)
@given(chunks=st.lists(CHUNK | JSON, max_size=8), done=st.booleans(), shown=st.booleans(), split=st.booleans())
def test_chunks_of_every_shape_make_a_good_stream_or_a_failure(
    chunks: list[Any], done: bool, shown: bool, split: bool
) -> None:
    about = context(thinking_wanted=shown, split_think=split, reasoning_history="reasoning_details")
    events = decoded(sse(*chunks, done=done), about)
    assert [problem for problem in problems(events) if not problem.startswith("input is no object")] == []


@settings(max_examples=200)
@given(
    parts=st.lists(
        st.binary(max_size=20) | st.sampled_from([b"data: ", b"\n", b"\r", b"{}", b"[DONE]"]), max_size=20
    )
)
def test_bytes_of_every_kind_end_in_a_failure(parts: list[bytes]) -> None:
    decoder = ChatStreamDecoder(context())
    events = [event for part in parts for event in decoder.feed(part)] + decoder.close()
    assert [type(event) for event in events] == [Failed]


def test_an_event_that_is_too_large_fails_the_stream() -> None:
    big = b"data: " + b"x" * (4 * 1024 * 1024 + 1)
    body = sse(chunk(content="x"), done=False) + big
    whole, split = decoded(body, context()), decoded(body, context(), 1000, 2_000_000)
    assert repr(whole) == repr(split)
    assert isinstance(whole[-1], Failed)
    assert whole[-1].error.message == (
        "provider 'p' sent a stream that cannot be read: an event is larger than 4194304 bytes"
    )
