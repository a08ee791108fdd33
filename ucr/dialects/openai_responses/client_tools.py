"""The tools of a Responses request, and by which names their calls come back.

Beside functions there are custom tools, which take free text, and namespaces, which hold functions. A provider knows
functions only: a custom tool becomes one whose only argument is `input`, and a function in a namespace gets a name
that holds both. The call that comes back is written in the client's own way; what that is, is read from the request
again, so that nothing is kept here. Tools that would run at the provider are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from ucr.dialects.openai_chat import client_tools as chat
from ucr.dialects.openai_chat.client_shape import array, name, object_, shown, wrong
from ucr.jsontext import JsonObject

JOINT = "__"
_CUSTOM_NOTE = "custom tools were sent as functions whose only argument is input"
_HOSTED_NOTE = "tools that run at the provider or are none were dropped"


class Origin(Struct, frozen=True, gc=False):
    """What a call of a tool is to its client."""

    name: str
    namespace: str = ""
    is_custom: bool = False


def full_name(name_: str, namespace: object) -> str:
    """Return the name by which a provider knows a tool."""
    return f"{namespace}{JOINT}{name_}" if isinstance(namespace, str) and namespace else name_


def tools(body: JsonObject, notes: list[str]) -> list[JsonObject]:
    """Return the tools in the canonical form; raise `ApiError` 400 for one that is malformed."""
    given = body.get("tools")
    found: list[JsonObject] = []
    for index, tool in enumerate(array([] if given is None else given, "tools")):
        found += _tools(object_(tool, f"tools[{index}]"), f"tools[{index}]", "", notes)
    return found


def _tools(tool: JsonObject, path: str, namespace: str, notes: list[str]) -> Iterator[JsonObject]:
    match tool.get("type"):
        case "function":
            made = chat.function_tool(tool, path)
        case "custom":
            notes.append(_CUSTOM_NOTE)
            made = chat.custom_tool({**tool, "format": _grammar(tool.get("format"))}, path)
        case "namespace" if not namespace:
            outer = name(tool.get("name"), f"{path}.name")
            for index, inner in enumerate(array(tool.get("tools"), f"{path}.tools")):
                where = f"{path}.tools[{index}]"
                yield from _tools(object_(inner, where), where, outer, notes)
            return
        case str():
            notes.append(_HOSTED_NOTE)
            return
        case other:
            raise wrong(f"{path}.type", f"expected the type of a tool, not {shown(other)}")
    yield {**made, "name": full_name(made["name"], namespace)}


def _grammar(given: Any) -> Any:
    """Return the format of a custom tool as chat completions write it: with a grammar in an object of its own."""
    match given:
        case {"type": "grammar", "syntax": syntax, "definition": definition}:
            return {"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}}
        case _:
            return given


def origins(body: JsonObject) -> Mapping[str, Origin]:
    """Return what the calls of custom tools and of those in namespaces are to the client; a function is itself."""
    found: dict[str, Origin] = {}
    given = body.get("tools")
    for tool in given if isinstance(given, list) else ():
        match tool:
            case {"type": "custom", "name": str(called)}:
                found[called] = Origin(called, is_custom=True)
            case {"type": "namespace", "name": str(namespace), "tools": list(inner)}:
                found.update(_inner_origins(inner, namespace))
    return found


def _inner_origins(inner: list[Any], namespace: str) -> Iterator[tuple[str, Origin]]:
    for tool in inner:
        match tool:
            case {"type": "function" | "custom" as kind, "name": str(called)}:
                yield full_name(called, namespace), Origin(called, namespace, kind == "custom")


def choose(
    body: JsonObject, offered: list[JsonObject], notes: list[str]
) -> tuple[list[JsonObject], JsonObject | None]:
    """Return the tools that the model may use and the canonical tool_choice, None for the default."""
    given = body.get("tool_choice")
    match given:
        case {"type": "function" | "custom" as kind, "name": str(called), **rest}:
            given = {"type": kind, kind: {"name": full_name(called, rest.get("namespace"))}}
        case {"type": "allowed_tools", "mode": mode, "tools": list(allowed)}:
            kept = [tool for tool in allowed if not _is_hosted(tool)]
            given = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": kept}}
        case {"type": str()}:
            notes.append(_HOSTED_NOTE)
            given = "auto"
    if not offered and body.get("tools"):  # none of those that were asked for can be offered
        given = None
    parallel = body.get("parallel_tool_calls")
    return chat.choose({"tool_choice": given, "parallel_tool_calls": parallel}, offered)


def _is_hosted(tool: Any) -> bool:
    return isinstance(tool, dict) and tool.get("type") not in ("function", "custom")
