"""Earlier calls of server tools in a conversation, for models that know no such tools."""

from typing import Any

from ucr.bridges.asked import KINDS
from ucr.bridges.blocks import CALL, RESULTS, in_words, is_own, tool_result
from ucr.jsontext import JsonObject

Turns = list[JsonObject]


def unfolded(turns: Turns) -> Turns:
    """Return turns in which such calls are calls of functions, with their results in turns of the user's.

    Calls of the client's own tools, whose results come in the next turn, are moved to the end of theirs.
    """
    out: Turns = []
    for turn in turns:
        out += _split(turn) if _holds_results(turn) else [turn]
    return out


def _split(turn: JsonObject) -> Turns:
    content = turn["content"]
    results = {block.get("tool_use_id"): block for block in content if block.get("type") in RESULTS}
    out: Turns = []
    said: list[JsonObject] = []
    brought: list[JsonObject] = []
    called: list[JsonObject] = []
    for block in content:
        kind = block.get("type")
        if kind == CALL and block.get("name") in KINDS:
            if (result := results.get(block.get("id"))) is not None:
                said.append({**_call(block), "type": "tool_use"})
                brought.append(tool_result(result, block["id"]))
        elif kind == "tool_use":
            called.append(block)
        elif kind not in RESULTS:
            if brought:
                out += [_turn("assistant", said), _turn("user", brought)]
                said, brought = [], []
            said.append(block)
    if brought:
        out += [_turn("assistant", said), _turn("user", brought)]
        said = []
    return [*out, _turn("assistant", [*said, *called])] if said or called else out


def without_own(turns: Turns) -> Turns:
    """Return turns without calls that the router has run, for the servers that run such tools themselves.

    What was found stands there in words: those servers cannot read it otherwise.
    """
    return [
        {**turn, "content": _in_words(turn["content"])} if _holds_results(turn) and _holds_own(turn) else turn
        for turn in turns
    ]


def _in_words(content: list[JsonObject]) -> list[JsonObject]:
    out: list[JsonObject] = []
    for block in content:
        if not is_own(block):
            out.append(block)
        elif block.get("type") in RESULTS:
            out.append({"type": "text", "text": in_words(block)})
    return out


def _holds_own(turn: JsonObject) -> bool:
    return any(is_own(block) for block in turn["content"])


def _holds_results(turn: Any) -> bool:
    content = turn.get("content") if isinstance(turn, dict) else None
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") in RESULTS for block in content
    )


def _call(block: JsonObject) -> JsonObject:
    given = block.get("input")
    return {"id": block["id"], "name": block["name"], "input": given if isinstance(given, dict) else {}}


def _turn(role: str, content: list[JsonObject]) -> JsonObject:
    return {"role": role, "content": content}
