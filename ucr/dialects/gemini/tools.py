"""Tools as function declarations, and which of them the model may or must call."""

from collections.abc import Mapping
from types import MappingProxyType

from ucr.dialects.gemini.schema import declared
from ucr.dialects.openai_chat.native import native_function
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.notes import name as noted
from ucr.dialects.openai_chat.source import text_of
from ucr.dialects.openai_chat.tools import Tools
from ucr.jsontext import JsonObject

_MODES: Mapping[str, str] = MappingProxyType({"auto": "AUTO", "any": "ANY", "none": "NONE"})


def write_tools(body: JsonObject, tools: Tools, names: Mapping[str, str], notes: Notes) -> JsonObject:
    """Return `tools` and `toolConfig`; nothing at all when no tool is left."""
    if not tools:
        return {}
    declarations = [_declaration(tool, names[name], notes) for name, tool in tools.items()]
    written: JsonObject = {"tools": [{"functionDeclarations": declarations}]}
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return written
    if choice.get("disable_parallel_tool_use") is True:
        notes.dropped("disable_parallel_tool_use")
    return {**written, "toolConfig": {"functionCallingConfig": _choice(choice, tools, names, notes)}}


def _declaration(tool: JsonObject, name: str, notes: Notes) -> JsonObject:
    known = native_function(text_of(tool.get("type"))) if "type" in tool else None
    description = tool.get("description", known and known["description"])
    declaration: JsonObject = {"name": name}
    if isinstance(description, str) and description:
        declaration["description"] = description
    parameters, lost = declared(tool.get("input_schema", known and known["parameters"]))
    if lost:
        notes.add(f"schema of {noted(name)} without {' '.join(noted(word) for word in lost)}")
    return {**declaration, "parameters": parameters} if parameters else declaration


def _choice(choice: JsonObject, tools: Tools, names: Mapping[str, str], notes: Notes) -> JsonObject:
    match choice:
        case {"type": "tool", "name": str(name)} if name in tools:
            return {"mode": "ANY", "allowedFunctionNames": [names[name]]}
        case {"type": "tool", "name": str(name)}:
            notes.add(f"tool choice {noted(name)} is not offered: the model chooses")
            return {"mode": "AUTO"}
        case {"type": str(kind)}:
            return {"mode": _MODES.get(kind, "AUTO")}
        case _:
            return {"mode": "AUTO"}
