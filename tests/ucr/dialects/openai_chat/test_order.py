from typing import Any

import pytest

from tests.world.chat import answered, assistant, call, messages, outgoing, result, said, target, text, user
from ucr.dialects.openai_chat.order import OPENING

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


@pytest.mark.parametrize(
    ("provider", "last"),
    [
        pytest.param("openai", None, id="edge-88"),
        pytest.param("mistral", {"role": "assistant", "content": "{", "prefix": True}, id="edge-88-prefix"),
        pytest.param("local", {"role": "assistant", "content": "{"}, id="edge-88-pass"),
    ],
)
def test_a_prefill_is_continued_where_that_is_possible(provider: str, last: Any) -> None:
    sent = outgoing({"messages": [user("json"), assistant("{ \n")]}, target(provider, "m"))
    found = messages([user("json"), assistant("{ \n")], target(provider, "m"))
    assert found == [{"role": "user", "content": "json"}, *([last] if last else [])]
    assert sent.notes == (() if last else ("dropped prefill",))


def test_interrupted_calls_at_the_end_are_no_prefill() -> None:
    sent = messages([user("go"), assistant(call("t1"))], target("openai", "gpt-4o"))
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]


def test_user_text_after_a_tool_goes_into_the_tool_message_of_mistral() -> None:
    turns = [user("go"), assistant(call("abcdefghi")), user(result("abcdefghi", "42"), text("and?"))]
    assert messages(turns, target("mistral", "m"))[1:] == [
        {"role": "assistant", "content": None, "tool_calls": [said("abcdefghi")]},
        answered("abcdefghi", "42\n\nand?"),
    ]
    empty = [user("go"), assistant(call("abcdefghi")), user(result("abcdefghi"), text("and?"))]
    assert messages(empty, target("mistral", "m"))[2] == answered("abcdefghi", "and?")


def test_an_image_after_a_tool_stays_a_user_message() -> None:
    turns = [user("go"), assistant(call("abcdefghi")), user(result("abcdefghi", "42"), IMAGE)]
    assert [m["role"] for m in messages(turns, target("mistral", "m"))] == ["user", "assistant", "tool", "user"]


@pytest.mark.parametrize(
    "provider", [pytest.param("perplexity", id="edge-155"), pytest.param("google", id="edge-86")]
)
def test_two_user_turns_become_one_where_roles_must_alternate(provider: str) -> None:
    turns = [user("a"), user(text("b"), IMAGE), assistant("c"), user("d"), assistant("e")]
    assert messages(turns, target(provider, "m")) == [
        {
            "role": "user",
            "content": [
                text("a"),
                text("b"),
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        },
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]


@pytest.mark.parametrize("provider", [pytest.param("openai", id="edge-86"), "deepseek"])
def test_two_user_turns_stay_two_elsewhere(provider: str) -> None:
    assert [m["content"] for m in messages([user("a"), user("b")], target(provider, "m"))] == ["a", "b"]


@pytest.mark.parametrize("provider", [pytest.param("google", id="edge-87")])
def test_a_leading_assistant_turn_gets_a_user_turn_before_it(provider: str) -> None:
    sent = messages([assistant("hello"), user("hi")], target(provider, "m"), system="be kind")
    assert [m["content"] for m in sent] == ["be kind", OPENING, "hello", "hi"]
    assert [m["content"] for m in messages([assistant("hello"), user("hi")])] == ["hello", "hi"]


def test_messages_with_calls_are_never_put_together() -> None:
    turns = [user("go"), assistant(call("t1")), user(result("t1", "a")), assistant(call("t2")), user("on")]
    roles = [m["role"] for m in messages(turns, target("google", "gemini-2.5-pro"))]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "user"]
