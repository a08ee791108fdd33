"""The tool calls of a chat history as tool_use blocks, and the ids that tie results to them."""

import hashlib
import re
from typing import Any

from ucr import jsontext
from ucr.dialects.openai_chat.client_shape import array, name, object_, shown, text, wrong
from ucr.jsontext import JsonError, JsonObject

_VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BAD_ARGUMENTS = "tool arguments that are not a JSON object were sent as {}"


class CallIds:
    """Makes ids that every provider takes: letters, digits, `_` and `-`, and unique in the conversation.

    Some providers number their calls anew in each turn, so an id of the history may stand for several calls;
    a result belongs to the call of the latest turn, in order.
    """

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}
        self._open: dict[str, list[str]] = {}

    def new_turn(self) -> None:
        """Say that an assistant message begins: results that follow answer its calls and no earlier ones."""
        self._open.clear()

    def call(self, given: str) -> str:
        """Return the id of a new call that the client knows as `given`."""
        valid = _valid(given)
        uses = self._uses[valid] = self._uses.get(valid, 0) + 1
        unique = valid if uses == 1 else f"{valid[:48]}_{uses}-{_digest(valid)[:8]}"
        self._open.setdefault(given, []).append(unique)
        return unique

    def result(self, given: str) -> str:
        """Return the id of the call that a result for `given` answers."""
        waiting = self._open.get(given)
        if not waiting:
            return _valid(given)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


def _valid(given: str) -> str:
    return given if _VALID_ID.fullmatch(given) else f"call_{_digest(given)}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def tool_uses(message: JsonObject, path: str, ids: CallIds, notes: list[str]) -> list[JsonObject]:
    """Return the calls of an assistant message, those of the older `function_call` field included."""
    calls = message.get("tool_calls")
    uses = [
        _tool_use(object_(call, where), where, ids, notes)
        for index, call in enumerate(array(calls if calls is not None else [], f"{path}.tool_calls"))
        for where in [f"{path}.tool_calls[{index}]"]
    ]
    if message.get("function_call") is not None:
        function = object_(message["function_call"], f"{path}.function_call")
        uses.append(_function_use(function, f"{path}.function_call", ids, notes))
    return uses


def _tool_use(call: JsonObject, path: str, ids: CallIds, notes: list[str]) -> JsonObject:
    given = name(call.get("id"), f"{path}.id")
    match call.get("type"):
        case "function" | None:
            function = object_(call.get("function"), f"{path}.function")
            called = name(function.get("name"), f"{path}.function.name")
            given_input = arguments(function.get("arguments"), notes)
        case "custom":
            custom = object_(call.get("custom"), f"{path}.custom")
            called = name(custom.get("name"), f"{path}.custom.name")
            given_input = {"input": text(custom.get("input"), f"{path}.custom.input")}
        case other:
            raise wrong(f"{path}.type", f"expected 'function' or 'custom', not {shown(other)}")
    return {"type": "tool_use", "id": ids.call(given), "name": called, "input": given_input}


def _function_use(function: JsonObject, path: str, ids: CallIds, notes: list[str]) -> JsonObject:
    called = name(function.get("name"), f"{path}.name")
    given_input = arguments(function.get("arguments"), notes)
    return {"type": "tool_use", "id": ids.call(function_id(called)), "name": called, "input": given_input}


def function_id(called: str) -> str:
    """Return what ties a `function` message to its call: both have the function's name and no id."""
    return f"function:{called}"


def arguments(given: Any, notes: list[str]) -> JsonObject:
    """Read the arguments of a call: the text of a JSON object, or the object itself; `{}` for anything else.

    Models write arguments, and a history with broken ones must still go through.
    """
    if isinstance(given, dict):
        return given
    if given is None or (isinstance(given, str) and not given.strip()):
        return {}
    try:
        value = jsontext.loads_text(given) if isinstance(given, str) else None
    except JsonError:
        value = None
    if isinstance(value, dict):
        return value
    notes.append(_BAD_ARGUMENTS)
    return {}
