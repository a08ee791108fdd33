"""Streams: the recorded ones, any split, failures, and hostile bytes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import context
from tests.world.gemini_cases import calling, cases, chunk, decoded, sse, summary
from ucr.dialects.gemini.stream import GeminiStreamDecoder
from ucr.errors import UpstreamError
from ucr.events import BlockStop, Failed, MessageDelta, MessageStop
from ucr.stress.grammar import problems

STREAMS = [case for case in cases() if case.is_stream]
GOOD = sse(chunk({"text": "x"}), chunk(finish="STOP"))


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.id)
def test_recorded_streams_are_read_as_their_goldens_say(case) -> None:  # type: ignore[no-untyped-def]
    assert summary(case) == json.loads(case.golden.read_bytes())
    assert problems(decoded(case.body, context("google"))) == []


@settings(max_examples=60)
@given(st.data())
def test_any_split_of_the_bytes_gives_the_same_events(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from([case.body for case in STREAMS] + [GOOD.replace(b"\n", b"\r\n")]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    merged = _merged(decoded(body, context()))
    assert _merged(decoded(body, context(), *cuts)) == merged


def _merged(events: list[Any]) -> list[Any]:
    assert problems(events) == []
    return events


@pytest.mark.parametrize(
    ("body", "type_", "words"),
    [
        pytest.param(
            sse({"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}),
            "rate_limit_error",
            "slow",
            id="edge-45-error",
        ),
        pytest.param(
            sse(chunk({"text": "x"}), [{"error": {"code": 500, "message": "oops"}}]),
            "api_error",
            "oops",
            id="edge-169-error-after-content",
        ),
        pytest.param(
            sse(chunk({"text": "x"}), chunk(finish="MALFORMED_FUNCTION_CALL")),
            "api_error",
            "provider 'p' stopped with finish reason 'MALFORMED_FUNCTION_CALL'",
            id="a-broken-call",
        ),
        pytest.param(
            sse(chunk(finish="OTHER")),
            "api_error",
            "provider 'p' stopped with finish reason 'OTHER'",
            id="nothing",
        ),
        pytest.param(
            sse(chunk({"text": "x"})),
            "api_error",
            "provider 'p' ended its answer before it was complete",
            id="edge-23",
        ),
        pytest.param(b"", "api_error", "provider 'p' ended its answer before it was complete", id="no-bytes"),
        pytest.param(
            b"<html>Gone</html>", "api_error", "provider 'p' sent no event stream: Gone", id="edge-172"
        ),
        pytest.param(
            b'[{"error":{"code":404,"message":"no such model"}}]', "not_found_error", "no such model", id="json"
        ),
    ],
)
def test_a_stream_that_goes_wrong_fails(body: bytes, type_: str, words: str) -> None:
    events = decoded(body, context())
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, UpstreamError)
    assert (events[-1].error.type, events[-1].error.message) == (type_, words)
    assert not any(isinstance(event, MessageDelta) for event in events)
    assert problems(events) == []


@pytest.mark.parametrize("line", [b"data: {junk\n\n", b"data: \xff\n\n", b"data: " + b"[" * 999 + b"\n\n"])
def test_what_cannot_be_read_fails_before_the_finish_reason_and_not_after(line: bytes) -> None:
    assert isinstance(decoded(line + GOOD, context())[-1], Failed)
    assert [type(event) for event in decoded(GOOD + line, context())][-3:] == [
        BlockStop,
        MessageDelta,
        MessageStop,
    ]


@pytest.mark.parametrize(
    "line", [b": hi\n\n", b"event: x\n\n", b"data: null\n\ndata: 3\n\ndata:\n\n", b"data: [DONE]\n\n"]
)
def test_what_says_nothing_changes_nothing(line: bytes) -> None:
    first, rest = GOOD.split(b"\n\n", 1)
    assert decoded(line + first + b"\n\n" + line + rest + line, context()) == decoded(GOOD, context())


def test_an_answer_waits_for_its_counters_and_ends_with_the_bytes() -> None:
    decoder = GeminiStreamDecoder(context())
    assert not decoder.is_finishing
    decoder.feed(GOOD)
    assert decoder.is_finishing
    assert isinstance(decoder.close()[-1], MessageStop)
    assert not decoder.is_finishing
    assert (decoder.feed(GOOD), decoder.close()) == ([], [])


def test_a_last_event_without_its_blank_line_is_read() -> None:
    assert decoded(GOOD.rstrip(b"\n"), context()) == decoded(GOOD, context())
    assert isinstance(decoded(GOOD[:-5], context())[-1], Failed)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
PARTS = st.one_of(
    VALUES,
    st.fixed_dictionaries({}, optional={"text": VALUES, "thought": VALUES, "thoughtSignature": VALUES}),
    st.fixed_dictionaries(
        {
            "functionCall": st.fixed_dictionaries(
                {},
                optional={
                    "id": VALUES,
                    "name": VALUES | st.just("f"),
                    "args": VALUES,
                    "willContinue": VALUES,
                    "partialArgs": st.lists(
                        st.fixed_dictionaries(
                            {"jsonPath": VALUES | st.sampled_from(["$.a", "$.a[0]"])},
                            optional={"stringValue": VALUES, "numberValue": VALUES, "willContinue": VALUES},
                        ),
                        max_size=2,
                    )
                    | VALUES,
                },
            )
        },
        optional={"thoughtSignature": VALUES},
    ),
)
CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "candidates": VALUES
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "content": VALUES | st.fixed_dictionaries({"parts": st.lists(PARTS, max_size=3) | VALUES}),
                    "finishReason": VALUES | st.sampled_from(["STOP", "SAFETY", "MALFORMED_RESPONSE", "OTHER"]),
                    "index": VALUES,
                },
            ),
            max_size=2,
        ),
        "usageMetadata": VALUES | st.dictionaries(st.sampled_from(["promptTokenCount"]), VALUES),
        "promptFeedback": VALUES | st.dictionaries(st.just("blockReason"), VALUES),
        "responseId": VALUES,
        "error": VALUES,
    },
)


@settings(max_examples=200)
@given(st.lists(CHUNKS | VALUES, max_size=5), st.booleans())
def test_any_chunks_give_sound_events_or_our_own_error(chunks: list[Any], shown: bool) -> None:
    assert problems(decoded(sse(*chunks), context(thinking_wanted=shown))) == []


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_give_sound_events_or_our_own_error(noise: bytes) -> None:
    body = sse(chunk(calling("f", args={})))
    assert problems(decoded(body + noise, context())) == []
    assert problems(decoded(noise, context())) == []
