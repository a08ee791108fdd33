"""A body of which nearly everything is known is read as one of which nothing is."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat import assistant, capture, text, user
from tests.world.chat_client import client
from ucr.dialects.anthropic import typed, validate
from ucr.dialects.reading import LEAST_BYTES, Read, Reader, Shape
from ucr.errors import ApiError

LONG = "w" * LEAST_BYTES
MESSAGE = Shape(typed.is_plain, validate.check_each, "no JSON")
COUNT = Shape(
    partial(typed.is_plain, is_count=True), partial(validate.check_each, is_count=True), "no JSON of a count"
)


def raw(*more: dict[str, Any], **fields: Any) -> bytes:
    body = capture("tool-loop")
    turns = [user(text(LONG)), assistant(text("a")), *body["messages"][2:], *more]
    return json.dumps({**body, "messages": turns, **fields}).encode()


def test_tools_and_turns_that_are_known_are_not_read_again() -> None:
    reader = Reader()
    first = reader.read(raw(), MESSAGE)
    assert (first.body, first.tokens, first.places) == (json.loads(raw()), None, ())
    assert first.toolset is not None
    assert first.beginning is not None
    again = reader.read(raw(), MESSAGE)
    assert again.body == first.body
    assert (again.toolset, again.beginning) == (first.toolset, first.beginning)
    assert again.body["tools"] is first.toolset.tools
    assert again.body["messages"][0] is first.beginning.turns[0]
    assert again.tokens is not None
    assert "tools: 1 of" in repr(reader)
    assert "Beginnings: 1 of" in repr(reader)


def test_other_tools_in_a_known_conversation_are_known_from_then_on() -> None:
    reader = Reader()
    reader.read(raw(), MESSAGE)
    others = [{"name": "other", "description": LONG * 2, "input_schema": {"type": "object"}}]
    first = reader.read(raw(tools=others), MESSAGE)
    second = reader.read(raw(tools=others), MESSAGE)
    assert first.body == second.body == json.loads(raw(tools=others))
    assert second.toolset is first.toolset is not None


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("schema", "said", "count"),
    [("a", "b", 3), ("model", "b", 2), ("a", '"model":"x"', 3), ("model", "model", 2)],
)
def test_the_places_are_what_lies_between_what_is_known(
    is_first: bool, schema: str, said: str, count: int
) -> None:
    """A conversation says no key: its quotes are escaped. The schema of a tool may have one."""
    tools = [{"name": "t", "description": LONG * 2, "input_schema": {"type": "object", schema: "x"}}]
    turns = [
        user(text(LONG + said)),
        assistant(text("a")),
        user(text("q")),
        assistant(text("a")),
        user(text("q")),
    ]
    parts = {"tools": tools, "messages": turns} if is_first else {"messages": turns, "tools": tools}
    data = json.dumps({"model": "m", **parts, "max_tokens": 9}).encode()
    reader = Reader()
    places = [reader.read(data, MESSAGE).places for _ in range(2)][1]
    assert len(places) == count
    between = b"".join(data[start:end] for start, end in places)
    assert between.startswith(b'{"model": "m"')
    assert between.endswith(b'"max_tokens": 9}')
    assert (json.dumps(tools).encode() in between) is (count == 2)
    assert LONG.encode() not in between.replace(json.dumps(tools).encode(), b"")


def test_a_short_body_is_not_kept() -> None:
    reader = Reader()
    short = json.dumps({"model": "m", "max_tokens": 1, "messages": [user("q"), assistant("a"), user("q")]})
    for _ in range(2):
        assert reader.read(short.encode(), MESSAGE) == Read(json.loads(short))


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": ["\0turns\0", user("q")], "other": {"messages": json.loads(raw())["messages"]}},
        {"tools": "\0tools\0", "other": {"tools": json.loads(raw())["tools"]}},
    ],
)
def test_a_mark_that_the_client_wrote_stands_for_nothing(changes: dict[str, Any]) -> None:
    """Its letters may be escaped, as what the reader itself writes is not."""
    reader = Reader()
    reader.read(raw(), MESSAGE)
    body = json.loads(raw()) | changes
    rest = {key: body.pop(key) for key in changes if key != "other"}
    forged = (
        json.dumps({**body, **rest}).replace("turns\\", "t\\u0075rns\\").replace("tools\\", "t\\u006fols\\")
    )
    assert json.loads(forged) == {**body, **rest}
    with pytest.raises(ApiError, match=next(iter(rest))):
        reader.read(forged.encode(), MESSAGE)


def test_a_nul_of_the_client_s_own_is_read() -> None:
    reader = Reader()
    told = [reader.read(raw(user("a\0b")), MESSAGE) for _ in range(3)]
    assert [one.body for one in told] == [json.loads(raw(user("a\0b")))] * 3


@pytest.mark.parametrize("is_count", [True, False])
def test_what_is_asked_of_a_body_is_asked_of_a_known_one(is_count: bool) -> None:
    reader = Reader()
    reader.read(raw(), MESSAGE)
    body = json.loads(raw())
    del body["max_tokens"]
    data = json.dumps(body).encode()
    if is_count:
        assert reader.read(data, COUNT).body == body
    else:
        with pytest.raises(ApiError, match="max_tokens: Field required"):
            reader.read(data, MESSAGE)


@pytest.mark.parametrize("data", [b"[" * 9, b'["\\u0000tools\\u0000"]', b"", b"{}", b"5"])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    reader = Reader()
    reader.read(raw(), MESSAGE)
    for padded in (data, data + b" " * LEAST_BYTES):
        with pytest.raises(ApiError):
            reader.read(padded, MESSAGE)


def test_a_conversation_of_chat_completions_goes_on_as_well() -> None:
    def chat(*more: dict[str, Any], model: str = "m", **fields: Any) -> bytes:
        called = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        messages = [
            {"role": "system", "content": LONG},
            {"role": "user", "content": [{"type": "text", "text": "q"}]},
            {"role": "assistant", "tool_calls": [called]},
            {"role": "tool", "tool_call_id": "t1", "content": "r"},
            *more,
        ]
        tools = [{"type": "function", "function": {"name": "f", "description": LONG * 2}}]
        return json.dumps({"model": model, "messages": messages, "tools": tools, **fields}).encode()

    speaker, more = client(), [{"role": "assistant", "content": "a"}, {"role": "user", "content": "q"}]
    for count in (1, 1, 2, 3):
        raw = chat(*more * count, stream=True)
        known, fresh = speaker.parse(raw, {}), client().parse(raw, {})
        assert known.body == fresh.body == json.loads(raw)
        assert known.beginning is not None
        assert known.beginning.turns == fresh.body["messages"][: 2 + 2 * count]
        assert known.toolset is not None
        assert speaker.canonical(known) == client().canonical(fresh)
        assert known.body == json.loads(raw)
    assert len(known.places) == 3


@pytest.mark.parametrize("tools", [[1], ["f" * 3000], [None]])
def test_tools_that_are_none_are_not_kept(tools: list[object]) -> None:
    """A client of chat completions is told of them where its request is translated, and not before."""
    speaker = client()
    for _ in range(2):
        request = speaker.parse(
            json.dumps({"model": LONG * 3, "messages": [user("q")], "tools": tools}).encode(), {}
        )
        assert request.toolset is None
        assert request.body["tools"] == tools


@given(
    orders=st.lists(
        st.permutations(["messages", "system", "tools", "metadata", "model"]), min_size=2, max_size=4
    ),
    within=st.sampled_from(["", "tools", "system", "messages"]),
    grown=st.integers(0, 2),
)
def test_a_body_is_read_alike_in_whatever_order_and_wherever_its_parts_stand_once_more(
    orders: list[list[str]], within: str, grown: int
) -> None:
    """What is known of one order is looked for in the next one at the same places first."""
    body = json.loads(raw())
    body |= {"system": [{"type": "text", "text": LONG * 2}], "metadata": {}}
    twice = {"type": "tool_use", "id": "t9", "name": "f", "input": {within: body.get(within)}}
    result = {"type": "tool_result", "tool_use_id": "t9", "content": "r"}
    reader = Reader()
    for number, order in enumerate(orders):
        more = [assistant(twice), user(result), assistant(text("a")), user(text("q"))] * grown * number
        asked = {**body, "messages": [*body["messages"], *more], "metadata": {"user_id": "u" * number}}
        data = json.dumps({**{key: asked[key] for key in order}, **asked}).encode()
        for _ in range(2):
            read = reader.read(data, MESSAGE)
            assert read.body == asked
            assert None not in (read.beginning, read.prompt, read.toolset)
            between = b"".join(data[start:end] for start, end in read.places or ((0, len(data)),))
            assert json.dumps({"model": asked["model"]}).encode()[1:-1] in between
