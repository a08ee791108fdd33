"""What differs between two answers: not the ids, not where deltas are cut, but every word and every step."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.journal.difference import differences, events_of, outline


def stream(texts: Iterable[str], message_id: str = "msg_1", stop: str = "end_turn") -> str:
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {"id": message_id, "role": "assistant", "usage": {"input_tokens": 1}},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
            for text in texts
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


def test_ids_usage_pings_and_the_cut_of_deltas_are_no_difference() -> None:
    assert differences(stream(["Hello", " there"]), stream(["Hel", "lo the", "re"], "msg_2")) == []


@given(st.text(min_size=1), st.lists(st.integers(0, 30)))
def test_no_cut_of_a_text_is_a_difference(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parts = [text[start:end] for start, end in pairwise(places)]
    assert differences(stream([text]), stream(parts)) == []


def test_another_word_and_another_end_are_told() -> None:
    lines = differences(stream(["Yes"]), stream(["No"], stop="max_tokens"))
    assert [line for line in lines if line.startswith("-") and "Yes" in line]
    assert [line for line in lines if line.startswith("+") and "No" in line]
    assert [line for line in lines if line.startswith("+") and "max_tokens" in line]


def test_texts_of_two_blocks_are_not_joined() -> None:
    two = [
        {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": "a"}}
        for index in (0, 1)
    ]
    assert len(outline("\n".join(f"data: {json.dumps(event)}" for event in two))) == 2


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ('{"content": [\n{"text": "a"}]}', 1),
        ('{"message": {"content": "a"}, "done": false}\n{"message": {"content": "b"}, "done": true}\n', 2),
        ('data: {"a": 1}\n\ndata: [DONE]\n\n', 1),
        ('[{"candidates": []}]', 1),
        ("", 0),
        ("data: broken\n\n", 1),
        ('{"cut": "in the midd', 1),
    ],
)
def test_every_form_of_an_answer_has_its_events(answer: str, count: int) -> None:
    assert len(events_of(answer)) == count


def test_chunks_of_chat_completions_are_joined() -> None:
    chunks = [
        {"id": str(n), "choices": [{"index": 0, "delta": {"content": text}}]} for n, text in enumerate("abc")
    ]
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    assert outline(text) == ['{"choices":[{"index":0,"delta":{"content":"abc"}}]}']
