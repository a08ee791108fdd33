import json
from typing import Any

import pytest

from tests.world import answers
from tests.world.answers import anthropic_event
from ucr.probe.grammar import faults_of


def events(pieces: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(piece.split(b"data: ", 1)[1]) for piece in pieces]


GOOD = answers.anthropic_text("o", "k")
START, OPEN, FIRST, SECOND, STOP, DELTA, END = GOOD
TOOL = [
    anthropic_event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "n"}),
    anthropic_event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "[1"}),
    STOP,
]


def test_a_good_stream_has_no_fault() -> None:
    assert faults_of(events(GOOD)) == []
    assert faults_of(events([START, anthropic_event("ping"), *GOOD[1:]])) == []


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([], "without message_stop"),
        (GOOD[:-1], "without message_stop"),
        (GOOD[1:], "content_block_start at the start"),
        ([START, *GOOD], "message_start at the content"),
        ([START, FIRST, OPEN, *GOOD[2:]], "outside of a block"),
        ([START, OPEN, OPEN, *GOOD[2:]], "while another is open"),
        ([START, OPEN, STOP, *GOOD[1:]], "block 0 where 1 is next"),
        ([START, STOP, *GOOD[1:]], "ends and was not open"),
        ([START, OPEN, FIRST, DELTA, END], "while a block is open"),
        ([*GOOD[:-2], END], "message_stop at the content"),
        ([*GOOD, END], "message_stop at the end"),
        ([*GOOD, DELTA], "message_delta at the end"),
        ([START, *TOOL, DELTA, END], "no JSON object"),
        ([START, OPEN, TOOL[1], STOP, DELTA, END], "input_json_delta in a block of text"),
        ([*GOOD[:5], anthropic_event("message_delta", delta={}), END], "without a stop_reason"),
        ([START, anthropic_event("surprise"), *GOOD[1:]], "not known: 'surprise'"),
        ([START, anthropic_event("error", error={"message": "busy"})], "an error in the stream: busy"),
        ([anthropic_event("error", error="x")], "without words"),
    ],
)
def test_each_fault_is_found(pieces: list[bytes], words: str) -> None:
    found = faults_of(events(pieces))
    assert any(words in fault for fault in found), found
