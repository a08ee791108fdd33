"""What the router writes in the dialects of its clients is heard as the events it was written from."""

import pytest

from ucr.dialects.gemini.client_stream import ContentEncoder
from ucr.dialects.gemini.errors import body_of as gemini_error
from ucr.dialects.ollama.client_stream import LineEncoder
from ucr.dialects.ollama.client_words import Words
from ucr.dialects.ollama.errors import body_of as ollama_error
from ucr.errors import ApiError
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Failed,
    MessageDelta,
    MessageStart,
    MessageStop,
    Text,
    TextDelta,
    Usage,
)
from ucr.stress.hearing import cut_of, hearing_of, is_error, text_in

START = MessageStart("msg_1", "m")
SAID = (BlockStart(0, Text("")), BlockDelta(0, TextDelta("a")), BlockDelta(0, TextDelta("é\n")))
END = (BlockStop(0), MessageDelta("end_turn", Usage()), MessageStop())
ERROR = ApiError("api_error", "out of order")
FAILED = Failed(ERROR)


def written(dialect: str, events: tuple[Event, ...]) -> bytes:
    encoder = (
        ContentEncoder("m", shows_thoughts=False, is_array=False)
        if dialect == "gemini"
        else LineEncoder(Words("m", 0, generates=False))
    )
    return b"".join(encoder.encode(event) for event in events)


def heard(dialect: str, data: bytes, size: int) -> list[Event]:
    cut, hearing = cut_of(dialect), hearing_of(dialect)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [event for piece in pieces for said in cut(piece) for event in hearing.read(*said)]


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("dialect", ["gemini", "ollama"])
def test_a_stream_is_heard_as_it_was_said(dialect: str, size: int) -> None:
    start, *rest = heard(dialect, written(dialect, (START, *SAID, *END)), size)
    assert isinstance(start, MessageStart)
    assert tuple(rest) == (*SAID, *END)


@pytest.mark.parametrize("dialect", ["gemini", "ollama"])
def test_an_error_is_heard_at_the_end(dialect: str) -> None:
    *_, text, last = heard(dialect, written(dialect, (START, *SAID, FAILED)), 4096)
    assert text == SAID[-1]
    assert isinstance(last, Failed)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai-responses", b'{"output": [{"content": [{"text": "a"}, {"text": "b"}]}]}'),
        ("gemini", b'{"candidates": [{"content": {"parts": [{"text": "a"}, {"text": "b"}]}}]}'),
        ("ollama", b'{"message": {"content": "ab"}}'),
    ],
)
def test_the_text_of_a_whole_answer_is_read(dialect: str, body: bytes) -> None:
    assert text_in(dialect, body) == "ab"


def test_a_refusal_is_an_error_in_the_shape_of_its_dialect() -> None:
    assert is_error(gemini_error(ERROR), "gemini")
    assert is_error(ollama_error(ERROR), "ollama")
    assert not is_error(ollama_error(ERROR), "gemini")
    assert not is_error(gemini_error(ERROR), "ollama")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"error": null}', b'{"error": {"message": ""}}', b"[]"])
@pytest.mark.parametrize("dialect", ["anthropic", "ollama"])
def test_a_refusal_without_words_is_no_error(body: bytes, dialect: str) -> None:
    assert not is_error(body, dialect)
