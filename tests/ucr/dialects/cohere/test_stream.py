"""Streams: the recorded ones, any split, failures, and hostile bytes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import context
from tests.world.cohere import START, cases, decoded, ends, event, says, sse, summary, told, validator
from ucr.dialects.cohere.stream import CohereStreamDecoder
from ucr.errors import UpstreamError
from ucr.events import Failed, MessageStop
from ucr.stress.grammar import problems

STREAMS = [case for case in cases() if case.is_stream]
GOOD = sse(START, says("a"), ends())


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.id)
def test_recorded_streams_are_read_as_their_goldens_say(case: Any) -> None:
    assert summary(case) == json.loads(case.golden.read_bytes())
    assert problems(decoded(case.body, context("cohere"))) == []


def test_what_these_tests_send_is_what_cohere_may_send() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for one in (START, says("a"), event("tool-call-start", 0, tool_calls=call), ends()):
        validator("stream-event").validate(one)


@settings(max_examples=60)
@given(st.data())
def test_any_split_of_the_bytes_gives_the_same_events(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from([case.body for case in STREAMS] + [GOOD.replace(b"\n", b"\r\n")]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    whole, parts = decoded(body, context()), decoded(body, context(), *cuts)
    assert parts == whole
    assert problems(parts) == []


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        pytest.param("cohere-empty-tool-call", ["text", "tool_use"], id="edge-12"),
        pytest.param("cohere-tool-call", ["text", "tool_use", "tool_use"], id="edge-56"),
        pytest.param("cohere-reasoning", ["thinking", "text"], id="edge-58"),
    ],
)
def test_blocks_come_in_their_order(name: str, kinds: list[str]) -> None:
    (case,) = [case for case in STREAMS if case.name.startswith(name)]
    found = [
        next(kind for kind in ("thinking", "tool_use", "text") if kind in block)
        for block in summary(case)["content"]
    ]
    assert found == kinds


def test_thinking_that_nobody_asked_for_stays_away() -> None:
    thought = event("content-delta", 0, content={"thinking": "hm"})
    assert told(thought, says("a", 1), ends(), thinking_wanted=False)["content"] == [{"text": "a"}]


def test_parallel_calls_in_turns_are_told_one_after_the_other() -> None:
    def call(index: int, id_: str) -> dict[str, Any]:
        function = {"name": "f", "arguments": ""}
        return event("tool-call-start", index, tool_calls={"id": id_, "type": "function", "function": function})

    def piece(index: int, text: str) -> dict[str, Any]:
        return event("tool-call-delta", index, tool_calls={"function": {"arguments": text}})

    read = told(call(0, "a"), call(1, "b"), piece(1, '{"n":2}'), piece(0, '{"n":1}'), ends("TOOL_CALL"))
    assert [(block["id"], block["input"]) for block in read["content"]] == [("a", {"n": 1}), ("b", {"n": 2})]
    assert read["stop_reason"] == "tool_use"


def test_names_are_put_back() -> None:
    function = {"name": "short", "arguments": "{}"}
    call = event("tool-call-start", 0, tool_calls={"id": "a", "function": function})
    assert told(call, ends("TOOL_CALL"), names={"short": "mcp__long"})["content"][0]["tool_use"] == "mcp__long"


@pytest.mark.parametrize(
    ("body", "type_", "words"),
    [
        (sse(START, says("a"), ends("ERROR", error="broken")), "api_error", "broken"),
        (sse(START, ends("TIMEOUT")), "timeout_error", "the provider stopped with finish reason 'TIMEOUT'"),
        (sse(START, says("a")), "api_error", "provider 'p' ended its answer before it was complete"),
        (b'{"message":"no such model"}', "api_error", "no such model"),
        (b"data: {\n\n", "api_error", "provider 'p' sent a stream that cannot be read"),
        (b"", "api_error", "provider 'p' ended its answer before it was complete"),
    ],
)
def test_a_stream_that_goes_wrong_fails(body: bytes, type_: str, words: str) -> None:
    events = decoded(body, context())
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, UpstreamError)
    assert events[-1].error.type == type_
    assert words in events[-1].error.message
    assert problems(events) == []


def test_the_last_event_ends_the_answer_at_once() -> None:
    decoder = CohereStreamDecoder(context())
    assert isinstance(decoder.feed(GOOD)[-1], MessageStop)
    assert not decoder.is_finishing
    assert (decoder.feed(GOOD), decoder.close()) == ([], [])


TYPES = st.sampled_from(
    ["message-start", "content-delta", "tool-call-start", "tool-call-delta", "message-end", 1]
)
ODD = st.none() | st.integers() | st.text(max_size=4) | st.lists(st.text(max_size=2), max_size=2)
DELTAS = st.dictionaries(
    st.sampled_from(["message", "finish_reason", "usage", "error"]),
    ODD
    | st.dictionaries(
        st.sampled_from(["content", "tool_calls", "tokens"]), ODD | st.dictionaries(st.text(max_size=3), ODD)
    ),
)


@settings(max_examples=80)
@given(st.lists(st.fixed_dictionaries({"type": TYPES, "delta": DELTAS | ODD, "index": ODD}), max_size=5))
def test_nothing_but_our_own_error(events: list[dict[str, Any]]) -> None:
    assert problems(decoded(sse(START, *events), context())) == []
