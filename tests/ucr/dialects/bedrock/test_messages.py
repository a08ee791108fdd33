import base64
from typing import Any

import pytest

from tests.world.bedrock import CLAUDE, built, target
from tests.world.chat import assistant, call, result, text, user
from ucr.dialects.envelope import seal
from ucr.dialects.tool_ids import to_client
from ucr.errors import ApiError

CLAUDES = {"type": "thinking", "thinking": "hm", "signature": "SIG"}
SIGNED = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "SIG"}}}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


def messages(*turns: Any, model: str = CLAUDE, **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = built(
        {"model": "claude-sonnet-4-5", "messages": list(turns), **fields}, target(model)
    )["messages"]
    return found


def said(*words: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": one} for one in words]}


def test_a_conversation_in_full() -> None:
    assert messages(
        user("Weather?"),
        assistant(CLAUDES, text("I look."), call("t1", city="Rome"), call("t2", "other")),
        user(text("Thanks."), result("t2", "no", is_error=True), result("t1", text("sunny"), IMAGE)),
    ) == [
        said("Weather?"),
        {
            "role": "assistant",
            "content": [
                SIGNED,
                {"text": "I look."},
                {"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {"city": "Rome"}}},
                {"toolUse": {"toolUseId": "t2", "name": "other", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "t1",
                        "content": [{"text": "sunny"}, {"image": {"format": "png", "source": {"bytes": PNG}}}],
                    }
                },
                {"toolResult": {"toolUseId": "t2", "content": [{"text": "no"}], "status": "error"}},
                {"text": "Thanks."},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        pytest.param(result("t1"), {"content": [{"text": ""}]}, id="edge-76"),
        pytest.param(
            result("t1", "x", is_error=True), {"content": [{"text": "x"}], "status": "error"}, id="edge-77"
        ),
    ],
)
def test_a_result_may_be_empty_or_an_error(given: dict[str, Any], written: dict[str, Any]) -> None:
    answer = messages(user("a"), assistant(call("t1")), user(given))[-1]["content"][0]["toolResult"]
    assert answer == {"toolUseId": "t1", **written}


def test_a_call_without_a_result_is_answered() -> None:
    answer = messages(user("a"), assistant(call("t1")), user("b"))[-1]["content"]
    assert answer[0]["toolResult"]["status"] == "error"
    assert answer[1] == {"text": "b"}


@pytest.mark.parametrize("edge", [pytest.param(134, id="edge-134"), pytest.param(17, id="edge-17")])
def test_ids_are_as_bedrock_takes_them_and_no_two_alike(edge: int) -> None:
    long, kimi = "x" * 80, to_client("functions.f:0")
    turns = [part for id_ in (long, kimi, "0", "0") for part in (assistant(call(id_)), user(result(id_, "ok")))]
    ids = [
        block["toolUse"]["toolUseId"]
        for message in messages(user("a"), *turns)
        for block in message["content"]
        if "toolUse" in block
    ]
    assert ids[1:3] == ["functions.f:0", "0"]
    assert len(set(ids)) == 4 and all(len(id_) <= 64 for id_ in ids)


def test_mistral_has_ids_of_nine_letters() -> None:
    found = messages(user("a"), assistant(call("toolu_1")), user(result("toolu_1", "x")), model="mistral.large")
    id_ = found[1]["content"][0]["toolUse"]["toolUseId"]
    assert len(id_) == 9 and id_.isalnum()
    assert found[2]["content"][0]["toolResult"]["toolUseId"] == id_


def test_neighbours_of_one_role_are_one_and_system_turns_are_reminders() -> None:
    found = messages(user("a"), user("b"), {"role": "system", "content": "It is late."})
    assert found == [said("a", "b", "<system-reminder>\nIt is late.\n</system-reminder>")]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        pytest.param([assistant("hi"), user("a")], ["Continue.", "hi", "a"], id="edge-87"),
        pytest.param([user(text(" "), text("a"))], ["a"], id="edge-90"),
        pytest.param([user("a"), assistant("b")], ["a"], id="edge-88"),
    ],
)
def test_the_order_of_the_messages_is_one_that_bedrock_takes(turns: list[Any], expected: list[str]) -> None:
    assert [
        part["text"] for message in messages(*turns, model="mistral.x") for part in message["content"]
    ] == expected


def test_an_older_claude_goes_on_with_the_last_turn_which_ends_in_no_white_space() -> None:
    found = messages(user("a"), assistant("b \n"), model="anthropic.claude-3-5-sonnet-20241022-v2:0")
    assert found[-1] == {"role": "assistant", "content": [{"text": "b"}]}


def test_a_conversation_without_content_is_refused() -> None:
    with pytest.raises(ApiError, match="no message has any content"):
        messages(user(" "))


@pytest.mark.parametrize("edge", [pytest.param(72, id="edge-72")])
def test_the_system_prompt_is_left_out_when_it_is_empty(edge: int) -> None:
    assert "system" not in built({"messages": [user("a")], "system": ""})
    assert "system" not in built({"messages": [user("a")], "system": []})
    marked = [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]
    assert built({"messages": [user("a")], "system": marked}, target(CLAUDE))["system"] == [
        {"text": "s"},
        {"cachePoint": {"type": "default"}},
    ]


def test_claude_gets_what_claude_signed_and_nothing_that_others_did() -> None:
    redacted = {"type": "redacted_thinking", "data": "UkVE"}
    ours = {"type": "thinking", "thinking": "x", "signature": seal("bedrock", {"reasoning_items": []})}
    unsigned = {"type": "thinking", "thinking": "x", "signature": ""}
    turn = messages(user("a"), assistant(CLAUDES, redacted, ours, unsigned, text("b")), user("c"))[1]
    assert turn["content"] == [SIGNED, {"reasoningContent": {"redactedContent": "UkVE"}}, {"text": "b"}]


def test_other_models_get_what_they_had_sealed_and_nothing_of_claudes() -> None:
    items = [{"signature": "MINE"}, {"redactedContent": "R"}, {}]
    ours = {"type": "thinking", "thinking": "x", "signature": seal("bedrock", {"reasoning_items": items})}
    theirs = {"type": "thinking", "thinking": "x", "signature": seal("other", {"reasoning_items": items})}
    redacted = {"type": "redacted_thinking", "data": "UkVE"}
    turns = (user("a"), assistant(CLAUDES, redacted, theirs, ours, text("b")), user("c"))
    assert messages(*turns, model="amazon.nova-2-lite-v1:0")[1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "x", "signature": "MINE"}}},
        {"reasoningContent": {"redactedContent": "R"}},
        {"text": "b"},
    ]


def test_a_mark_on_a_result_is_a_point_behind_it() -> None:
    marked = {**result("t1", "x"), "cache_control": {"type": "ephemeral"}}
    content = messages(user("a"), assistant(call("t1")), user(marked))[-1]["content"]
    assert list(content[1]) == ["cachePoint"]
