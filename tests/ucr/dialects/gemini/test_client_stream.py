"""Streams as Gemini's clients get them."""

import json
from typing import Any

import pytest

from tests.world.chat_streams import context
from tests.world.gemini import validator
from tests.world.gemini_cases import cases, decoded
from ucr.answer import collect, play
from ucr.dialects.gemini.client_reply import encode
from ucr.dialects.gemini.client_stream import ContentEncoder
from ucr.dialects.gemini.client_thoughts import restore
from ucr.errors import ApiError
from ucr.events import (
    Event,
    Failed,
    MessageDelta,
    MessageStart,
    Opaque,
    Ping,
    RedactedThinking,
    Reply,
    Text,
    Thinking,
    ToolUse,
    Usage,
)

STREAMS = [case for case in cases() if case.is_stream]
REPLY = Reply(
    "msg_1",
    "up",
    (
        Thinking("hm", "sig"),
        RedactedThinking("d"),
        Text("I look."),
        ToolUse("c1", "f", '{"a":1}'),
        Opaque({"type": "y"}),
    ),
    "tool_use",
    Usage(11, 7),
)


def encoded(events: list[Event], *, is_array: bool = False, shows_thoughts: bool = True) -> bytes:
    encoder = ContentEncoder("asked", shows_thoughts=shows_thoughts, is_array=is_array)
    return b"".join(encoder.encode(event) for event in events)


def chunks(body: bytes) -> list[Any]:
    found = [json.loads(block.removeprefix(b"data: ")) for block in body.split(b"\n\n") if block]
    for value in found:
        assert not [error.message for error in validator("generate-content.response").iter_errors(value)]
    return found


def parts(found: list[Any]) -> list[Any]:
    return [part for chunk in found for part in chunk["candidates"][0]["content"]["parts"]]


def test_a_stream_in_full() -> None:
    found = chunks(encoded(play(REPLY)))
    assert {(chunk["modelVersion"], chunk["responseId"]) for chunk in found} == {("asked", "1")}
    said = parts(found)
    signature = said[2].pop("thoughtSignature")
    assert [block["type"] for block, _ in restore(signature) or ()] == ["thinking", "redacted_thinking"]
    assert said == [
        {"text": "hm", "thought": True},
        {"text": "I look."},
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
    ]
    assert [chunk["candidates"][0].get("finishReason") for chunk in found] == [None, None, None, "STOP"]
    assert found[-1]["usageMetadata"] == {
        "promptTokenCount": 11,
        "candidatesTokenCount": 7,
        "totalTokenCount": 18,
    }


def test_an_array_says_the_same() -> None:
    assert json.loads(encoded(play(REPLY), is_array=True)) == chunks(encoded(play(REPLY)))


def test_a_stream_says_what_a_whole_answer_says() -> None:
    whole = json.loads(encode(REPLY, "asked", shows_thoughts=False))
    assert (
        parts(chunks(encoded(play(REPLY), shows_thoughts=False))) == whole["candidates"][0]["content"]["parts"]
    )


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.id)
def test_recorded_streams_come_out_with_the_same_words_and_calls(case: Any) -> None:
    events = decoded(case.body, context("google"))
    found = parts(chunks(encoded(events)))
    told = collect(events)
    texts = "".join(part["text"] for part in found if "text" in part and not part.get("thought"))
    assert texts == "".join(block.text for block in told.content if isinstance(block, Text))
    calls = [part["functionCall"]["args"] for part in found if "functionCall" in part]
    assert calls == [json.loads(block.input_json) for block in told.content if isinstance(block, ToolUse)]


def test_nothing_is_said_to_pings() -> None:
    assert encoded([MessageStart("msg_1", "m"), Ping()]) == b""


@pytest.mark.parametrize("is_array", [False, True])
def test_a_failure_ends_the_stream_in_googles_shape(is_array: bool) -> None:
    failed = Failed(ApiError("overloaded_error", "busy"))
    before = play(REPLY)[:5]
    body = encoded([*before, failed], is_array=is_array)
    last = json.loads(body)[-1] if is_array else chunks_of_error(body)
    assert last["error"] == {"code": 529, "message": "busy", "status": "UNAVAILABLE"}


def chunks_of_error(body: bytes) -> Any:
    return json.loads(body.strip().rsplit(b"data: ", 1)[1])


def test_an_empty_answer_has_its_reason() -> None:
    events = [
        MessageStart("msg_1", "m"),
        MessageDelta("refusal", Usage(3, 0), stop_details={"explanation": "no"}),
    ]
    (chunk,) = chunks(encoded(events))
    candidate = chunk["candidates"][0]
    assert (candidate["content"]["parts"], candidate["finishReason"], candidate["finishMessage"]) == (
        [],
        "SAFETY",
        "no",
    )
