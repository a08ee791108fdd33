import json

import pytest
from bench_bodies import (
    DIGITS,
    EVENTS,
    LARGE_BYTES,
    MARK,
    WORDS,
    Dialect,
    Size,
    answer,
    body,
    expected,
    filled,
    question,
    restored,
)

from ucr import sse

DIALECTS: tuple[Dialect, ...] = ("anthropic", "openai-chat")
SIZES: tuple[Size, ...] = ("small", "large")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("size", SIZES)
def test_a_body_has_one_place_for_a_number_and_stays_json_with_it(dialect: Dialect, size: Size) -> None:
    data = body(dialect, size, stream=True)
    assert data.count(MARK.encode()) == 1
    asked = json.loads(data.replace(MARK.encode(), b"0" * DIGITS))
    assert asked["stream"] is True
    assert asked["messages"][-1]["role"] == "user"


def test_sizes_are_what_they_are_called() -> None:
    assert 200 < len(body("anthropic", "small", stream=False)) < 400
    assert abs(len(body("anthropic", "large", stream=False)) - LARGE_BYTES) < 500


def test_a_large_body_has_the_tools_and_the_turns_of_the_client() -> None:
    asked = json.loads(body("anthropic", "large", stream=False))
    assert (len(asked["tools"]), len(asked["messages"])) == (12, 14)
    assert {len(tool["input_schema"]["properties"]) for tool in asked["tools"]} == {5}
    is_sent = [not tool.get("defer_loading") for tool in asked["tools"]]
    assert len(json.loads(body("openai-chat", "large", stream=False))["tools"]) == sum(is_sent) == 11


def test_texts_that_were_shortened_get_their_length_back() -> None:
    found = restored({"a": ["kept", "begin…[500 chars]"], "b": 1})
    assert found["a"][0] == "kept"
    assert found["a"][1].startswith("begin")
    assert len(found["a"][1]) == 500
    assert found["b"] == 1


@pytest.mark.parametrize("chars", [0, 3, 5, 400])
def test_a_text_is_filled_and_never_cut(chars: int) -> None:
    assert len(filled("words", chars)) == max(5, chars)


def test_a_question_says_its_true_length_whatever_its_number() -> None:
    asked = question(8000, "anthropic", "large", stream=True, model="x/y", headers=(("x-more", "1"),))
    first, second = asked.whole(1), asked.whole(10**DIGITS - 1)
    head, _, data = first.partition(b"\r\n\r\n")
    assert len(first) == len(second)
    assert f"content-length: {len(data)}\r\n".encode() in head
    assert b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1:8000\r\n" in head
    assert b"\r\nx-more: 1" in head
    assert b"claude-cli" in head
    assert json.loads(data)["model"] == "x/y"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_canned_stream_has_its_events_and_its_end(dialect: Dialect) -> None:
    events = sse.Decoder().feed(answer(dialect, stream=True))
    assert sum("word" in event.data for event in events) == EVENTS
    assert events[-1].data == "[DONE]" or json.loads(events[-1].data)["type"] == "message_stop"
    assert expected(stream=True) in answer(dialect, stream=True)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_canned_answer_is_json_that_holds_the_words(dialect: Dialect) -> None:
    assert WORDS in json.dumps(json.loads(answer(dialect, stream=False)))
    assert expected(stream=False) in answer(dialect, stream=False)
