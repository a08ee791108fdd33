import pytest

from ucr.stress.failing.moves import (
    Call,
    Dialect,
    Say,
    anthropic_events,
    anthropic_message,
    chat_chunks,
    chat_completion,
    error_body,
    halves,
)

LOOK = Say("Let me see.", "A thought.", (Call("c1", "look", {"place": "{folder}/a"}),))


def test_a_whole_message_holds_thought_text_and_call_in_this_order() -> None:
    message = anthropic_message(LOOK, "/work", "m")
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "tool_use"]
    assert (message["content"][2]["input"], message["stop_reason"]) == ({"place": "/work/a"}, "tool_use")


def test_the_deltas_of_a_stream_add_up_to_the_whole_message() -> None:
    deltas = [
        event["delta"] for event in anthropic_events(LOOK, "", "m") if event["type"] == "content_block_delta"
    ]
    assert "".join(delta.get("text", "") for delta in deltas) == LOOK.text
    assert "".join(delta.get("partial_json", "") for delta in deltas) == '{"place": "/a"}'


def test_the_chunks_of_a_chat_add_up_to_its_completion() -> None:
    said = chat_completion(LOOK, "", "m")["choices"][0]["message"]
    deltas = [chunk["choices"][0]["delta"] for chunk in chat_chunks(LOOK, "", "m") if chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == said["content"]
    pieces = [call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", ())]
    assert "".join(pieces) == said["tool_calls"][0]["function"]["arguments"]


@pytest.mark.parametrize(("dialect", "is_typed"), [("anthropic", True), ("openai-chat", False)])
def test_an_error_has_the_shape_of_its_dialect(dialect: Dialect, is_typed: bool) -> None:
    body = error_body(dialect, "api_error", "no")
    assert body["error"] == {"type": "api_error", "message": "no"}
    assert ("type" in body) is is_typed


def test_nothing_has_no_halves() -> None:
    assert (halves(""), halves("abc")) == ((), ("a", "bc"))
