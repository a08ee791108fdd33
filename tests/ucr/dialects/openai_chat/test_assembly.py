"""The start and the end of an answer."""

from typing import Any

import pytest

from tests.world.chat_streams import USAGE, call, calls, chunk, context, decoded, sse, told
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.events import BlockStop, MessageDelta, MessageStart, MessageStop, Usage


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        pytest.param([calls(call(0, "call_aaaa1", "f", "{}")), chunk("stop")], "tool_use", id="edge-21"),
        pytest.param([calls(call(0, "call_aaaa1", "f", "{}"))], "tool_use", id="edge-22-call"),
        pytest.param([chunk(content="x")], "end_turn", id="edge-22-text"),
        pytest.param(
            [calls(call(0, "call_aaaa1", "f", '{"a": "b')), chunk("length")], "max_tokens", id="edge-24"
        ),
        pytest.param([chunk(refusal="I "), chunk(refusal="won't"), chunk("stop")], "refusal", id="edge-51"),
        pytest.param([chunk("content_filter", content="x")], "refusal", id="filter"),
        pytest.param([chunk("tool_calls", content="x")], "end_turn", id="tool-calls-without-any"),
        pytest.param([chunk("model_length", content="x")], "model_context_window_exceeded", id="mistral"),
        pytest.param([chunk("eos", content="x")], "end_turn", id="together"),
    ],
)
def test_the_stop_reason_says_what_a_client_has_to_do(chunks: list[Any], reason: str) -> None:
    assert told(*chunks)["stop_reason"] == reason


@pytest.mark.parametrize(
    ("chunks", "usage"),
    [
        pytest.param(
            [chunk(content="x"), chunk("stop"), USAGE],
            {"input_tokens": 20, "output_tokens": 5},
            id="edge-05-usage-after-the-finish",
        ),
        pytest.param(
            [chunk(content="twelve chars"), chunk("stop")],
            {"input_tokens": 7, "output_tokens": 3},
            id="edge-06-no-usage",
        ),
        pytest.param(
            [
                {**chunk(content="x"), "usage": {"prompt_tokens": 3, "completion_tokens": 1}},
                {**chunk("stop"), "usage": {"prompt_tokens": 3, "completion_tokens": 9}},
            ],
            {"input_tokens": 3, "output_tokens": 9},
            id="edge-07-cumulative",
        ),
        pytest.param(
            [{**chunk("stop", content="x"), "x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 1}}}],
            {"input_tokens": 3, "output_tokens": 1},
            id="edge-08-x-groq",
        ),
        pytest.param(
            [
                chunk("stop", content="x"),
                {
                    "choices": [],
                    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4},
                },
            ],
            {"input_tokens": 5, "output_tokens": 1, "cache_read_tokens": 4},
            id="edge-160-deepseek",
        ),
    ],
)
def test_the_end_carries_the_real_usage(chunks: list[Any], usage: dict[str, int]) -> None:
    assert told(*chunks)["usage"] == usage


@pytest.mark.parametrize("arrived", [pytest.param(0, id="edge-05"), pytest.param(0, id="edge-11")])
def test_the_usage_chunk_ends_the_answer_and_nothing_follows(arrived: int) -> None:
    decoder = ChatStreamDecoder(context())
    before = decoder.feed(sse(chunk(content="x"), chunk("stop"), done=False))
    assert (decoder.is_finishing, decoder.usage_is_estimated) == (True, True)
    after = decoder.feed(sse(USAGE, chunk("length", content="y"), USAGE))
    assert not any(isinstance(event, MessageDelta) for event in before)
    assert after == [BlockStop(0), MessageDelta("end_turn", Usage(20, 5)), MessageStop()]
    assert (decoder.is_finishing, decoder.usage_is_estimated) == (False, False)
    assert decoder.feed(sse(chunk(content="z"))) == decoder.close() == []


def test_closing_after_a_finish_reason_ends_the_answer() -> None:
    decoder = ChatStreamDecoder(context())
    decoder.feed(sse(chunk("stop", content="x"), done=False))
    end = MessageDelta("end_turn", Usage(output_tokens=1), is_estimated=True)
    assert decoder.close() == [BlockStop(0), end, MessageStop()]


@pytest.mark.parametrize("estimate", [pytest.param(7, id="edge-09"), pytest.param(7, id="edge-10")])
def test_the_start_names_the_model_asked_for_and_estimates_the_input(estimate: int) -> None:
    events = decoded(sse(chunk(content="x"), chunk("stop"), USAGE), context())
    assert events[0] == MessageStart("msg_c1", "claude-asked", Usage(input_tokens=estimate))
    assert events[-2] == MessageDelta("end_turn", Usage(input_tokens=20, output_tokens=5))


def test_a_start_with_known_usage_says_it() -> None:
    events = decoded(sse({**chunk(content="x"), "usage": {"prompt_tokens": 9}}, chunk("stop")), context())
    assert events[0] == MessageStart("msg_c1", "claude-asked", Usage(input_tokens=9))


@pytest.mark.parametrize("first", [pytest.param({"id": "", "model": "", "choices": []}, id="edge-48")])
def test_a_chunk_without_a_choice_starts_nothing(first: Any) -> None:
    decoder = ChatStreamDecoder(context())
    assert decoder.feed(sse(first, done=False)) == []
    assert decoder.feed(sse(chunk(content=""), done=False)) == [
        MessageStart("msg_c1", "claude-asked", Usage(input_tokens=7))
    ]
