"""Streams: the recorded ones, any split, failures, and hostile bytes."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import context, use, written
from tests.world.ollama import STREAMS, calling, decoded, end, line, lines, validator
from ucr.answer import collect
from ucr.dialects.ollama.stream import OllamaStreamDecoder
from ucr.events import Failed
from ucr.jsontext import loads
from ucr.ndjson import LINE_LIMIT_BYTES
from ucr.stress.grammar import problems

BODY = lines(line(thinking="hm"), line("Hé"), calling("f", a="x"), calling("g", 1), end("llo"))


def recorded(name: str) -> dict[str, Any]:
    (path,) = (path for path in STREAMS if path.stem == name)
    events = decoded(path.read_bytes(), context("ollama"))
    assert problems(events) == []
    return written(collect(events))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_recorded_streams_are_read_in_any_split(path: Path) -> None:
    body = path.read_bytes()
    for text in body.splitlines():
        validator("response").validate(loads(text))
    whole = decoded(body, context("ollama"))
    assert problems(whole) == []
    assert decoded(body, context("ollama"), *range(1, len(body), 7)) == whole


def test_recorded_answers_say_what_they_said() -> None:
    basic = recorded("stream-basic-text-1")
    assert basic["content"][0]["text"].startswith("I am Granite, a language model")
    assert basic["usage"] == {"input_tokens": 37, "output_tokens": 37}
    thinking = recorded("stream-with-thinking-1")
    assert [block.get("thinking", block.get("text")) for block in thinking["content"]] == [
        "Let me think about that.First, I will consider relevant factors.",
        "Here is the answer: You should bring a light jacket. Have a great day!",
    ]


@pytest.mark.parametrize("name", [pytest.param("edge-18", id="edge-18")])
def test_recorded_calls_get_ids_of_their_own(name: str) -> None:
    answer = recorded("stream-with-tools-1")
    assert answer["stop_reason"] == "tool_use"
    assert [{k: b[k] for k in b if k != "id"} for b in answer["content"]] == [
        use("weather", city="Detroit"),
        use("search", query="Detroit Tigers game time today"),
    ]


@given(st.lists(st.integers(0, len(BODY)), max_size=6))
def test_any_split_gives_the_same_events(cuts: list[int]) -> None:
    assert decoded(BODY, context(), *sorted(cuts)) == decoded(BODY, context())


@given(
    st.lists(st.sampled_from([b"{", b"}", b"\n", BODY, b'{"message":{}}', b"\xff", b"[]", b"1"]), max_size=8)
)
@settings(max_examples=150)
def test_no_bytes_are_anything_but_an_answer_or_our_own_error(pieces: list[bytes]) -> None:
    assert problems(decoded(b"".join(pieces), context())) == []


@pytest.mark.parametrize("name", [pytest.param("edge-53", id="edge-53")])
def test_an_error_line_ends_the_stream(name: str) -> None:
    *_, last = decoded(lines(line("a"), {"error": "llama runner terminated"}, line("b"), end()), context())
    assert isinstance(last, Failed)
    assert last.error.message == "llama runner terminated"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lines(line("a")), "ended its answer before it was complete"),
        (b"", "ended its answer before it was complete"),
        (lines(line("a")) + b'{"mess', "ended its answer before it was complete"),
        (b"<html>no</html>", "a line is not JSON"),
        (lines(line("a")) + b"nonsense\n", "a line is not JSON"),
        (b" " * (LINE_LIMIT_BYTES + 1), "a line is larger than"),
    ],
)
def test_what_is_no_whole_stream_is_a_failure(body: bytes, words: str) -> None:
    *_, last = decoded(body, context())
    assert isinstance(last, Failed)
    assert words in last.error.message


def test_what_follows_the_end_is_not_read() -> None:
    decoder = OllamaStreamDecoder(context())
    decoder.feed(lines(end("a"), {"error": "late"}))
    assert decoder.feed(b"nonsense\n") + decoder.close() == []


def test_a_last_line_needs_no_end() -> None:
    assert decoded(lines(end("a")).rstrip(), context()) == decoded(lines(end("a")), context())
