"""Server tools as functions that any model can call, in a canonical request."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ucr.bridges.asked import SEARCH, Asked, Kind, asked_of, kind_of
from ucr.jsontext import JsonObject

_SAYS: Mapping[Kind, str] = MappingProxyType(
    {
        "web_search": "Search the web. Returns titles, addresses and excerpts of the pages found.",
        "web_fetch": "Read a page of the web. The address must stand in the conversation, or in what a search found.",
    }
)
_ARGUMENT: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        "web_search": ("query", "What to search for."),
        "web_fetch": ("url", "The address of the page, beginning with http:// or https://."),
    }
)


def argument_of(kind: Kind) -> str:
    """Return the name of a tool's only argument."""
    return _ARGUMENT[kind][0]


def offered(body: JsonObject, asked: Sequence[Asked]) -> JsonObject:
    """Return a request in which these tools are functions."""
    functions = {tool.name: _function(tool) for tool in asked}
    kept = [tool for tool in _tools(body) if kind_of(tool) is None or tool.get("name") not in functions]
    return {**body, "tools": [*kept, *functions.values()]}


def freed(body: JsonObject) -> JsonObject:
    """Return a request whose model need not call a tool: one that must would call it for ever."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or choice.get("type") not in ("any", "tool"):
        return body
    kept = {key: value for key, value in choice.items() if key == "disable_parallel_tool_use"}
    return {**body, "tool_choice": {"type": "auto", **kept}}


def ended(body: JsonObject, asked: Sequence[Asked]) -> JsonObject:
    """Return a request whose model can call these functions no more, and so has to answer."""
    names = {tool.name for tool in asked}
    kept = [tool for tool in _tools(body) if tool.get("name") not in names]
    return {**body, "tools": kept} if kept else {**body, "tool_choice": {"type": "none"}}


def without_searches(body: JsonObject) -> JsonObject:
    """Return a Responses request without the searches that the router runs, and without a choice of theirs."""
    if not any(tool.kind == SEARCH for tool in asked_of(body.get("tools"))):
        return body
    rest = [tool for tool in body["tools"] if kind_of(tool) != SEARCH]
    is_theirs = not rest or kind_of(body.get("tool_choice")) == SEARCH
    return {**body, "tools": rest, **({"tool_choice": "auto"} if is_theirs else {})}


def with_searches(body: JsonObject, given: JsonObject, search: Mapping[str, str]) -> JsonObject:
    """Return the translation of a Responses request with the searches that it has been made without."""
    wanted = [dict(search) | _limits(tool) for tool in asked_of(given.get("tools")) if tool.kind == SEARCH]
    names = {tool.get("name") for tool in _tools(body)}
    missing = [tool for tool in wanted if tool["name"] not in names]
    if not missing:
        return body
    return {**body, **_chosen(given.get("tool_choice"), body, search), "tools": [*_tools(body), *missing]}


def _chosen(choice: Any, body: JsonObject, search: Mapping[str, str]) -> JsonObject:
    """Return the choice of a search, or that of any tool where there is no other."""
    if kind_of(choice) == SEARCH:
        made: JsonObject = {"type": "tool", "name": search["name"]}
    elif choice in ("required", "none") and not _tools(body):
        made = {"type": "any" if choice == "required" else "none"}
    else:
        return {}
    parallel = (body.get("tool_choice") or {}).get("disable_parallel_tool_use")
    return {"tool_choice": {**made, **({"disable_parallel_tool_use": True} if parallel else {})}}


def _limits(tool: Asked) -> JsonObject:
    return {"allowed_domains": list(tool.allowed)} if tool.allowed else {}


def _tools(body: JsonObject) -> list[JsonObject]:
    tools = body.get("tools")
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def _function(tool: Asked) -> JsonObject:
    name, says = _ARGUMENT[tool.kind]
    limits = [_SAYS[tool.kind]]
    if tool.allowed:
        limits.append(f"Only these sites can be reached: {', '.join(tool.allowed)}.")
    if tool.blocked:
        limits.append(f"These sites cannot be reached: {', '.join(tool.blocked)}.")
    return {
        "name": tool.name,
        "description": " ".join(limits),
        "input_schema": {
            "type": "object",
            "properties": {name: {"type": "string", "description": says}},
            "required": [name],
        },
    }
