"""The contents of a Gemini request as canonical turns.

A call and its response belong together by their ids or, where a client leaves those out, by the name and the order
in the model's last content. Thinking comes back in the signatures of calls; see `client_thoughts`.
"""

import re
from typing import Any

from ucr.dialects import tool_ids
from ucr.dialects.gemini import client_thoughts
from ucr.dialects.gemini.client_parts import result_block, user_block
from ucr.dialects.gemini.client_shape import field
from ucr.dialects.openai_chat.client_shape import array, name, object_, shown, text, wrong
from ucr.jsontext import JsonObject

ROLES = ("user", "model", "function")
LOST_RESULT = "responses without a call were passed as text"

_VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Contents:
    """Reads contents in order into `turns`."""

    def __init__(self, notes: list[str]) -> None:
        self.turns: list[JsonObject] = []
        self._notes = notes
        self._used: set[str] = set()
        self._open: list[tuple[str, str, str]] = []

    def read(self, content: Any, path: str) -> None:
        """Take the next content; raise `ApiError` 400 for what cannot be one."""
        found = object_(content, path)
        role = found.get("role") or "user"
        if role not in ROLES:
            raise wrong(f"{path}.role", f"expected one of {', '.join(ROLES)}, not {shown(role)}")
        given = found.get("parts")
        parts = [
            (object_(part, where), where)
            for index, part in enumerate(array([] if given is None else given, f"{path}.parts"))
            for where in [f"{path}.parts[{index}]"]
        ]
        if role == "model":
            self._model(parts)
        else:
            self._user(parts)

    def _add(self, role: str, blocks: list[JsonObject]) -> None:
        if blocks and self.turns and self.turns[-1]["role"] == role:
            self.turns[-1]["content"] += blocks
        elif blocks:
            self.turns.append({"role": role, "content": blocks})

    def _user(self, parts: list[tuple[JsonObject, str]]) -> None:
        results: list[JsonObject] = []
        others: list[JsonObject] = []
        for part, path in parts:
            response = field(part, "functionResponse")
            if response is None:
                block = user_block(part, path)
                others += [] if block is None else [block]
                continue
            made = self._result(object_(response, f"{path}.functionResponse"), f"{path}.functionResponse")
            (results if made["type"] == "tool_result" else others).append(made)
        self._add("user", [*results, *others])

    def _result(self, response: JsonObject, path: str) -> JsonObject:
        called = name(response.get("name"), f"{path}.name")
        id_ = self._answered(response.get("id"), called)
        made = result_block(response, id_ or "", path)
        if id_ is not None:
            return made
        self._notes.append(LOST_RESULT)
        words = made["content"] if isinstance(made["content"], str) else made["content"][0].get("text", "")
        return {"type": "text", "text": f"[result of {called}]\n{words}"}

    def _answered(self, given: object, called: str) -> str | None:
        """Return the id of the call that a response answers; it is then answered."""
        by_id = [entry for entry in self._open if given and entry[0] == given]
        by_name = [entry for entry in self._open if entry[1] == called]
        for entry in (*by_id, *by_name):
            self._open.remove(entry)
            return entry[2]
        return None

    def _model(self, parts: list[tuple[JsonObject, str]]) -> None:
        if not self.turns or self.turns[-1]["role"] != "assistant":
            self._open.clear()
        blocks: list[JsonObject] = []
        start = 0
        for part, path in parts:
            call = field(part, "functionCall")
            if call is not None:
                thinking = client_thoughts.restore(field(part, "thoughtSignature")) or []
                before = [block for block, is_behind in thinking if not is_behind]
                behind = [block for block, is_behind in thinking if is_behind]
                blocks[start:start] = before
                blocks += [*behind, self._call(object_(call, f"{path}.functionCall"), f"{path}.functionCall")]
                start = len(blocks)
            elif part.get("text") is not None and part.get("thought") is not True:
                words = text(part["text"], f"{path}.text")
                blocks += [{"type": "text", "text": words}] if words.strip() else []
            elif part.get("text") is None:
                self._notes.append("what an earlier answer held besides text and calls was dropped")
        self._add("assistant", blocks)

    def _call(self, call: JsonObject, path: str) -> JsonObject:
        called = name(call.get("name"), f"{path}.name")
        args = call.get("args")
        given = call.get("id")
        id_ = given if isinstance(given, str) and _VALID_ID.fullmatch(given) else ""
        if not id_ or id_ in self._used:
            id_ = tool_ids.mint(f"{len(self._used)} {called} {given}")
        self._used.add(id_)
        self._open.append((given if isinstance(given, str) else "", called, id_))
        value = {} if args is None else object_(args, f"{path}.args")
        return {"type": "tool_use", "id": id_, "name": called, "input": value}
