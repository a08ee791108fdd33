"""Shortcuts of the tests of chat-completions requests: a target from the catalogue, and the built JSON."""

import json
from pathlib import Path
from typing import Any

from ucr.catalogue import row
from ucr.dialects.openai_chat.build import build
from ucr.dialects.roles import Canonical, Outgoing, Request, Target
from ucr.quirks import Quirks

TESTS = Path(__file__).parent.parent
CAPTURES = TESTS / "fixtures" / "captures" / "claude_code"

WEATHER = {
    "name": "get_weather",
    "description": "Look up the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def target(provider: str = "local", model: str = "gpt-x", **changes: Any) -> Target:
    """A target with the provider's catalogue quirks; an unknown provider has the defaults."""
    known = row(provider)
    quirks = known.quirks if known else Quirks()
    return Target(provider, model, known.base_url if known else "http://127.0.0.1:9", quirks.with_(changes))


def outgoing(
    body: dict[str, Any], to: Target | None = None, *, stream: bool = False, **headers: str
) -> Outgoing:
    request = Request(
        dialect="anthropic",
        raw=b"",
        body=body,
        model=str(body.get("model", "claude-opus-5-5")),
        stream=stream,
        headers=headers,
    )
    return build(Canonical(body), request, to or target())


def built(body: dict[str, Any], to: Target | None = None, *, stream: bool = False) -> dict[str, Any]:
    """The JSON that a provider would get."""
    result: dict[str, Any] = json.loads(outgoing(body, to, stream=stream).body)
    return result


def messages(turns: list[Any], to: Target | None = None, **fields: Any) -> list[dict[str, Any]]:
    """The messages that a conversation becomes."""
    found: list[dict[str, Any]] = built({"messages": turns, **fields}, to)["messages"]
    return found


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if content and isinstance(content[0], str) else [*content]}


def assistant(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def call(id_: str, name: str = "get_weather", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


def result(id_: str, *content: Any, **more: Any) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": id_, **more}
    if content:
        block["content"] = content[0] if isinstance(content[0], str) else [*content]
    return block


def said(id_: str, name: str = "get_weather", arguments: str = "{}") -> dict[str, Any]:
    """A call as chat completions write it."""
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def answered(id_: str, content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def capture(name: str) -> dict[str, Any]:
    """A recorded body of Claude Code, with schemas put where the recording left them out."""
    body: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_bytes())["body"]
    body["tools"] = [_whole(tool) for tool in body.get("tools", [])]
    return body


def _whole(tool: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in tool.items() if key != "keys"}
    if "type" in kept:
        return kept
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
        "additionalProperties": False,
    }
    return {**kept, "description": f"The tool {kept['name']}.", "input_schema": schema}
