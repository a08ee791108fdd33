"""How a conversation begins is written once, and as one that is not known."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat import assistant, call, capture, result, target, text, user
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.beginnings import LEAST_BYTES
from ucr.dialects.openai_chat.build import build
from ucr.dialects.openai_chat.known_turns import known_turns
from ucr.dialects.roles import Outgoing, Target
from ucr.errors import ApiError

LONG = text("w" * LEAST_BYTES)
TOLD = {"role": "system", "content": [text("note")]}
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://x"}}
STEPS: dict[str, list[dict[str, Any]]] = {
    "answer": [assistant(text("a")), user(text("q"))],
    "call": [assistant(text("a"), call("t1", city="Rome")), user(result("t1", "r"))],
    "calls": [
        assistant(call("t1"), call("t2", "other")),
        user(result("t2", "r"), result("t1", "s"), text("q")),
    ],
    "told": [assistant(text("a")), user(text("q")), TOLD],
    "blank": [assistant(text("a")), user(text(" "))],
    "lost": [assistant(call("t1")), user(text("q"))],
    "image": [assistant(text("a")), user(text("q"), IMAGE)],
    "unfit": [assistant(call("t1", "does not fit")), user(result("t1", "r"))],
}
QUIRKS: tuple[dict[str, Any], ...] = (
    {},
    {"mid_system": False},
    {"system_role": "user"},
    {"merge_turns": True},
    {"user_after_tool": False},
    {"prefill": "drop"},
    {"prefill": "prefix"},
    {"initiator": True},
    {"tools": False},
)


def body(*steps: str, **fields: Any) -> bytes:
    turns = [user(LONG), *(turn for step in steps for turn in STEPS[step])]
    return json.dumps({"model": "m", "max_tokens": 9, "messages": turns, **fields}).encode()


def made(client: AnthropicClient, raw: bytes, place: Target) -> Outgoing:
    request = client.parse(raw, {})
    return build(client.canonical(request), request, place)


@settings(deadline=None)
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5),
    quirks=st.sampled_from(QUIRKS),
    fields=st.sampled_from(
        [{}, {"system": "s"}, {"tools": capture("tool-loop")["tools"]}, {"tool_choice": {"type": "none"}}]
    ),
)
def test_a_conversation_that_goes_on_is_written_as_a_new_one(
    steps: list[str], quirks: dict[str, Any], fields: dict[str, Any]
) -> None:
    client, place = AnthropicClient(), target(**quirks)
    for count in range(1, len(steps) + 1):
        raw = body(*steps[:count], **fields)
        for _ in range(2):
            told, expected = made(client, raw, place), made(AnthropicClient(), raw, place)
            assert (told.body, told.notes, told.headers) == (expected.body, expected.notes, expected.headers)
            assert dict(told.context.names) == dict(expected.context.names)


@pytest.mark.parametrize("last", [assistant(text("a ")), assistant(text("a"), call("t9")), assistant(IMAGE)])
def test_an_answer_that_was_begun_is_written_as_ever(last: dict[str, Any]) -> None:
    for prefill in ("drop", "prefix", "continue"):
        client, place = AnthropicClient(), target(prefill=prefill)
        raw = json.dumps(
            {"model": "m", "max_tokens": 9, "messages": [user(LONG), *STEPS["call"], last]}
        ).encode()
        for _ in range(2):
            assert made(client, raw, place).body == made(AnthropicClient(), raw, place).body


def test_what_was_written_is_kept_for_the_target_and_goes_on() -> None:
    client, one, two = AnthropicClient(), target(), target()
    first = client.parse(body("call", "answer"), {})
    known = known_turns(first, first.body, one)
    assert known is not None
    assert (known.count, known.called) == (3, {"get_weather"})
    assert known_turns(first, first.body, one) is known
    assert known_turns(first, first.body, two) is not known
    second = client.parse(body("call", "answer", "calls", "answer"), {})
    longer = known_turns(second, second.body, one)
    assert longer is not None
    assert (longer.count, longer.called) == (7, {"get_weather", "other"})
    assert longer.messages.text.startswith(known.messages.text)


def test_what_was_written_takes_a_byte_for_each_of_its_own() -> None:
    """A string of Python's would take four for each letter, for one that is beyond the others."""
    turns = [user(text("w" * 1000 + "\N{GRINNING FACE}")), *STEPS["answer"]]
    raw = json.dumps({"model": "m", "max_tokens": 9, "messages": turns}, ensure_ascii=False).encode()
    request = AnthropicClient().parse(raw, {})
    known = known_turns(request, request.body, target())
    assert known is not None
    assert request.beginning is not None
    assert sys.getsizeof(known.messages.text) < request.beginning.weight / 3


@pytest.mark.parametrize("step", ["image", "lost", "unfit", "blank"])
def test_a_beginning_that_is_not_plain_is_not_kept(step: str) -> None:
    client, place = AnthropicClient(), target()
    for steps in ((step, "answer"), (step, "answer", "answer")):
        request = client.parse(body(*steps), {})
        assert request.beginning is not None
        assert known_turns(request, request.body, place) is None


def test_turns_that_were_put_in_the_place_of_others_are_written() -> None:
    client = AnthropicClient()
    request = client.parse(body("answer", "answer"), {})
    other = {**request.body, "messages": [user(text("x")), *request.body["messages"][1:]]}
    same = {**request.body, "messages": json.loads(body("answer", "answer"))["messages"]}
    assert known_turns(request, other, target()) is None
    assert known_turns(request, same, target()) is not None
    assert known_turns(request, {"messages": request.body["messages"][:3]}, target()) is None


def test_a_body_that_only_the_slow_writer_takes_is_whole() -> None:
    """Tools stand one level deeper in the form of the provider than in that of the client."""
    nested: dict[str, Any] = {}
    for _ in range(249):
        nested = {"a": nested}
    tools = [{"name": "deep", "input_schema": {"type": "object", "properties": nested}}]
    client, place = AnthropicClient(), target()
    raw = body("answer", "answer", tools=tools)
    told: list[object] = []
    for one in (client, client, AnthropicClient()):
        try:
            told.append(json.loads(made(one, raw, place).body))
        except ApiError as error:
            told.append(error.message)
    assert told[0] == told[1] == told[2]
    assert isinstance(told[0], dict)
    assert [message["role"] for message in told[0]["messages"]] == ["user", "assistant"] * 2 + ["user"]
