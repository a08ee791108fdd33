"""Tools, and which of them the model may or must use."""

from collections.abc import Mapping
from typing import TypeAlias

from ucr.dialects.openai_chat.native import native_function
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.notes import name as noted
from ucr.dialects.openai_chat.schema import is_strict, tool_parameters
from ucr.dialects.openai_chat.source import objects_of, text_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject, RawItems

PLACEHOLDER_TOOL = "DeferredToolPlaceholder"
"""A tool that Claude Code sends only to have one with `defer_loading`; it cannot be called."""


Tools: TypeAlias = Mapping[str, JsonObject]
"""The tools that reach the provider, as the client wrote them, by the client's names."""


def read_tools(body: JsonObject, target: Target, notes: Notes) -> Tools:
    """Choose the tools that the provider can be offered; what is left out is noted."""
    kept: dict[str, JsonObject] = {}
    if not body.get("tools"):
        return kept
    listed = objects_of(body["tools"])
    if listed and not target.quirks.tools:
        notes.add("dropped all tools")
        return kept
    for tool in listed:
        name = text_of(tool.get("name"))
        if not name or _is_placeholder(tool):
            continue
        if _is_function(tool):
            kept.setdefault(name, tool)
        else:
            notes.dropped(f"tool_{name}")
    limit = target.quirks.tools_limit
    if limit is not None and len(kept) > limit:
        notes.add(f"dropped {len(kept) - limit} tools beyond the first {limit}")
        kept = dict(list(kept.items())[:limit])
    return kept


def _is_placeholder(tool: JsonObject) -> bool:
    return tool.get("name") == PLACEHOLDER_TOOL and tool.get("defer_loading") is True


def _is_function(tool: JsonObject) -> bool:
    kind = text_of(tool.get("type"))
    is_custom = not kind or kind == "custom" or isinstance(tool.get("input_schema"), dict)
    return is_custom or native_function(kind) is not None


def names_used(body: JsonObject, tools: Tools) -> set[str]:
    """Return the names of all tools that are offered or were called."""
    return names_called(body.get("messages")).union(tools)


def names_called(turns: object) -> set[str]:
    """Return the names of the tools that were called in a conversation."""
    names: set[str] = set()
    for turn in turns if isinstance(turns, list) else ():
        content = turn.get("content") if isinstance(turn, dict) else None
        for block in content if isinstance(content, list) else ():
            if (
                isinstance(block, dict)
                and block.get("type") == "tool_use"
                and (name := text_of(block.get("name")))
            ):
                names.add(name)
    return names


def write_tools(
    body: JsonObject,
    tools: Tools,
    names: Mapping[str, str],
    target: Target,
    notes: Notes,
    known: RawItems | None = None,
) -> JsonObject:
    """Return `tools`, `tool_choice` and `parallel_tool_calls`; nothing at all when no tool is left.

    `known` is what was written of these tools before.
    """
    if not tools:
        return {}
    written = written_tools(tools, names, target, notes) if known is None else [known]
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return {"tools": written}
    fields: JsonObject = {"tools": written, "tool_choice": _choice(choice, tools, names, target, notes)}
    if choice.get("disable_parallel_tool_use") is True:
        if target.quirks.parallel_tool_calls:
            fields["parallel_tool_calls"] = False
        else:
            notes.dropped("disable_parallel_tool_use")
    return fields


def written_tools(tools: Tools, names: Mapping[str, str], target: Target, notes: Notes) -> list[JsonObject]:
    """Return each tool as a function."""
    return [_tool(tool, names[name], target, notes) for name, tool in tools.items()]


def _tool(tool: JsonObject, name: str, target: Target, notes: Notes) -> JsonObject:
    quirks = target.quirks
    known = native_function(text_of(tool.get("type"))) if "type" in tool else None
    schema = tool.get("input_schema", known and known["parameters"])
    function: JsonObject = {"name": name}
    description = tool.get("description", known and known["description"])
    if isinstance(description, str) and description:
        function["description"] = description
    function["parameters"] = tool_parameters(schema, plain=quirks.plain_schema)
    if tool.get("strict") is True and quirks.strict_tools:
        function["strict"] = is_strict(function["parameters"])
        if not function["strict"]:
            notes.add(f"not strict: {noted(name)}")
    written: JsonObject = {"type": "function", "function": function}
    if target.profile.caches and isinstance(tool.get("cache_control"), dict):
        written["cache_control"] = tool["cache_control"]
    return written


def _choice(
    choice: JsonObject, tools: Tools, names: Mapping[str, str], target: Target, notes: Notes
) -> str | JsonObject:
    match choice:
        case {"type": "none"}:
            return "none"
        case {"type": "any"}:
            return target.quirks.tool_choice_any
        case {"type": "tool", "name": str(name)} if name in tools:
            return {"type": "function", "function": {"name": names[name]}}
        case {"type": "tool", "name": str(name)}:
            notes.add(f"tool choice {noted(name)} is not offered: the model chooses")
            return "auto"
        case _:
            return "auto"
