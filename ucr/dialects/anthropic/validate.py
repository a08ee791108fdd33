"""The shape of a Messages request, checked field by field.

How this works: a check takes a value and raises `_Wrong`, which knows only what is wrong; each level that it
passes on its way out puts its own key or index before it. A request that is right builds no path at all. The
words are those of the API itself, the field's path first: Claude Code repairs its request by them. What the API
may have learned since (unknown fields, blocks, tools) passes. Nearly all requests are found right by `typed`, at a
fifth of the cost; only what does not pass there is looked at here.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ucr.dialects.anthropic import typed
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

Check = Callable[[Any], object]

_REQUIRED = "Field required"


class _Wrong(Exception):
    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        self.path: tuple[str | int, ...] = ()

    def under(self, key: str | int) -> "_Wrong":
        self.path = (key, *self.path)
        return self


def check(body: Any, *, is_count: bool = False) -> None:
    """Raise `ApiError` 400 for the first thing in a request that has not the shape it must have."""
    if not typed.is_plain(body, is_count=is_count):
        check_each(body, is_count=is_count)


def check_each(body: Any, *, is_count: bool = False) -> None:
    """Do as `check` does, looking at field after field."""
    try:
        _request(body, ("model", "messages") if is_count else ("model", "messages", "max_tokens"))
    except _Wrong as wrong:
        where = ".".join(str(key) for key in wrong.path) or "body"
        raise ApiError("invalid_request_error", f"{where}: {wrong.words}") from None


def _request(body: Any, required: tuple[str, ...]) -> None:
    _object(body)
    _fields(body, _REQUEST, required)


def _fields(value: JsonObject, checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> None:
    """Check the known fields of an object; one that may be left out may be null as well."""
    for key in required:
        if key not in value:
            raise _Wrong(_REQUIRED).under(key)
    for key, item in value.items():
        known = checks.get(key)
        if known is None or (item is None and key not in required):
            continue
        try:
            known(item)
        except _Wrong as wrong:
            raise wrong.under(key)


def _each(value: Any, one: Check) -> None:
    if not isinstance(value, list):
        raise _Wrong("Input should be a valid list")
    for index, item in enumerate(value):
        try:
            one(item)
        except _Wrong as wrong:
            raise wrong.under(index)


def _object(value: Any) -> None:
    if not isinstance(value, dict):
        raise _Wrong("Input should be a valid dictionary")


def _string(value: Any) -> None:
    if not isinstance(value, str):
        raise _Wrong("Input should be a valid string")


def _name(value: Any) -> None:
    _string(value)
    if not value:
        raise _Wrong("String should have at least 1 character")


def _boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise _Wrong("Input should be a valid boolean")


def _number(value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Wrong("Input should be a valid number")


def _count(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Wrong("Input should be a valid integer")
    if value < 0:
        raise _Wrong("Input should be greater than or equal to 0")


def _strings(value: Any) -> None:
    _each(value, _string)


def _typed(value: Any) -> None:
    """Check an object that says by `type` what it is; it must match the fields of a type we know."""
    _object(value)
    if "type" not in value:
        raise _Wrong(_REQUIRED).under("type")
    try:
        _string(value["type"])
    except _Wrong as wrong:
        raise wrong.under("type")


def _block(value: Any) -> None:
    _typed(value)
    known = _BLOCKS.get(value["type"])
    if known is not None:
        _fields(value, known[1], known[0])


def _content(value: Any) -> None:
    if not isinstance(value, str):
        _each(value, _block)


def _system(value: Any) -> None:
    if not isinstance(value, str):
        _each(value, _text_block)


def _text_block(value: Any) -> None:
    _typed(value)
    if value["type"] != "text":
        raise _Wrong("Input should be 'text'").under("type")
    _block(value)


def _role(value: Any) -> None:
    if value not in ("user", "assistant", "system"):
        raise _Wrong("Input should be 'user', 'assistant' or 'system'")


def _message(value: Any) -> None:
    _object(value)
    _fields(value, _MESSAGE, ("role", "content"))


def _messages(value: Any) -> None:
    _each(value, _message)
    if not value:
        raise _Wrong("at least one message is required")


def _tool(value: Any) -> None:
    """Check a tool: the client's own have a name; those of the API are known by their type alone."""
    _object(value)
    is_own = value.get("type") in (None, "custom")
    _fields(value, _TOOL, ("name",) if is_own else ("type",))


def _tool_choice(value: Any) -> None:
    _typed(value)
    _fields(value, _TOOL_CHOICE, ("name",) if value["type"] == "tool" else ())


def _thinking(value: Any) -> None:
    _typed(value)
    _fields(value, _THINKING, ("budget_tokens",) if value["type"] == "enabled" else ())


def _metadata(value: Any) -> None:
    _object(value)
    _fields(value, _METADATA)


def _output_config(value: Any) -> None:
    _object(value)
    _fields(value, _OUTPUT_CONFIG)


def _tools(value: Any) -> None:
    _each(value, _tool)


_SOURCED: Mapping[str, Check] = MappingProxyType({"source": _typed})
_BLOCKS: Mapping[str, tuple[tuple[str, ...], Mapping[str, Check]]] = MappingProxyType(
    {
        "text": (("text",), {"text": _string}),
        "image": (("source",), _SOURCED),
        "document": (("source",), {**_SOURCED, "title": _string, "context": _string}),
        "tool_use": (("id", "name", "input"), {"id": _name, "name": _name, "input": _object}),
        "tool_result": (("tool_use_id",), {"tool_use_id": _name, "content": _content, "is_error": _boolean}),
        "thinking": (("thinking",), {"thinking": _string, "signature": _string}),
        "redacted_thinking": (("data",), {"data": _string}),
    }
)
_MESSAGE: Mapping[str, Check] = MappingProxyType({"role": _role, "content": _content})
_TOOL: Mapping[str, Check] = MappingProxyType(
    {"type": _string, "name": _name, "description": _string, "input_schema": _object}
)
_TOOL_CHOICE: Mapping[str, Check] = MappingProxyType({"name": _name, "disable_parallel_tool_use": _boolean})
_THINKING: Mapping[str, Check] = MappingProxyType({"budget_tokens": _count})
_METADATA: Mapping[str, Check] = MappingProxyType({"user_id": _string})
_OUTPUT_CONFIG: Mapping[str, Check] = MappingProxyType({"effort": _string, "format": _typed})
_REQUEST: Mapping[str, Check] = MappingProxyType(
    {
        "model": _name,
        "messages": _messages,
        "max_tokens": _count,
        "system": _system,
        "tools": _tools,
        "tool_choice": _tool_choice,
        "thinking": _thinking,
        "output_config": _output_config,
        "metadata": _metadata,
        "stop_sequences": _strings,
        "stream": _boolean,
        "temperature": _number,
        "top_p": _number,
        "top_k": _count,
    }
)
