"""The grammar of events accepts good streams and says what is wrong with others."""

import pytest

from ucr.events import (
    ApiError,
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Failed,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Text,
    TextDelta,
    ToolUse,
    Usage,
)
from ucr.stress.grammar import problems

START = MessageStart("msg_1", "m")
TEXT = (BlockStart(0, Text("")), BlockDelta(0, TextDelta("hello")), BlockStop(0))
CALL = (BlockStart(0, ToolUse("t", "f")), BlockDelta(0, InputJsonDelta("{}")), BlockStop(0))
END = (MessageDelta("end_turn", Usage()), MessageStop())
FAILED = Failed(ApiError("api_error", "broken"))


@pytest.mark.parametrize(
    "events",
    [
        (START, *TEXT, *END),
        (START, *CALL, MessageDelta("tool_use", Usage()), MessageStop()),
        (START, *TEXT[:2], FAILED),
    ],
)
def test_a_good_stream_passes(events: tuple[Event, ...]) -> None:
    assert problems(events) == []


@pytest.mark.parametrize(
    "events",
    [
        (*TEXT, *END),
        (START, START, *TEXT, *END),
        (START, *TEXT[:2], *END),
        (START, *TEXT, *END, *TEXT),
        (START, *TEXT[:2], FAILED, TEXT[1]),
        (START, *TEXT),
        (START, *CALL, *END),
        (START, BlockStart(1, Text(""))),
    ],
    ids=lambda events: f"{len(events)} events",
)
def test_a_bad_stream_is_told(events: tuple[Event, ...]) -> None:
    assert problems(events)
