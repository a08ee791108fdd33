"""A virtual client notices every way in which an answer can be wrong."""

import pytest

from ucr.dialects.openai_responses.client_errors import stream_error
from ucr.errors import ApiError
from ucr.stress import voices
from ucr.stress.reader import StreamReader
from ucr.stress.words import words_of

DIALECTS = ("anthropic", "openai-chat")
CREATED = b'data: {"type": "response.created", "sequence_number": 0, "response": {"id": "r"}}\n\n'
FAILED = stream_error(ApiError("api_error", "out of order"), 1)


def read(dialect: str, events: list[bytes], tag: str = "u1.1") -> StreamReader:
    reader = StreamReader(dialect, tag)
    for event in events:
        reader.feed(event)
    reader.close()
    return reader


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("damage", ["other", "missing", "twice", "cut", "late"])
def test_a_stream_that_is_damaged_has_a_problem(dialect: str, damage: str) -> None:
    events = voices.stream(dialect, words_of("u2.1" if damage == "other" else "u1.1"))
    at = next(number for number, event in enumerate(events) if b":0" in event)
    if damage == "missing":
        del events[at]
    elif damage == "twice":
        events.insert(at, events[at])
    elif damage == "cut":
        del events[at + 1 :]
    elif damage == "late":
        events = [*events[: at + 1], voices.error_event(dialect), events[at + 1]]
    assert read(dialect, events).problem is not None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_may_fail_after_the_first_words(dialect: str) -> None:
    events = voices.stream(dialect, words_of("u1.1"))
    reader = read(dialect, [*events[:3], voices.error_event(dialect)])
    assert (reader.problem, reader.has_failed, reader.is_whole) == (None, True, False)


def test_a_stream_of_responses_fails_by_two_events_and_no_more() -> None:
    assert read("openai-responses", [CREATED, FAILED]).has_failed
    with pytest.raises(ValueError, match="follows an error"):
        read("openai-responses", [FAILED[: FAILED.index(b"\n\n") + 2], CREATED])


def test_the_events_of_responses_are_numbered() -> None:
    with pytest.raises(ValueError, match="has the number 1 and not 0"):
        read("openai-responses", [CREATED.replace(b'"sequence_number": 0', b'"sequence_number": 1')])
