"""What is read of chunks."""

from typing import Any

import pytest

from tests.world.chat_streams import context
from tests.world.gemini_cases import calling, chunk, content, told
from ucr.dialects.gemini import assembly
from ucr.dialects.gemini.assembly import Assembly
from ucr.errors import UpstreamError
from ucr.events import MessageDelta, MessageStart

STOP = chunk(finish="STOP")


def state(id_: str, signature: str) -> dict[str, Any]:
    return {"extra_content": {id_: {"google": {"thought_signature": signature}}}}


def test_thoughts_text_and_calls_become_blocks() -> None:
    found = content(
        chunk({"text": "hm", "thought": True}),
        chunk({"text": "I "}),
        chunk({"text": "look."}, calling("f", args={"n": 1}, id="fc_abcdef")),
        STOP,
    )
    assert found == [
        {"thinking": "hm", "state": {"kind": "reasoning_content"}},
        {"text": "I look."},
        {"tool_use": "f", "input": {"n": 1}},
    ]


@pytest.mark.parametrize("name", [pytest.param("edge-37", id="edge-37")])
def test_two_calls_in_one_chunk_are_two_blocks(name: str) -> None:
    made = told(chunk(calling("f", args={"a": 1}), calling("f", args={"a": 1}), finish="STOP"))
    assert [block["input"] for block in made["content"]] == [{"a": 1}, {"a": 1}]
    assert len({block["id"] for block in made["content"]}) == 2
    assert made["stop_reason"] == "tool_use"


def test_an_id_of_the_providers_is_kept() -> None:
    made = told(chunk(calling("f", args={}, id="fc_abcdef"), finish="STOP"))
    assert made["content"][0]["id"] == "fc_abcdef"


@pytest.mark.parametrize(
    "shown", [pytest.param(True, id="edge-103"), pytest.param(False, id="edge-103-unseen")]
)
def test_the_signature_of_a_call_stands_before_it_for_every_client(shown: bool) -> None:
    part = calling("f", args={}, id="c-1x", signature="SIG")
    found = content(chunk({"text": "hm", "thought": True}), chunk(part), STOP, thinking_wanted=shown)
    assert found[0] == {"thinking": "hm" if shown else "", "state": state("c-1x", "SIG")}
    assert found[1:] == [{"tool_use": "f", "input": {}}]


@pytest.mark.parametrize("name", [pytest.param("edge-35", id="edge-35")])
def test_a_signature_on_an_empty_text_makes_no_empty_text(name: str) -> None:
    chunks = [chunk({"text": "hi"}), chunk({"text": "", "thoughtSignature": "SIG"}, finish="STOP")]
    assert content(*chunks) == [{"text": "hi"}, {"thinking": "", "state": state("ending", "SIG")}]
    assert content(*chunks, thinking_wanted=False) == [{"text": "hi"}]


PIECES = [
    calling("f", willContinue=True),
    calling(partialArgs=[{"jsonPath": "$.a", "stringValue": "x", "willContinue": True}], willContinue=True),
    calling(partialArgs=[{"jsonPath": "$.a", "stringValue": "y"}], willContinue=True),
]


@pytest.mark.parametrize(
    "after", [pytest.param([calling()], id="edge-36-ended"), pytest.param([], id="edge-36-not-ended")]
)
def test_a_call_in_pieces_is_whole_at_its_end(after: list[Any]) -> None:
    parts = [*PIECES, *after, *PIECES]
    found = content(*(chunk(part) for part in parts), STOP)
    assert found == [{"tool_use": "f", "input": {"a": "xy"}}] * 2


@pytest.mark.parametrize("name", [pytest.param("edge-38", id="edge-38")])
def test_chunks_without_candidates_content_or_parts_say_nothing(name: str) -> None:
    odd = [
        {"candidates": None},
        {"candidates": [None, {"index": 1, "content": {"parts": [{"text": "other"}]}}]},
        {"candidates": [{"content": None}]},
        {"candidates": [{"content": {"parts": [None, 3, {"executableCode": {}}]}}]},
    ]
    made = told(*odd, {"candidates": [{"finishReason": "MAX_TOKENS"}]})
    assert (made["content"], made["stop_reason"]) == ([], "max_tokens")


@pytest.mark.parametrize("name", [pytest.param("edge-39", id="edge-39")])
def test_a_blocked_prompt_is_a_refusal_with_the_providers_words(name: str) -> None:
    answer = Assembly(context())
    blocked = {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "not this"}}
    events = [*answer.read(blocked), *answer.end()]
    (end,) = [event for event in events if isinstance(event, MessageDelta)]
    assert (end.stop_reason, (end.stop_details or {})["explanation"]) == ("refusal", "not this")


@pytest.mark.parametrize("name", [pytest.param("edge-7", id="edge-7")])
def test_the_last_counters_count(name: str) -> None:
    counted = [{"promptTokenCount": 9, "candidatesTokenCount": n} for n in (3, 8)]
    made = told(*(chunk({"text": "x"}, usageMetadata=counters) for counters in counted), STOP)
    assert made["usage"] == {"input_tokens": 9, "output_tokens": 8}


def test_a_message_without_an_id_gets_one_that_is_always_the_same() -> None:
    starts = [Assembly(context()).read({"candidates": []})[0] for _ in range(2)]
    assert starts[0] == starts[1]
    assert isinstance(starts[0], MessageStart)
    assert starts[0].id.startswith("msg_")


def test_a_reason_given_with_every_chunk_does_not_end_the_answer() -> None:
    assert content(chunk({"text": "a"}, finish="STOP"), chunk({"text": "b"}, finish="STOP")) == [{"text": "ab"}]


def test_more_tool_input_than_is_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "HELD_LIMIT_CHARS", 1_000)
    answer = Assembly(context())
    answer.read(chunk(calling("f", willContinue=True)))
    piece = {"jsonPath": "$.a", "stringValue": "x" * 600, "willContinue": True}
    with pytest.raises(UpstreamError, match="more tool input than UCR keeps"):
        for _ in range(3):
            answer.read(chunk(calling(partialArgs=[piece], willContinue=True)))
