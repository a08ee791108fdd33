"""The messages of a chat as canonical turns.

Leading system and developer messages become the system prompt; later ones stay where they are. The answers of
tools stand, as the Anthropic API wants it, in one user turn, before what the user says next.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ucr.dialects.openai_chat import client_layout
from ucr.dialects.openai_chat.client_calls import CallIds, function_id, tool_uses
from ucr.dialects.openai_chat.client_parts import (
    ASSISTANT_PARTS,
    SYSTEM_PARTS,
    USER_PARTS,
    blocks,
    tool_content,
)
from ucr.dialects.openai_chat.client_shape import name, object_, shown, wrong
from ucr.jsontext import JsonObject

EMPTY_TURN = "(no content)"
"""What stands for a user turn without content, which chat completions take and the Anthropic API does not."""


class Turns:
    """Reads messages in order; `system` and `turns` are the result once `close` was called."""

    def __init__(self, notes: list[str]) -> None:
        self.system: list[JsonObject] = []
        self.turns: list[JsonObject] = []
        self._notes = notes
        self._ids = CallIds()
        self._results: list[JsonObject] = []

    def read(self, message: Any, path: str) -> None:
        """Take the next message; raise `ApiError` 400 for what cannot be one."""
        role = object_(message, path).get("role")
        reader = self._READERS.get(role) if isinstance(role, str) else None
        if reader is None:
            raise wrong(f"{path}.role", f"expected one of {', '.join(self._READERS)}, not {shown(role)}")
        if role not in ("tool", "function", "user"):
            self._flush_results()
        reader(self, message, path)

    def close(self) -> None:
        """Finish: results without a user message after them, and what `finished` sees to."""
        self._flush_results()
        self.system, self.turns = finished(self.system, self.turns, self._notes)

    def _flush_results(self) -> None:
        if self._results:
            self.turns.append({"role": "user", "content": self._results})
            self._results = []

    def _read_system(self, message: JsonObject, path: str) -> None:
        found = blocks(message.get("content"), f"{path}.content", SYSTEM_PARTS)
        if not self.turns:
            self.system += found
        elif found:
            self.turns.append({"role": "system", "content": found})

    def _read_user(self, message: JsonObject, path: str) -> None:
        self._note_name(message)
        found = blocks(message.get("content"), f"{path}.content", USER_PARTS)
        content = [*self._results, *found] or [{"type": "text", "text": EMPTY_TURN}]
        self._results = []
        self.turns.append({"role": "user", "content": content})

    def _read_tool(self, message: JsonObject, path: str) -> None:
        given = name(message.get("tool_call_id"), f"{path}.tool_call_id")
        self._add_result(given, message, path)

    def _read_function(self, message: JsonObject, path: str) -> None:
        self._add_result(function_id(name(message.get("name"), f"{path}.name")), message, path)

    def _add_result(self, given: str, message: JsonObject, path: str) -> None:
        content = tool_content(message.get("content"), f"{path}.content")
        result = {"type": "tool_result", "tool_use_id": self._ids.result(given)}
        self._results.append(result if content is None else {**result, "content": content})

    def _read_assistant(self, message: JsonObject, path: str) -> None:
        self._note_name(message)
        self._ids.new_turn()
        texts = _assistant_texts(message, path)
        calls = tool_uses(message, path, self._ids, self._notes)
        content = self._with_thinking(message, texts, calls)
        if message.get("audio") is not None:
            self._notes.append("audio of earlier answers was dropped")
        if content:
            self.turns.append({"role": "assistant", "content": content})

    def _with_thinking(
        self, message: JsonObject, texts: list[JsonObject], calls: list[JsonObject]
    ) -> list[JsonObject]:
        """Return the blocks of an assistant turn, with such thinking as is intact and signed."""
        reasoning = message.get("reasoning_content")
        packed = message.get(client_layout.FIELD)
        thought = reasoning if isinstance(reasoning, str) else ""
        restored = None if packed is None else client_layout.restore(packed, thought, texts, calls)
        if restored is not None:
            return restored
        if thought or packed is not None:
            self._notes.append("earlier reasoning without its intact signature was dropped")
        return [*texts, *calls]

    def _note_name(self, message: JsonObject) -> None:
        if message.get("name") is not None:
            self._notes.append("names of participants were dropped")

    _READERS: ClassVar[Mapping[str, Callable[["Turns", JsonObject, str], None]]] = MappingProxyType(
        {
            "system": _read_system,
            "developer": _read_system,
            "user": _read_user,
            "assistant": _read_assistant,
            "tool": _read_tool,
            "function": _read_function,
        }
    )


def finished(
    system: list[JsonObject], turns: list[JsonObject], notes: list[str]
) -> tuple[list[JsonObject], list[JsonObject]]:
    """Return system prompt and turns as they can be sent: a system prompt alone, and a prefill, are changed."""
    if not turns and system:
        notes.append("the system message was sent as the user turn because there was no other")
        return [], [{"role": "user", "content": system}]
    if turns and turns[-1]["role"] == "assistant":
        return system, [*turns[:-1], _trimmed(turns[-1])]
    return system, turns


def _trimmed(turn: JsonObject) -> JsonObject:
    """Cut blanks off the end of a last assistant turn: the Anthropic API refuses them."""
    *before, last = turn["content"]
    if last["type"] != "text":
        return turn
    return {**turn, "content": [*before, {**last, "text": last["text"].rstrip()}]}


def _assistant_texts(message: JsonObject, path: str) -> list[JsonObject]:
    content = message.get("content")
    texts = [] if content is None else blocks(content, f"{path}.content", ASSISTANT_PARTS)
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        texts.append({"type": "text", "text": refusal})
    return texts
