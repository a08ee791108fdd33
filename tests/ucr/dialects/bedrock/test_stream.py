"""Streams: the recorded ones, any split, failures, and hostile bytes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.bedrock import (
    GOLDENS,
    about,
    begins,
    calls,
    decoded,
    event,
    exception,
    metadata,
    problems_of,
    says,
    stops,
    streams_of,
    summary,
    thinks,
    told,
)
from ucr.dialects.bedrock.frames import FrameReader
from ucr.dialects.bedrock.stream import BedrockStreamDecoder
from ucr.errors import UpstreamError
from ucr.events import Failed, MessageStop
from ucr.stress.grammar import problems

STREAMS = streams_of()
GOOD = begins() + says("a") + stops() + metadata()


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_are_read_as_their_goldens_say(name: str) -> None:
    assert summary(name) == json.loads((GOLDENS / f"{name}.json").read_bytes())
    assert problems(decoded(STREAMS[name], about())) == []


def test_what_these_tests_send_is_what_bedrock_may_send() -> None:
    good = GOOD + thinks(1, text="x") + thinks(1, signature="s") + calls(2, "t", "f", "{}")
    for one in FrameReader().feed(good):
        assert problems_of("ConverseStreamOutput", {one.event: json.loads(one.payload)}) == []


@settings(max_examples=60)
@given(st.data())
def test_any_split_of_the_bytes_gives_the_same_events(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from([*STREAMS.values(), GOOD, GOOD[:-3], begins() + says("a") + GOOD[3:]]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    whole, parts = decoded(body, about()), decoded(body, about(), *cuts)
    assert str(parts) == str(whole)
    assert problems(parts) == []


@pytest.mark.parametrize("edge", [pytest.param(34, id="edge-34")])
def test_usage_comes_before_or_after_the_reason_to_stop_and_ends_the_answer_with_it(edge: int) -> None:
    for ending in (stops() + metadata(), metadata() + stops()):
        decoder = BedrockStreamDecoder(about())
        events = decoder.feed(begins() + says("a") + ending)
        assert isinstance(events[-1], MessageStop)
        assert not decoder.is_finishing
        assert (decoder.feed(GOOD), decoder.close()) == ([], [])
    assert told(begins(), says("a"), stops(), metadata())["usage"] == {"input_tokens": 20, "output_tokens": 5}


def test_an_answer_is_whole_without_its_counters() -> None:
    decoder = BedrockStreamDecoder(about())
    decoder.feed(begins() + says("abcdefgh") + stops())
    assert decoder.is_finishing
    assert isinstance(decoder.close()[-1], MessageStop)
    events = decoded(begins() + says("abcdefgh") + stops() + exception("internalServerException", "x"), about())
    assert isinstance(events[-1], MessageStop)


@pytest.mark.parametrize(
    ("body", "type_", "words"),
    [
        pytest.param(
            begins() + says("a") + exception("throttlingException", "slow down"),
            "rate_limit_error",
            "slow down",
            id="edge-180",
        ),
        (begins() + exception("serviceUnavailableException", "busy"), "overloaded_error", "busy"),
        (begins() + exception("modelStreamErrorException", "broke"), "api_error", "broke"),
        (GOOD[: len(begins()) + 4], "api_error", "the last message is cut off"),
        (begins() + says("a"), "api_error", "provider 'bedrock' ended its answer before it was complete"),
        pytest.param(begins() + says("a")[:-1] + b"\x00", "api_error", "check sum", id="edge-181"),
        (event("messageStart", 1), "api_error", "an event is not JSON"),
        (begins() + says("a") + stops("malformed_tool_use") + metadata(), "api_error", "malformed_tool_use"),
        (b"", "api_error", "ended its answer before it was complete"),
        (b"<html>no frames at all", "api_error", "check sum"),
    ],
)
def test_a_stream_that_goes_wrong_fails(body: bytes, type_: str, words: str) -> None:
    events = decoded(body, about())
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, UpstreamError)
    assert events[-1].error.type == type_
    assert words in events[-1].error.message
    assert problems(events) == []


FIELDS = [
    "contentBlockIndex",
    "delta",
    "start",
    "toolUse",
    "input",
    "text",
    "reasoningContent",
    "signature",
    "redactedContent",
    "usage",
]
FIELDS += ["inputTokens", "stopReason", "name", "toolUseId", "cacheDetails"]
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
        "x",
    ]
)


@settings(max_examples=150)
@given(st.lists(st.tuples(KINDS, VALUES), max_size=6), st.binary(max_size=20), st.booleans())
def test_nothing_but_our_own_errors_come_out(frames: list[tuple[str, object]], junk: bytes, ours: bool) -> None:
    body = b"".join(event(kind, value) for kind, value in frames) + junk
    events = decoded(body, about("us.anthropic.claude-sonnet-4-5" if ours else "openai.gpt-oss-120b"))
    assert problems(events) == []
    assert events
    last = events[-1]
    assert isinstance(last, MessageStop) or (isinstance(last, Failed) and isinstance(last.error, UpstreamError))
