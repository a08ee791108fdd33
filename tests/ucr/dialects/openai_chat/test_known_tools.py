"""Tools that are known are written once, and as those that are not."""

import json
import sys
from typing import Any

import pytest

from tests.world.chat import target
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.openai_chat.build import build
from ucr.dialects.openai_chat.known_tools import known_tools

SCHEMA = {"type": "object", "$schema": "x"}
LONG = "long " * 500


def raw(names: list[str], called: str, **fields: Any) -> bytes:
    tools = [{"name": name, "description": LONG, "input_schema": SCHEMA} for name in names]
    turns = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": called, "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "r"}]},
    ]
    return json.dumps({"model": "m", "max_tokens": 9, "messages": turns, "tools": tools, **fields}).encode()


@pytest.mark.parametrize("names", [["read", "write"], ["read file", "write"], ["read", "read"]])
@pytest.mark.parametrize("called", ["read", "another", "not fit"])
@pytest.mark.parametrize("choice", [None, {"type": "tool", "name": "write"}, {"type": "any"}])
@pytest.mark.parametrize("quirks", [{}, {"plain_schema": True}, {"tools": False}, {"tools_limit": 1}])
def test_known_tools_are_written_as_others(
    names: list[str], called: str, choice: object, quirks: dict[str, Any]
) -> None:
    client, place = AnthropicClient(), target(**quirks)
    body = raw(names, called, **({} if choice is None else {"tool_choice": choice}))
    fresh = AnthropicClient().parse(body, {})
    expected = build(AnthropicClient().canonical(fresh), fresh, place)
    for _ in range(3):
        request = client.parse(body, {})
        made = build(client.canonical(request), request, place)
        assert (made.body, made.notes, dict(made.context.names)) == (
            expected.body,
            expected.notes,
            dict(expected.context.names),
        )


def test_they_are_written_once_for_each_target() -> None:
    client, one, two = AnthropicClient(), target(), target()
    first, second = (client.parse(raw(["read"], "read", top_k=k), {}) for k in (1, 2))
    made = known_tools(first, first.body, one)
    assert made is not None
    assert known_tools(second, second.body, one) is made
    assert known_tools(second, second.body, two) is not made
    assert known_tools(second, {"tools": list(second.body["tools"])}, one) is None


def test_what_was_written_takes_a_byte_for_each_of_its_own() -> None:
    """A string of Python's would take four for each letter, for one that is beyond the others."""
    tools = [{"name": "t", "description": f"{LONG}\N{GRINNING FACE}", "input_schema": SCHEMA}]
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}], "tools": tools}
    request = AnthropicClient().parse(json.dumps(body, ensure_ascii=False).encode(), {})
    made = known_tools(request, request.body, target())
    assert made is not None
    assert sys.getsizeof(made.written.text) < 1.2 * len(LONG)


def test_tools_of_which_something_is_noted_are_written_anew() -> None:
    client = AnthropicClient()
    request = client.parse(raw(["read file"], "read"), {})
    assert known_tools(request, request.body, target()) is None
    assert known_tools(request, request.body, target()) is None
    assert request.toolset is not None
    assert request.toolset.made(target()) is None
