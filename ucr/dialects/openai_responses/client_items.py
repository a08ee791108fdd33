"""The input of a Responses request as canonical turns.

Items stand one after the other; what the assistant said, thought and called in a row is one turn, and the outputs of
tools stand in one turn of the user, before what the user says next.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ucr.dialects.openai_chat.client_calls import CallIds, arguments
from ucr.dialects.openai_chat.client_shape import array, name, object_, shown, text, wrong
from ucr.dialects.openai_chat.client_turns import EMPTY_TURN, finished
from ucr.dialects.openai_responses import client_reasoning
from ucr.dialects.openai_responses.client_parts import ASSISTANT, SYSTEM, USER, blocks, output_content
from ucr.dialects.openai_responses.client_tools import full_name
from ucr.jsontext import JsonObject

_NOT_KEPT = "UCR keeps no responses; send the whole item instead of its id"
_DROPPED = "items of tools that run at the provider were dropped"


class Items:
    """Reads items in order; `system` and `turns` are the result once `close` was called."""

    def __init__(self, notes: list[str]) -> None:
        self.system: list[JsonObject] = []
        self.turns: list[JsonObject] = []
        self._notes = notes
        self._ids = CallIds()
        self._said: list[JsonObject] = []
        self._results: list[JsonObject] = []

    def instruct(self, words: Any, path: str) -> None:
        """Take the instructions, which stand before everything else."""
        self.system += blocks(words, path, SYSTEM)

    def read_all(self, given: Any, path: str) -> None:
        """Take the input: a text of the user, or items; raise `ApiError` 400 for what cannot be either."""
        if isinstance(given, str):
            given = [{"role": "user", "content": given}]
        for index, item in enumerate(array(given, path)):
            self._read(object_(item, f"{path}[{index}]"), f"{path}[{index}]")
        self._flush_said()
        self._flush_results()
        self.system, self.turns = finished(self.system, self.turns, self._notes)

    def _read(self, item: JsonObject, path: str) -> None:
        kind = item.get("type", "message")
        reader = self._READERS.get(kind) if isinstance(kind, str) else None
        if reader is not None:
            reader(self, item, path)
        elif isinstance(kind, str) and kind:
            self._notes.append(_DROPPED)
        else:
            raise wrong(f"{path}.type", f"expected the type of an item, not {shown(kind)}")

    def _flush_said(self) -> None:
        if self._said:
            self.turns.append({"role": "assistant", "content": self._said})
            self._said = []

    def _flush_results(self) -> None:
        if self._results:
            self.turns.append({"role": "user", "content": self._results})
            self._results = []

    def _say(self, found: list[JsonObject]) -> None:
        """Add to the assistant's turn; the first block of a turn begins it."""
        self._flush_results()
        self._said += found

    def _message(self, item: JsonObject, path: str) -> None:
        content, where = item.get("content"), f"{path}.content"
        match item.get("role"):
            case "user":
                self._flush_said()
                found = [*self._results, *blocks(content, where, USER)]
                self._results = []
                self.turns.append({"role": "user", "content": found or [{"type": "text", "text": EMPTY_TURN}]})
            case "assistant":
                self._say(blocks(content, where, ASSISTANT))
            case "system" | "developer":
                self._system(blocks(content, where, SYSTEM))
            case other:
                roles = "user, assistant, system, developer"
                raise wrong(f"{path}.role", f"expected one of {roles}, not {shown(other)}")

    def _system(self, found: list[JsonObject]) -> None:
        self._flush_said()
        self._flush_results()
        if not self.turns:
            self.system += found
        elif found:
            self.turns.append({"role": "system", "content": found})

    def _reasoning(self, item: JsonObject, path: str) -> None:
        self._say(client_reasoning.blocks_of(item, self._notes))

    def _function_call(self, item: JsonObject, path: str) -> None:
        self._call(item, path, arguments(item.get("arguments"), self._notes))

    def _custom_call(self, item: JsonObject, path: str) -> None:
        self._call(item, path, {"input": text(item.get("input"), f"{path}.input")})

    def _call(self, item: JsonObject, path: str, given: JsonObject) -> None:
        if not self._said:
            self._ids.new_turn()
        id_ = self._ids.call(name(item.get("call_id"), f"{path}.call_id"))
        called = full_name(name(item.get("name"), f"{path}.name"), item.get("namespace"))
        self._say([{"type": "tool_use", "id": id_, "name": called, "input": given}])

    def _output(self, item: JsonObject, path: str) -> None:
        self._flush_said()
        id_ = self._ids.result(name(item.get("call_id"), f"{path}.call_id"))
        content = output_content(item.get("output"), f"{path}.output")
        result = {"type": "tool_result", "tool_use_id": id_}
        self._results.append(result if content is None else {**result, "content": content})

    def _reference(self, item: JsonObject, path: str) -> None:
        raise wrong(path, _NOT_KEPT)

    _READERS: ClassVar[Mapping[str, Callable[["Items", JsonObject, str], None]]] = MappingProxyType(
        {
            "message": _message,
            "reasoning": _reasoning,
            "function_call": _function_call,
            "custom_tool_call": _custom_call,
            "function_call_output": _output,
            "custom_tool_call_output": _output,
            "item_reference": _reference,
        }
    )
