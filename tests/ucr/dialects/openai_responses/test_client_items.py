"""The input as turns."""

from typing import Any

import pytest

from tests.world.responses_client import translate, turns
from ucr.dialects.openai_responses.client_reasoning import seal_thinking
from ucr.errors import ApiError


def says(role: str, text: str, kind: str = "input_text") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def call(id_: str, arguments: str = "{}", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id_, "name": "look", "arguments": arguments, **more}


def output(id_: str, given: Any = "seen") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id_, "output": given}


def block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def use(id_: str, name: str = "look", **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": given}


def result(id_: str, content: Any = "seen") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": content}


def test_a_text_is_what_the_user_says() -> None:
    assert translate("hi").body["messages"] == [{"role": "user", "content": [block("hi")]}]


def test_instructions_and_leading_developers_are_the_system_prompt() -> None:
    body = translate([says("developer", "b"), says("user", "c"), says("developer", "d")], instructions="a").body
    assert body["system"] == [block("a"), block("b")]
    assert [turn["role"] for turn in body["messages"]] == ["user", "system"]


def test_a_tool_loop_is_turns() -> None:
    thinking = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": seal_thinking("hm", "sig"),
    }
    items = [
        says("user", "a"),
        thinking,
        says("assistant", "I look.", "output_text"),
        call("c1", '{"x":1}'),
        call("c2"),
        output("c1"),
        output("c2", [{"type": "input_text", "text": "rain"}]),
        says("user", "b"),
    ]
    assert turns(*items) == [
        {"role": "user", "content": [block("a")]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                block("I look."),
                use("c1", x=1),
                use("c2"),
            ],
        },
        {"role": "user", "content": [result("c1"), result("c2", [block("rain")]), block("b")]},
    ]


def test_outputs_between_calls_end_the_turn() -> None:
    roles = [
        turn["role"] for turn in turns(says("user", "a"), call("c1"), output("c1"), call("c2"), output("c2"))
    ]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_ids_that_are_used_again_are_told_apart() -> None:
    found = turns(says("user", "a"), call("0"), output("0", "x"), call("0"), output("0", "y"))
    uses = [one["id"] for turn in found for one in turn["content"] if one["type"] == "tool_use"]
    results = [one["tool_use_id"] for turn in found for one in turn["content"] if one["type"] == "tool_result"]
    assert uses == results
    assert len(set(uses)) == 2


def test_custom_calls_and_those_of_a_namespace_keep_what_they_are() -> None:
    custom = {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "*** Begin"}
    told = {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"}
    found = turns(says("user", "a"), custom, told, call("c2", namespace="agents"), output("c2"))
    assert found[1]["content"] == [use("c1", "patch", input="*** Begin")]
    assert found[2]["content"] == [result("c1", "done")]
    assert found[3]["content"] == [use("c2", "agents__look")]


def test_broken_arguments_of_the_history_go_through() -> None:
    asked = translate([says("user", "a"), call("c1", '{"x'), output("c1")])
    assert asked.body["messages"][1]["content"] == [use("c1")]
    assert "tool arguments that are not a JSON object were sent as {}" in asked.notes


def test_what_ran_at_a_provider_is_dropped_with_a_note() -> None:
    asked = translate([says("user", "a"), {"type": "web_search_call", "id": "ws_1", "status": "completed"}])
    assert len(asked.body["messages"]) == 1
    assert "items of tools that run at the provider were dropped" in asked.notes


def test_an_empty_turn_says_so_and_a_last_one_ends_without_blanks() -> None:
    assert turns({"role": "user", "content": ""})[0]["content"] == [block("(no content)")]
    assert turns(says("user", "a"), says("assistant", "b \n", "output_text"))[1]["content"] == [block("b")]
    assert turns(says("system", "a")) == [{"role": "user", "content": [block("a")]}]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([{"type": "item_reference", "id": "msg_1"}], r"input\[0\]: UCR keeps no responses"),
        ([{"type": 3}], r"input\[0\].type"),
        ([{"role": "robot", "content": "x"}], r"input\[0\].role: expected one of user"),
        ([{"role": "user", "content": 3}], r"input\[0\].content"),
        ([{"type": "function_call", "name": "f", "arguments": "{}"}], r"input\[0\].call_id"),
        ([{"type": "function_call", "call_id": "c", "arguments": "{}"}], r"input\[0\].name"),
        ([{"type": "custom_tool_call", "call_id": "c", "name": "f"}], r"input\[0\].input"),
        ([{"type": "function_call_output", "call_id": "c", "output": 3}], r"input\[0\].output"),
        ([], "no item has any content"),
    ],
)
def test_a_malformed_item_is_refused_at_its_place(items: Any, words: str) -> None:
    with pytest.raises(ApiError, match=words):
        translate(items)
