"""Tools in Converse's words: it can be told that the model must call one, or which, but not that it may call none."""

from collections.abc import Mapping, Set

from ucr.dialects.openai_chat import tools as chat
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import blocks_of, objects_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject


def write_tools(
    body: JsonObject, tools: chat.Tools, names: Mapping[str, str], target: Target, notes: Notes
) -> JsonObject:
    """Return `toolConfig`; nothing at all when no tool is left and none was called.

    Bedrock refuses a conversation with calls when no tool is offered, so that those which were called then are, and
    also where none may be called.
    """
    called = _called(body) if not tools or _is_none(body) else set()
    if _is_none(body):
        tools = {name: tool for name, tool in tools.items() if called}
    fields = chat.write_tools(body, tools, names, target, notes)
    listed: list[JsonObject] = []
    for tool in fields.get("tools", ()):
        listed.append(_tool(tool["function"]))
        if "cache_control" in tool:
            listed.append({"cachePoint": {"type": "default"}})
    if not listed and called:
        notes.add("offered the tools that were called")
        listed = [_tool({"name": names.get(name, name)}) for name in sorted(called)]
    if not listed:
        return {}
    return {"toolConfig": {"tools": listed, **_choice(fields.get("tool_choice"))}}


def _called(body: JsonObject) -> Set[str]:
    blocks = (block for turn in objects_of(body.get("messages")) for block in blocks_of(turn.get("content")))
    return {
        name for block in blocks if block["type"] == "tool_use" and isinstance(name := block.get("name"), str)
    }


def _is_none(body: JsonObject) -> bool:
    choice = body.get("tool_choice")
    return isinstance(choice, dict) and choice.get("type") == "none"


def _choice(choice: object) -> JsonObject:
    match choice:
        case {"function": {"name": str(name)}}:
            return {"toolChoice": {"tool": {"name": name}}}
        case "required" | "any":
            return {"toolChoice": {"any": {}}}
        case "auto":
            return {"toolChoice": {"auto": {}}}
        case _:
            return {}


def _tool(function: JsonObject) -> JsonObject:
    spec: JsonObject = {"name": function["name"]}
    if description := function.get("description"):
        spec["description"] = description
    spec["inputSchema"] = {"json": function.get("parameters") or {"type": "object", "properties": {}}}
    if function.get("strict") is True:
        spec["strict"] = True
    return {"toolSpec": spec}
