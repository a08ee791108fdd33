import json
from typing import Any

import pytest

from tests.world.chat import answered, assistant, call, messages, outgoing, result, said, text, user
from ucr.dialects.openai_chat.messages import NO_RESULT
from ucr.dialects.openai_chat.turns import input_object, is_said, read_turns, system_blocks
from ucr.jsontext import dumps

ASKED = {"role": "assistant", "content": None, "tool_calls": [said("t1"), said("t2")]}
ANSWERED = [answered("t1", "one"), answered("t2", "two")]
CALLS = assistant(call("t1"), call("t2"))


def after_calls(*turns: dict[str, Any]) -> list[dict[str, Any]]:
    """What follows the message with two calls."""
    sent = messages([user("go"), CALLS, *turns])
    assert sent[:2] == [{"role": "user", "content": "go"}, ASKED]
    return sent[2:]


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param([user(result("t1", "one"), result("t2", "two"), text("next"))], id="edge-74"),
        pytest.param([user(text("next"), result("t2", "two"), result("t1", "one"))], id="edge-75"),
        pytest.param([user(result("t2", "two")), user(result("t1", "one"), text("next"))], id="edge-86"),
    ],
)
def test_results_come_first_in_the_order_of_the_calls(turns: list[Any]) -> None:
    assert after_calls(*turns) == [*ANSWERED, {"role": "user", "content": "next"}]


def test_results_behind_a_system_turn_find_their_calls() -> None:
    reminder = {"role": "system", "content": "note"}
    assert after_calls(reminder, user(result("t1", "one"), result("t2", "two"))) == [
        *ANSWERED,
        {"role": "system", "content": "note"},
    ]


@pytest.mark.parametrize("missing", [pytest.param("t2", id="edge-92")])
def test_a_call_without_a_result_is_answered_with_an_error(missing: str) -> None:
    assert after_calls(user(result("t1", "one"), text("stop"))) == [
        answered("t1", "one"),
        answered(missing, NO_RESULT),
        {"role": "user", "content": "stop"},
    ]


@pytest.mark.parametrize("orphan", [pytest.param("gone", id="edge-93")])
def test_a_result_without_a_call_becomes_words_of_the_user(orphan: str) -> None:
    sent = outgoing({"messages": [user(result(orphan, "42"), text("hi"))]})
    assert b'"content":"[result of an earlier tool call]\\n\\n42\\n\\nhi"' in sent.body
    assert sent.notes == ("a tool result without its call was passed as text",)


def test_an_empty_result_without_a_call_vanishes() -> None:
    assert messages([user(result("gone"), text("hi"))]) == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("again", [pytest.param("other", id="edge-94")])
def test_the_first_of_two_results_counts(again: str) -> None:
    assert after_calls(user(result("t1", "one"), result("t1", again), result("t2", "two"))) == ANSWERED


def test_an_id_that_comes_again_in_a_later_turn_is_another_call() -> None:
    turns = [
        user("go"),
        assistant(call("0")),
        user(result("0", "a")),
        assistant(call("0")),
        user(result("0", "b")),
    ]
    assert [m["content"] for m in messages(turns) if m["role"] == "tool"] == ["a", "b"]


def test_a_repeated_id_in_one_turn_is_one_call() -> None:
    sent = messages([user("go"), assistant(call("t1"), call("t1", n=1)), user(result("t1", "a"))])
    assert sent[1]["tool_calls"] == [said("t1")]
    assert len(sent) == 3


def test_assistant_turns_in_a_row_are_one() -> None:
    assert messages([user("a"), assistant("b"), user([]), assistant(call("t1")), user(result("t1", "c"))])[
        1
    ] == {
        "role": "assistant",
        "content": "b",
        "tool_calls": [said("t1")],
    }


@pytest.mark.parametrize(
    "message",
    [None, 1, {}, {"role": "user"}, {"role": "tool", "content": "x"}, {"role": ["user"], "content": "x"}],
)
def test_what_is_no_turn_is_passed_over(message: Any) -> None:
    assert read_turns([message]) == []
    assert read_turns(message) == []


@pytest.mark.parametrize("kind", ["code_execution", "mcp"])
def test_calls_that_anthropics_servers_ran_are_left_out_with_their_results(kind: str) -> None:
    use = "mcp_tool_use" if kind == "mcp" else "server_tool_use"
    turn = assistant(
        {"type": use, "id": "s1", "name": kind, "input": {"query": "q"}},
        {"type": f"{kind}_tool_result", "tool_use_id": "s1", "content": []},
        text("found"),
    )
    sent = outgoing({"messages": [user("go"), turn, user("thanks")]})
    assert b'{"role":"assistant","content":"found"}' in sent.body
    assert sent.notes == ("dropped server_tool_history",)


@pytest.mark.parametrize("id_", [pytest.param("s1", id="edge-109"), "srvtoolu_ucr_1"])
def test_what_an_earlier_search_found_becomes_words(id_: str) -> None:
    found = {
        "type": "web_search_result",
        "title": "Cats",
        "url": "https://cats.test",
        "encrypted_content": "Ev",
    }
    turn = assistant(
        {"type": "server_tool_use", "id": id_, "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": id_, "content": [found]},
        text("They purr."),
    )
    sent = outgoing({"messages": [user("go"), turn, user("thanks")]})
    assert json.loads(sent.body)["messages"][1] == {
        "role": "assistant",
        "content": "[web_search]\n1. Cats\nhttps://cats.test\n\nThey purr.",
    }
    assert sent.notes == ("what an earlier web tool found was passed as text",)


def test_the_billing_line_is_no_part_of_the_system_prompt() -> None:
    billing = text("x-anthropic-billing-header: cc_version=2.1.330.2e8; cc_entrypoint=cli;")
    assert system_blocks({"system": [billing, text("You are."), text("")]}) == [text("You are.")]
    assert system_blocks({"system": [billing]}) == []
    assert [is_said(told) for told in ("a", " ", "", "\n" + billing["text"])] == [True, False, False, False]
    for system in ("You are.", "", " \n", billing["text"], "  " + billing["text"], None):
        sent = json.loads(outgoing({"system": system, "messages": [user("go")]}).body)
        is_there = system == "You are."
        assert sent["messages"] == [{"role": "system", "content": system}] * is_there + [
            {"role": "user", "content": "go"}
        ]


@pytest.mark.parametrize("id_", [1, None, "", ["t"]])
def test_a_call_without_a_usable_id_is_no_call(id_: Any) -> None:
    turn = assistant(text("x"), {"type": "tool_use", "id": id_, "name": "f", "input": {}})
    assert messages([user("go"), turn, user("on")])[1] == {"role": "assistant", "content": "x"}


@pytest.mark.parametrize(
    ("given", "made"),
    [({"x": 1.0}, {"x": 1.0}), ('{"x": 1.50}', {"x": 1.5}), (None, {}), ([1], {"_raw": [1]})],
)
def test_the_input_of_a_call_is_an_object(given: object, made: object) -> None:
    assert json.loads(dumps(input_object(given))) == made


def test_numbers_in_the_input_of_a_call_stay_as_they_were() -> None:
    assert b"1.50" in dumps(input_object('{"x": 1.50}'))
