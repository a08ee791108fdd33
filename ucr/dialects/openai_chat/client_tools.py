"""The tools of a chat request, and which of them the model may or must call."""

from typing import Any

from ucr.dialects.openai_chat.client_shape import array, flag, name, object_, shown, text, wrong
from ucr.jsontext import JsonObject


def tools(body: JsonObject, notes: list[str]) -> list[JsonObject]:
    """Return the client tools, those of the older `functions` field included."""
    given = body.get("tools")
    found = [
        _tool(object_(tool, f"tools[{index}]"), f"tools[{index}]", notes)
        for index, tool in enumerate(array([] if given is None else given, "tools"))
    ]
    functions = body.get("functions")
    if functions:
        notes.append("functions are answered as tool_calls")
    for index, function in enumerate(array([] if functions is None else functions, "functions")):
        found.append(function_tool(object_(function, f"functions[{index}]"), f"functions[{index}]"))
    return found


def _tool(tool: JsonObject, path: str, notes: list[str]) -> JsonObject:
    match tool.get("type"):
        case "function" | None:
            made = function_tool(object_(tool.get("function"), f"{path}.function"), f"{path}.function")
        case "custom":
            notes.append("custom tools were sent as functions whose only argument is input")
            made = custom_tool(object_(tool.get("custom"), f"{path}.custom"), f"{path}.custom")
        case other:
            raise wrong(f"{path}.type", f"expected 'function' or 'custom', not {shown(other)}")
    mark = tool.get("cache_control")
    return {**made, "cache_control": mark} if isinstance(mark, dict) else made


def function_tool(function: JsonObject, path: str) -> JsonObject:
    """Return a function as a canonical tool."""
    made: JsonObject = {"name": name(function.get("name"), f"{path}.name")}
    if function.get("description") is not None:
        made["description"] = text(function["description"], f"{path}.description")
    given = function.get("parameters")
    parameters = {} if given is None else object_(given, f"{path}.parameters")
    made["input_schema"] = {"type": "object", **({} if parameters else {"properties": {}}), **parameters}
    if flag(function.get("strict"), f"{path}.strict"):
        made["strict"] = True
    return made


def custom_tool(custom: JsonObject, path: str) -> JsonObject:
    """Make a function of a tool that takes free text; a grammar is told in words, as nothing can enforce it."""
    described = custom.get("description")
    words = [] if described is None else [text(described, f"{path}.description")]
    words += _grammar_words(custom.get("format"))
    schema = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    made = {"name": name(custom.get("name"), f"{path}.name"), "input_schema": schema}
    return {**made, "description": "\n\n".join(words)} if words else made


def _grammar_words(given: Any) -> list[str]:
    match given:
        case {"type": "grammar", "grammar": {"syntax": str(syntax), "definition": str(definition)}}:
            return [f"The input must follow this {syntax} grammar:\n{definition}"]
        case _:
            return []


def choose(body: JsonObject, offered: list[JsonObject]) -> tuple[list[JsonObject], JsonObject | None]:
    """Return the tools that the model may use and the canonical tool_choice, None for the default."""
    path = "tool_choice" if body.get("tool_choice") is not None else "function_call"
    given = body.get(path)
    if not offered:
        if given not in (None, "auto", "none"):
            raise wrong(path, "a call is asked for, but there are no tools")
        return [], None
    offered, choice = _choice(given, path, offered)
    parallel = body.get("parallel_tool_calls")
    if parallel is None or flag(parallel, "parallel_tool_calls") or (choice or {}).get("type") == "none":
        return offered, choice
    return offered, {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}


def _choice(given: Any, path: str, offered: list[JsonObject]) -> tuple[list[JsonObject], JsonObject | None]:
    match given:
        case None:
            return offered, None
        case "auto" | "none":
            return offered, {"type": given}
        case "required":
            return offered, {"type": "any"}
        case {"type": "allowed_tools"}:
            return _allowed(object_(given.get("allowed_tools"), f"{path}.allowed_tools"), offered)
        case {"type": "function" | "custom" as kind}:
            named = object_(given.get(kind), f"{path}.{kind}")
            return offered, _named(named.get("name"), f"{path}.{kind}.name", offered)
        case {"name": called}:
            return offered, _named(called, f"{path}.name", offered)
        case _:
            raise wrong(path, f"expected none, auto, required or the choice of a tool, not {shown(given)}")


def _named(called: Any, path: str, offered: list[JsonObject]) -> JsonObject:
    wanted = name(called, path)
    if all(tool["name"] != wanted for tool in offered):
        raise wrong(path, f"there is no tool {shown(wanted)}")
    return {"type": "tool", "name": wanted}


def _allowed(allowed: JsonObject, offered: list[JsonObject]) -> tuple[list[JsonObject], JsonObject]:
    """Leave out the tools that are not allowed now: the canonical form cannot offer a tool and forbid it."""
    path = "tool_choice.allowed_tools"
    mode = allowed.get("mode")
    if mode not in ("auto", "required"):
        raise wrong(f"{path}.mode", f"expected auto or required, not {shown(mode)}")
    names = {
        _allowed_name(object_(tool, f"{path}.tools[{index}]"), f"{path}.tools[{index}]")
        for index, tool in enumerate(array(allowed.get("tools"), f"{path}.tools"))
    }
    kept = [tool for tool in offered if tool["name"] in names]
    if not kept:
        raise wrong(f"{path}.tools", "none of the tools offered is allowed")
    return kept, {"type": "auto" if mode == "auto" else "any"}


def _allowed_name(tool: JsonObject, path: str) -> str:
    kind = "custom" if tool.get("type") == "custom" else "function"
    inner = tool.get(kind)
    if isinstance(inner, dict):
        return name(inner.get("name"), f"{path}.{kind}.name")
    return name(tool.get("name"), f"{path}.name")
