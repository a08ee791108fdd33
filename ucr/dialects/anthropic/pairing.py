"""Every call of a tool answered once, right after it, as the Messages API insists.

How this works: after each assistant turn comes a run of other turns, up to the next one. The results found
anywhere in the run move to its front; a call without one gets one that says so; a second result for a call and
a result without a call are left out. Ids that the API would refuse, or that an earlier turn used already (some
providers count from `call_0` in every turn), are replaced in call and result alike.
"""

import re
from collections import deque

from ucr.dialects.anthropic.history import Turns, blocks
from ucr.jsontext import JsonObject

ADDED = "missing tool results added"
LEFT_OUT = "tool results without a call left out"

_ODD = re.compile(r"[^a-zA-Z0-9_-]")
_NO_RESULT = "(no result: the call was interrupted)"


def paired(turns: Turns) -> tuple[Turns, tuple[str, ...]]:
    """Return the turns with calls and results in pairs, and notes of what was added or left out."""
    pairing = _Pairing()
    position = 0
    while position < len(turns):
        end = position + 1
        while end < len(turns) and turns[end]["role"] != "assistant":
            end += 1
        if turns[position]["role"] == "assistant":
            pairing.take(turns[position], turns[position + 1 : end])
        else:
            pairing.take(None, turns[position:end])
        position = end
    return pairing.turns, tuple(sorted(pairing.notes))


class _Pairing:
    def __init__(self) -> None:
        self.turns: Turns = []
        self.notes: set[str] = set()
        self._used: set[str] = set()

    def take(self, assistant: JsonObject | None, run: Turns) -> None:
        """Add an assistant turn and the run of turns after it."""
        open_calls: dict[str, deque[str]] = {}
        order: list[str] = []
        if assistant is not None:
            self.turns.append(self._with_ids(assistant, open_calls, order))
        results, rest = self._split(run, open_calls)
        for missing in order:
            if missing not in results:
                results[missing] = _missing(missing)
                self.notes.add(ADDED)
        self.turns += _joined(list(results.values()), rest)

    def _with_ids(self, turn: JsonObject, open_calls: dict[str, deque[str]], order: list[str]) -> JsonObject:
        content = []
        for block in blocks(turn):
            if block["type"] == "tool_use":
                fresh = self._fresh(block["id"])
                open_calls.setdefault(block["id"], deque()).append(fresh)
                order.append(fresh)
                block = {**block, "id": fresh}
            content.append(block)
        return {**turn, "content": content} if order else turn

    def _fresh(self, id_: str) -> str:
        clean = _ODD.sub(lambda odd: f"_{ord(odd[0]):x}_", id_) or "call"
        fresh, count = clean, 1
        while fresh in self._used:
            count += 1
            fresh = f"{clean}_{count}"
        self._used.add(fresh)
        return fresh

    def _split(self, run: Turns, open_calls: dict[str, deque[str]]) -> tuple[dict[str, JsonObject], Turns]:
        """Take the results of the open calls out of a run, and leave out the others."""
        results: dict[str, JsonObject] = {}
        rest: Turns = []
        for turn in run:
            others = []
            for block in blocks(turn):
                if block["type"] != "tool_result":
                    others.append(block)
                elif waiting := open_calls.get(block["tool_use_id"]):
                    fresh = waiting.popleft()
                    results[fresh] = {**block, "tool_use_id": fresh}
                else:
                    self.notes.add(LEFT_OUT)
            if others:
                rest.append({**turn, "content": others})
        return results, rest


def _missing(id_: str) -> JsonObject:
    return {"type": "tool_result", "tool_use_id": id_, "content": _NO_RESULT, "is_error": True}


def _joined(results: list[JsonObject], rest: Turns) -> Turns:
    """Put results before everything else, in the user's next turn where there is one."""
    if not results:
        return rest
    if rest and rest[0]["role"] == "user":
        return [{**rest[0], "content": [*results, *rest[0]["content"]]}, *rest[1:]]
    return [{"role": "user", "content": results}, *rest]
