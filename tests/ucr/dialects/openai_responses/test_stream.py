"""Streams: framing, failures, the recorded ones as goldens, any split, and hostile bytes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import context
from tests.world.responses import END, START, added, calls, cases, decoded, event, says, sse, summary, thinks
from ucr.dialects.openai_responses.stream import ResponsesStreamDecoder
from ucr.events import BlockDelta, Failed, MessageStop
from ucr.stress.grammar import problems

STREAMS = [case for case in cases() if case.is_stream]
BODY = sse(
    START,
    thinks(0, "hm"),
    added(1, "message"),
    says(1, "é😀\u2028"),
    added(2, "function_call", call_id="c1", name="f"),
    calls(2, '{"é":1}'),
    END,
)


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


def test_single_bytes_give_the_same_events() -> None:
    assert decoded(BODY, context(), *range(1, len(BODY))) == decoded(BODY, context())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda body: body.replace(b"\n", b"\r\n"), id="edge-66-crlf"),
        pytest.param(lambda body: body.replace(b"data: ", b"data:"), id="edge-66-no-space"),
        pytest.param(lambda body: body.removesuffix(b"\n\n"), id="edge-66-no-last-blank-line"),
        pytest.param(lambda body: b"\xef\xbb\xbf" + body, id="edge-66-bom"),
        pytest.param(lambda body: body + b"data: [DONE]\n\n", id="done"),
        pytest.param(lambda body: b"data: [DONE]\n\n" + body, id="done-first"),
        pytest.param(
            lambda body: (
                b"".join(b"data: " + line.partition(b"data: ")[2] + b"\n\n" for line in body.split(b"\n\n"))
                if b"\n\n" in body
                else body
            ),
            id="no-names",
        ),
        pytest.param(lambda body: b": hi\n\nevent: response.strange\ndata: {}\n\n" + body, id="unknown-event"),
        pytest.param(lambda body: b"data: null\n\ndata: 1\n\ndata:\n\nid: 3\n\n" + body, id="no-objects"),
    ],
)
def test_every_legal_framing_is_read(change: Any) -> None:
    assert decoded(change(BODY), context()) == decoded(BODY, context())


def test_the_name_of_an_event_stands_in_for_its_type() -> None:
    typeless = BODY.replace(b'"type": "response.output_item.added", ', b"").replace(
        b'"type": "response.completed", ', b""
    )
    assert typeless != BODY
    assert decoded(typeless, context()) == decoded(BODY, context())


FAILED = event("failed", response={"id": "r", "error": {"code": "server_error", "message": "again"}})


@pytest.mark.parametrize(
    ("events", "type_", "message"),
    [
        pytest.param([event("error", code="server_error", message="no")], "api_error", "no", id="edge-42-flat"),
        pytest.param(
            [event("error", error={"code": "rate_limit_exceeded", "message": "slow"}), FAILED],
            "rate_limit_error",
            "slow",
            id="edge-42-nested",
        ),
        ([FAILED], "api_error", "again"),
        pytest.param([says(0, "x"), FAILED], "api_error", "again", id="edge-45-error-after-content"),
        ([says(0, "x")], "api_error", "provider 'p' ended its answer before it was complete"),
        ([], "api_error", "provider 'p' ended its answer before it was complete"),
    ],
)
def test_a_stream_may_fail(events: list[Any], type_: str, message: str) -> None:
    (*before, last) = decoded(sse(START, *events), context())
    assert isinstance(last, Failed)
    assert (last.error.type, last.error.message) == (type_, message)
    assert not any(isinstance(one, MessageStop) for one in before)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b'{"error": {"message": "no", "code": 429}}', "no", id="edge-171-json"),
        pytest.param(
            b"<html>Bad gateway</html>", "provider 'p' sent no event stream: Bad gateway", id="edge-172"
        ),
    ],
)
def test_a_body_that_is_no_stream_is_an_error(body: bytes, words: str) -> None:
    (one,) = decoded(body, context())
    assert isinstance(one, Failed)
    assert one.error.message == words


def test_nothing_follows_the_end() -> None:
    assert decoded(BODY + sse(says(5, "more"), FAILED), context()) == decoded(BODY, context())


def test_a_piece_that_is_said_by_name_alone_is_read_in_the_quick_way() -> None:
    (delta,) = [one for one in decoded(sse(START, says(0, "x"), END), context()) if isinstance(one, BlockDelta)]
    odd = sse(START, {**says(0, "x"), "output_index": None}, END)
    assert [one for one in decoded(odd, context()) if isinstance(one, BlockDelta)] == [delta]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(["", "f", "{", "}", '{"a":', "1}", "null", " ", "é"]) | JSON
KINDS = st.sampled_from(
    [
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.delta",
        "response.completed",
        "response.incomplete",
        "error",
    ]
)
PART = st.dictionaries(st.sampled_from(["type", "text", "refusal"]), WORDS, max_size=3)
ITEM = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "reasoning", "function_call", "custom_tool_call", "x"]) | JSON},
    optional={
        "id": WORDS,
        "call_id": WORDS,
        "name": WORDS,
        "arguments": WORDS,
        "input": WORDS,
        "content": st.lists(PART, max_size=2) | JSON,
        "summary": st.lists(PART, max_size=2) | JSON,
        "encrypted_content": WORDS,
    },
)
RESPONSE = st.fixed_dictionaries(
    {},
    optional={
        "id": WORDS,
        "output": st.lists(ITEM, max_size=2) | JSON,
        "usage": JSON,
        "incomplete_details": JSON,
    },
)
EVENT = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "output_index": st.integers(0, 2) | JSON,
        "content_index": st.integers(0, 1) | JSON,
        "summary_index": st.integers(0, 1),
        "item_id": WORDS,
        "delta": WORDS,
        "text": WORDS,
        "arguments": WORDS,
        "item": ITEM | JSON,
        "response": RESPONSE | JSON,
        "error": JSON,
    },
)


@pytest.mark.slow
@settings(max_examples=300)
@given(events=st.lists(EVENT, max_size=8), shown=st.booleans())
def test_events_of_every_shape_make_a_good_stream_or_a_failure(events: list[Any], shown: bool) -> None:
    read = decoded(sse(*events), context(thinking_wanted=shown))
    assert [problem for problem in problems(read) if not problem.startswith("input is no object")] == []


@settings(max_examples=200)
@given(
    parts=st.lists(
        st.binary(max_size=20) | st.sampled_from([b"event: error\n", b"data: ", b"\n", b"\r", b"{}"]),
        max_size=20,
    )
)
def test_bytes_of_every_kind_end_in_a_failure(parts: list[bytes]) -> None:
    decoder = ResponsesStreamDecoder(context())
    read = [one for part in parts for one in decoder.feed(part)] + decoder.close()
    assert [type(one) for one in read] == [Failed]


def test_an_event_that_is_too_large_fails_the_stream() -> None:
    body = sse(START, says(0, "x")) + b"data: " + b"x" * (4 * 1024 * 1024 + 1)
    last = decoded(body, context())[-1]
    assert isinstance(last, Failed)
    assert "an event is larger than 4194304 bytes" in last.error.message
