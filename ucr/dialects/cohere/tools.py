"""Tools in Cohere's words: it can be told that a tool must be called, or that none may, and nothing else."""

from collections.abc import Mapping

from ucr.dialects.openai_chat import tools as chat
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject


def write_tools(
    body: JsonObject, tools: chat.Tools, names: Mapping[str, str], target: Target, notes: Notes
) -> JsonObject:
    """Return `tools` and `tool_choice`; nothing at all when no tool is left.

    The choice of one tool is offering that one alone and saying that a tool must be called.
    """
    fields = chat.write_tools(body, tools, names, target, notes)
    if not fields:
        return {}
    written = [_tool(tool) for tool in fields["tools"]]
    match fields.get("tool_choice"):
        case {"function": {"name": str(name)}}:
            alone = [tool for tool in written if tool["function"]["name"] == name]
            return {"tools": alone, "tool_choice": "REQUIRED"}
        case "required" | "any":
            return {"tools": written, "tool_choice": "REQUIRED"}
        case "none":
            return {"tools": written, "tool_choice": "NONE"}
        case _:
            return {"tools": written}


def _tool(tool: JsonObject) -> JsonObject:
    """Parameters may not be missing, and `strict` is not a property of one tool."""
    function = {key: value for key, value in tool["function"].items() if key != "strict"}
    function.setdefault("parameters", {"type": "object", "properties": {}})
    return {"type": "function", "function": function}
