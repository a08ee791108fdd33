from typing import Any

import pytest

from tests.world.chat_client import USER, translate, turns
from ucr.dialects.openai_chat import client_layout
from ucr.errors import ApiError


def text(value: str) -> Any:
    return {"type": "text", "text": value}


def calls(*ids: str) -> Any:
    return [{"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id_ in ids]


def use(id_: str) -> Any:
    return {"type": "tool_use", "id": id_, "name": "f", "input": {}}


def result(id_: str, content: Any = "ok") -> Any:
    return {"type": "tool_result", "tool_use_id": id_, "content": content}


def tool(id_: str, content: Any = "ok") -> Any:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def test_leading_system_and_developer_messages_become_the_system_prompt() -> None:
    body = translate(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [text("b"), text("")]},
        USER,
    ).body
    assert body["system"] == [text("a"), text("b")]
    assert body["messages"] == [{"role": "user", "content": [text("hi")]}]


def test_a_later_system_message_stays_in_its_place() -> None:
    assert turns(USER, {"role": "developer", "content": "b"}, {"role": "system", "content": ""}) == [
        {"role": "user", "content": [text("hi")]},
        {"role": "system", "content": [text("b")]},
    ]


def test_a_system_prompt_alone_is_asked_as_the_user() -> None:
    canonical = translate({"role": "system", "content": "Say hi."})
    assert canonical.body["messages"] == [{"role": "user", "content": [text("Say hi.")]}]
    assert "system" not in canonical.body
    assert canonical.notes == ("the system message was sent as the user turn because there was no other",)


@pytest.mark.parametrize("content", ["", None, [], [text("")]])
def test_an_assistant_turn_with_calls_and_no_text_has_only_calls(content: Any) -> None:
    message = {"role": "assistant", "content": content, "tool_calls": calls("a")}
    assert turns(USER, message)[1] == {"role": "assistant", "content": [use("a")]}


@pytest.mark.parametrize(
    "content", [pytest.param("", id="edge-91-empty"), pytest.param(None, id="edge-91-null")]
)
def test_empty_content_beside_calls_makes_no_text_block(content: Any) -> None:
    message = {"role": "assistant", "content": content, "tool_calls": calls("a", "b")}
    assert turns(USER, message, tool("a"), tool("b"))[1] == {
        "role": "assistant",
        "content": [use("a"), use("b")],
    }


def test_tool_messages_and_the_user_message_after_them_are_one_user_turn() -> None:
    asked = {"role": "assistant", "content": "I look.", "tool_calls": calls("a", "b")}
    assert turns(USER, asked, tool("b", "2"), tool("a", [text("1")]), USER, USER)[1:] == [
        {"role": "assistant", "content": [text("I look."), use("a"), use("b")]},
        {"role": "user", "content": [result("b", "2"), result("a", [text("1")]), text("hi")]},
        {"role": "user", "content": [text("hi")]},
    ]


def test_tool_messages_at_the_end_are_a_user_turn_of_their_own() -> None:
    asked = {"role": "assistant", "tool_calls": calls("a")}
    assert turns(USER, asked, tool("a"))[2] == {"role": "user", "content": [result("a")]}


def test_tool_messages_before_a_system_message_keep_their_place() -> None:
    asked = {"role": "assistant", "tool_calls": calls("a")}
    assert turns(USER, asked, tool("a"), {"role": "system", "content": "s"}, USER)[2:] == [
        {"role": "user", "content": [result("a")]},
        {"role": "system", "content": [text("s")]},
        {"role": "user", "content": [text("hi")]},
    ]


@pytest.mark.parametrize("content", ["", None, []])
def test_a_tool_that_says_nothing_has_a_result_without_content(content: Any) -> None:
    asked = {"role": "assistant", "tool_calls": calls("a")}
    assert turns(USER, asked, tool("a", content))[2]["content"] == [{"type": "tool_result", "tool_use_id": "a"}]


def test_missing_results_are_not_made_up_here() -> None:
    asked = {"role": "assistant", "tool_calls": calls("a", "b")}
    assert turns(USER, asked, tool("b"), USER)[2]["content"] == [result("b"), text("hi")]


def test_an_older_function_message_answers_the_call_of_its_function() -> None:
    asked = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    answered = turns(USER, asked, {"role": "function", "name": "f", "content": "ok"}, asked)
    first, second = answered[1]["content"][0]["id"], answered[3]["content"][0]["id"]
    assert answered[2]["content"] == [result(first)]
    assert first != second


def test_an_empty_user_message_gets_a_word_in_place_of_nothing() -> None:
    assert turns({"role": "user", "content": " "}) == [{"role": "user", "content": [text("(no content)")]}]


def test_an_empty_assistant_message_goes() -> None:
    assert turns(USER, {"role": "assistant", "content": ""}, USER) == [
        {"role": "user", "content": [text("hi")]},
        {"role": "user", "content": [text("hi")]},
    ]


def test_a_prefill_ends_without_blanks() -> None:
    assert turns(USER, {"role": "assistant", "content": "Once \n"})[1]["content"] == [text("Once")]


def test_an_assistant_text_that_is_not_last_keeps_its_blanks() -> None:
    assert turns(USER, {"role": "assistant", "content": "Once \n"}, USER)[1]["content"] == [text("Once \n")]


def test_an_earlier_refusal_is_text() -> None:
    assert turns(USER, {"role": "assistant", "content": None, "refusal": "No."}, USER)[1]["content"] == [
        text("No.")
    ]


@pytest.mark.parametrize("refusal", [None, "", " \n", 7])
def test_a_refusal_that_says_nothing_is_no_text(refusal: Any) -> None:
    message = {"role": "assistant", "content": "ok", "refusal": refusal}
    assert turns(USER, message, USER)[1]["content"] == [text("ok")]


def test_signed_reasoning_comes_back_as_thinking() -> None:
    packed = client_layout.pack([("thinking", 3, "sig"), ("text", 2), ("call",)])
    message = {
        "role": "assistant",
        "content": "ok",
        "reasoning_content": "hmm",
        "reasoning_signature": packed,
        "tool_calls": calls("a"),
    }
    canonical = translate(USER, message, tool("a"))
    assert canonical.body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hmm", "signature": "sig"},
        text("ok"),
        use("a"),
    ]
    assert canonical.notes == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "hmm"},
        {"reasoning_content": "hmm", "reasoning_signature": "broken"},
        {"reasoning_content": "edited", "reasoning_signature": client_layout.pack([("thinking", 3, "s")])},
        {"reasoning_content": 7, "reasoning_signature": client_layout.pack([("thinking", 3, "s")])},
    ],
)
def test_reasoning_without_its_signature_goes_and_a_note_says_so(fields: Any) -> None:
    canonical = translate(USER, {"role": "assistant", "content": "ok", **fields}, USER)
    assert canonical.body["messages"][1]["content"] == [text("ok")]
    assert canonical.notes == ("earlier reasoning without its intact signature was dropped",)


def test_names_and_sounds_go_and_a_note_says_so_once() -> None:
    canonical = translate(
        {**USER, "name": "ann"},
        {"role": "assistant", "content": "x", "name": "bot", "audio": {"id": "1"}},
        USER,
    )
    assert canonical.notes == ("names of participants were dropped", "audio of earlier answers was dropped")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            {"role": "critic", "content": "x"},
            "messages[1].role: expected one of system, developer, user, assistant, tool, function, "
            "not 'critic'",
        ),
        ({"role": "user"}, "messages[1].content: expected a string or an array of parts"),
        ({"role": "system"}, "messages[1].content: expected a string or an array of parts"),
        (
            {"role": "tool", "content": "x"},
            "messages[1].tool_call_id: expected a string that is not empty, not None",
        ),
        (
            {"role": "function", "content": "x"},
            "messages[1].name: expected a string that is not empty, not None",
        ),
    ],
)
def test_a_malformed_message_is_refused_at_its_path(message: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        translate(USER, message)
    assert caught.value.message == words
