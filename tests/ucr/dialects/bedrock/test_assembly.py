import json

import pytest

from tests.world.bedrock import about, begins, calls, event, metadata, says, stops, thinks, told
from ucr.dialects.bedrock import assembly
from ucr.dialects.bedrock.assembly import Assembly
from ucr.dialects.envelope import unseal
from ucr.errors import UpstreamError

OPEN = "openai.gpt-oss-120b-1:0"
END = (stops(), metadata())


def test_thinking_that_claude_signed_keeps_its_signature() -> None:
    read = told(begins(), thinks(text="hm"), thinks(signature="SIG"), says("a", 1), *END)
    assert read["content"] == [{"thinking": "hm", "signature": "SIG"}, {"text": "a"}]


def test_redacted_thinking_stands_where_it_came() -> None:
    read = told(begins(), thinks(redactedContent="UkVE"), thinks(1, text="x"), thinks(1, signature="S"), *END)
    assert read["content"] == [{"redacted": "UkVE"}, {"thinking": "x", "signature": "S"}]


def test_thinking_of_other_models_is_sealed_with_what_they_want_back() -> None:
    read = told(
        begins(), thinks(text="hm"), thinks(signature="SIG"), thinks(redactedContent="R"), *END, model=OPEN
    )
    (block,) = read["content"]
    assert (block["provider"], block["thinking"]) == ("bedrock", "hm")
    assert block["state"] == {"reasoning_items": [{"signature": "SIG"}, {"redactedContent": "R"}]}
    assert unseal("SIG") is None


def test_two_blocks_of_thinking_keep_their_own_signatures() -> None:
    frames = (thinks(0, text="a"), thinks(0, signature="A"), thinks(1, text="b"), thinks(1, signature="B"))
    read = told(begins(), *frames, *END)
    assert read["content"] == [{"thinking": "a", "signature": "A"}, {"thinking": "b", "signature": "B"}]


def test_thinking_that_nobody_asked_for_stays_away() -> None:
    frames = (thinks(text="hm"), thinks(signature="S"), thinks(redactedContent="R"), says("a", 1))
    assert told(begins(), *frames, *END, thinking_wanted=False)["content"] == [{"text": "a"}]


@pytest.mark.parametrize("edge", [pytest.param(32, id="edge-32"), pytest.param(33, id="edge-33")])
def test_blocks_begin_with_their_first_words(edge: int) -> None:
    read = told(begins(), says("", 0), thinks(1, text="hm"), thinks(1, signature="S"), says("a", 2), *END)
    assert read["content"] == [{"thinking": "hm", "signature": "S"}, {"text": "a"}]


@pytest.mark.parametrize("pieces", [pytest.param((), id="edge-12"), ("",), ("{}",)])
def test_a_call_without_arguments_has_an_empty_object(pieces: tuple[str, ...]) -> None:
    read = told(begins(), calls(0, "tooluse_a", "f", *pieces), stops("tool_use"), metadata())
    assert read["content"] == [{"tool_use": "f", "id": "tooluse_a", "input": {}}]
    assert read["stop_reason"] == "tool_use"


def test_parallel_calls_have_their_own_arguments_ids_and_names() -> None:
    frames = (says("x"), calls(1, "a.b:c", "short", '{"n"', ":1}"), calls(2, "tooluse_b", "g", '{"n":2}'))
    read = told(begins(), *frames, stops("tool_use"), metadata(), names={"short": "mcp__long"})
    assert [block.get("input") for block in read["content"]] == [None, {"n": 1}, {"n": 2}]
    assert read["content"][1]["tool_use"] == "mcp__long"
    assert read["content"][1]["id"].startswith("ucrx_"), "an id that clients refuse travels packed"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "end_turn"),
        ("max_tokens", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("model_context_window_exceeded", "model_context_window_exceeded"),
        ("guardrail_intervened", "refusal"),
        ("content_filtered", "refusal"),
        ("novel", "end_turn"),
        ("tool_use", "end_turn"),
    ],
)
def test_why_an_answer_ended(reason: str, expected: str) -> None:
    assert told(begins(), says("a"), stops(reason), metadata())["stop_reason"] == expected


def test_a_stop_sequence_is_named_where_it_is_known() -> None:
    read = Assembly(about())
    read.read(
        "messageStop", {"stopReason": "stop_sequence", "additionalModelResponseFields": {"stop_sequence": "X"}}
    )
    assert json.dumps([str(one) for one in read.end()]).count("'X'") == 1


def test_counters_of_a_cache_are_told() -> None:
    more = {
        "cacheReadInputTokens": 7,
        "cacheWriteInputTokens": 9,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 4}],
    }
    assert told(begins(), says("a"), stops(), metadata(**more))["usage"] == {
        "input_tokens": 20,
        "output_tokens": 5,
        "cache_read_tokens": 7,
        "cache_creation_tokens": 9,
        "cache_creation_1h_tokens": 4,
    }


def test_what_is_not_counted_is_estimated() -> None:
    usage = event("metadata", {"usage": {}})
    assert told(begins(), says("a" * 12), stops(), usage)["usage"] == {"input_tokens": 7, "output_tokens": 3}


def test_more_than_is_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "HELD_LIMIT_CHARS", 2000)
    reading = Assembly(about())
    with pytest.raises(UpstreamError, match="more tool input"):
        for _ in range(100):
            delta = {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"a":"' + "x" * 100}}}
            reading.read("contentBlockDelta", delta)
