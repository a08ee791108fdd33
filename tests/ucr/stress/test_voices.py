"""What virtual providers say is what the router's own decoders read."""

import json

import pytest

from tests.world.anthropic_streams import problems as wrong_with
from ucr.stress import voices
from ucr.stress.hearing import is_error, text_in
from ucr.stress.reader import StreamReader
from ucr.stress.words import text_of, words_of

DIALECTS = ("anthropic", "openai-chat")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_says_every_word(dialect: str) -> None:
    reader = StreamReader(dialect, "u1.1")
    reader.feed(b"".join(voices.stream(dialect, words_of("u1.1"))))
    reader.close()
    assert (reader.problem, reader.is_whole) == (None, True)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_whole_answer_says_every_word(dialect: str) -> None:
    assert text_in(dialect, voices.whole(dialect, words_of("u1.1"))) == text_of("u1.1")


def test_a_stream_of_anthropic_passes_the_reference_check() -> None:
    assert wrong_with(b"".join(voices.stream("anthropic", words_of("u1.1")))) == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_errors_have_the_shape_of_their_dialect(dialect: str) -> None:
    assert is_error(voices.error(dialect, "api_error", "out of order"))
    event = voices.error_event(dialect)
    assert json.loads(event.split(b"data: ")[1])["error"]["message"] == "out of order"
