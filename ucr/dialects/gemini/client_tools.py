"""The tools of a Gemini request, and which of them the model may or must call.

Gemini CLI searches the web by a request of its own with `googleSearch`; a provider that can search is asked to.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr.dialects.gemini.client_schema import json_schema
from ucr.dialects.gemini.client_shape import field
from ucr.dialects.openai_chat.client_shape import array, name, object_, shown, text, wrong
from ucr.dialects.openai_chat.notes import name as noted
from ucr.jsontext import JsonObject

_SEARCHES = ("googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval")
SEARCH: Mapping[str, str] = MappingProxyType({"type": "web_search_20250305", "name": "web_search"})


def tools(body: JsonObject, notes: list[str]) -> list[JsonObject]:
    """Return the functions that are declared, and a search of the web; other tools of Google's are dropped with a note."""
    given = body.get("tools")
    found: list[JsonObject] = []
    for index, tool in enumerate(array([] if given is None else given, "tools")):
        path = f"tools[{index}]"
        declared = field(object_(tool, path), "functionDeclarations")
        where = f"{path}.functionDeclarations"
        for place, function in enumerate(array([] if declared is None else declared, where)):
            found.append(_tool(object_(function, f"{where}[{place}]"), f"{where}[{place}]"))
        if any(isinstance(tool.get(name), dict) for name in _SEARCHES):
            found.append(dict(SEARCH))
        others = sorted(set(tool) - {"functionDeclarations", "function_declarations", *_SEARCHES})
        notes += [f"dropped tool {noted(other)}" for other in others if tool[other] is not None]
    return found


def _tool(function: JsonObject, path: str) -> JsonObject:
    made: JsonObject = {"name": name(function.get("name"), f"{path}.name")}
    if function.get("description") is not None:
        made["description"] = text(function["description"], f"{path}.description")
    schema = field(function, "parametersJsonSchema")
    if schema is None:
        given = function.get("parameters")
        where = f"{path}.parameters"
        schema = {} if given is None else json_schema(object_(given, where), where)
    parameters = object_(schema, f"{path}.parametersJsonSchema")
    made["input_schema"] = {**({} if parameters else {"properties": {}}), **parameters, "type": "object"}
    return made


def choose(body: JsonObject, offered: list[JsonObject]) -> tuple[list[JsonObject], JsonObject | None]:
    """Return the tools that the model may call and the canonical tool_choice, None for the default."""
    given = field(body, "toolConfig")
    config = field(object_(given, "toolConfig"), "functionCallingConfig") if given is not None else None
    if config is None or not offered:
        return offered, None
    path = "toolConfig.functionCallingConfig"
    calling = object_(config, path)
    allowed = field(calling, "allowedFunctionNames")
    names = [name(item, f"{path}.allowedFunctionNames") for item in array(allowed or [], path)]
    match calling.get("mode") or "AUTO":
        case "AUTO" | "MODE_UNSPECIFIED":
            return offered, {"type": "auto"}
        case "NONE":
            return offered, {"type": "none"}
        case "VALIDATED":
            return _allowed(offered, names, path), {"type": "auto"}
        case "ANY":
            return _forced(_allowed(offered, names, path), names)
        case other:
            raise wrong(f"{path}.mode", f"expected AUTO, ANY, NONE or VALIDATED, not {shown(other)}")


def _forced(offered: list[JsonObject], names: list[str]) -> tuple[list[JsonObject], JsonObject]:
    if len(names) == 1:
        return offered, {"type": "tool", "name": names[0]}
    return offered, {"type": "any"}


def _allowed(offered: list[JsonObject], names: list[str], path: str) -> list[Any]:
    """Leave out the tools that are not allowed now: the canonical form cannot offer a tool and forbid it."""
    kept = [tool for tool in offered if not names or tool["name"] in names]
    if not kept:
        raise wrong(f"{path}.allowedFunctionNames", "none of the functions declared is allowed")
    return kept
