"""A body of which nearly everything is known is read as one of which nothing is."""

import json
from typing import Any

import pytest

from tests.world.chat import assistant, capture, text, user
from ucr.dialects.anthropic.reading import LEAST_BYTES, Read, Reader
from ucr.errors import ApiError

LONG = "w" * LEAST_BYTES


def raw(*more: dict[str, Any], **fields: Any) -> bytes:
    body = capture("tool-loop")
    turns = [user(text(LONG)), assistant(text("a")), *body["messages"][2:], *more]
    return json.dumps({**body, "messages": turns, **fields}).encode()


def test_tools_and_turns_that_are_known_are_not_read_again() -> None:
    reader = Reader()
    first = reader.read(raw(), is_count=False)
    assert (first.body, first.tokens, first.places) == (json.loads(raw()), None, ())
    assert first.toolset is not None
    assert first.beginning is not None
    again = reader.read(raw(), is_count=False)
    assert again.body == first.body
    assert (again.toolset, again.beginning) == (first.toolset, first.beginning)
    assert again.body["tools"] is first.toolset.tools
    assert again.body["messages"][0] is first.beginning.turns[0]
    assert again.tokens is not None
    assert "Toolsets: 1 of" in repr(reader)
    assert "Beginnings: 1 of" in repr(reader)


def test_other_tools_in_a_known_conversation_are_known_from_then_on() -> None:
    reader = Reader()
    reader.read(raw(), is_count=False)
    others = [{"name": "other", "description": LONG * 2, "input_schema": {"type": "object"}}]
    first = reader.read(raw(tools=others), is_count=False)
    second = reader.read(raw(tools=others), is_count=False)
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
    places = [reader.read(data, is_count=False).places for _ in range(2)][1]
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
        assert reader.read(short.encode(), is_count=False) == Read(json.loads(short))


@pytest.mark.parametrize("is_count", [True, False])
def test_what_is_asked_of_a_body_is_asked_of_a_known_one(is_count: bool) -> None:
    reader = Reader()
    reader.read(raw(), is_count=False)
    body = json.loads(raw())
    del body["max_tokens"]
    data = json.dumps(body).encode()
    if is_count:
        assert reader.read(data, is_count=True).body == body
    else:
        with pytest.raises(ApiError, match="max_tokens: Field required"):
            reader.read(data, is_count=False)


@pytest.mark.parametrize("data", [b"[" * 9, b'["\\u0000tools\\u0000"]', b"", b"{}", b"5"])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    reader = Reader()
    reader.read(raw(), is_count=False)
    for padded in (data, data + b" " * LEAST_BYTES):
        with pytest.raises(ApiError):
            reader.read(padded, is_count=False)
