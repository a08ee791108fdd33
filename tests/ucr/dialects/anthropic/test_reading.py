"""A body of which nearly everything is known is read as one of which nothing is."""

import json
from typing import Any

import pytest

from tests.world.chat import assistant, capture, text, user
from ucr.dialects.anthropic.reading import LEAST_BYTES, Reader
from ucr.errors import ApiError

LONG = "w" * LEAST_BYTES


def raw(*more: dict[str, Any], **fields: Any) -> bytes:
    body = capture("tool-loop")
    turns = [user(text(LONG)), assistant(text("a")), *body["messages"][2:], *more]
    return json.dumps({**body, "messages": turns, **fields}).encode()


def test_tools_and_turns_that_are_known_are_not_read_again() -> None:
    reader = Reader()
    body, tools, beginning, tokens = reader.read(raw(), is_count=False)
    assert (body, tokens) == (json.loads(raw()), None)
    assert tools is not None
    assert beginning is not None
    again, same_tools, same_beginning, tokens = reader.read(raw(), is_count=False)
    assert again == body
    assert (same_tools, same_beginning) == (tools, beginning)
    assert again["tools"] is tools.tools
    assert again["messages"][0] is beginning.turns[0]
    assert tokens is not None
    assert "Toolsets: 1 of" in repr(reader)
    assert "Beginnings: 1 of" in repr(reader)


def test_other_tools_in_a_known_conversation_are_known_from_then_on() -> None:
    reader = Reader()
    reader.read(raw(), is_count=False)
    others = [{"name": "other", "description": LONG * 2, "input_schema": {"type": "object"}}]
    first = reader.read(raw(tools=others), is_count=False)
    second = reader.read(raw(tools=others), is_count=False)
    assert first[0] == second[0] == json.loads(raw(tools=others))
    assert second[1] is first[1] is not None


def test_a_short_body_is_not_kept() -> None:
    reader = Reader()
    short = json.dumps({"model": "m", "max_tokens": 1, "messages": [user("q"), assistant("a"), user("q")]})
    for _ in range(2):
        assert reader.read(short.encode(), is_count=False) == (json.loads(short), None, None, None)


@pytest.mark.parametrize("is_count", [True, False])
def test_what_is_asked_of_a_body_is_asked_of_a_known_one(is_count: bool) -> None:
    reader = Reader()
    reader.read(raw(), is_count=False)
    body = json.loads(raw())
    del body["max_tokens"]
    data = json.dumps(body).encode()
    if is_count:
        assert reader.read(data, is_count=True)[0] == body
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
