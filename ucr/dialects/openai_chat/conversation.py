"""The messages of a plain conversation, written in one pass.

How this works: nearly all conversations of coding agents hold nothing but text, calls and their results, and most
providers take them as they are. Such a conversation needs no turns read, paired and turned into parts, as
`messages` does it: a call's result has its place right after the message that made the call, so the place is made
there and filled when the result comes. That takes a quarter of the time, and a long conversation is the largest
part of building a request. At the first thing that is not plain (an attachment, a mark that is kept, a call
without its result, a result without its call, thinking of our own, …) all is left to `messages`, which is right
for everything: a property test compares the two.
"""

from collections.abc import Mapping
from typing import Any

from ucr import jsontext
from ucr.dialects.envelope import is_ours
from ucr.dialects.openai_chat.content import SEPARATOR, error_text, plain_text, reminder
from ucr.dialects.openai_chat.source import blocks_of, is_blank
from ucr.dialects.roles import Target
from ucr.dialects.tool_ids import to_upstream
from ucr.jsontext import JsonObject


class _Unusual(Exception):
    """Something that only the long way can write."""


def write_plain(
    turns: object, target: Target, names: Mapping[str, str], *, is_open_end: bool = False
) -> list[JsonObject] | None:
    """Return the messages of a conversation, without its system prompt; None if it is not plain.

    With `is_open_end` it is to be one that a turn of the assistant can follow. From such a turn on, the rest of a
    conversation is written as if nothing had been before it.
    """
    if not target.profile.takes_plain or not isinstance(turns, list):
        return None
    out: list[JsonObject] = []
    open_calls: dict[str, JsonObject] = {}
    is_open = True
    try:
        for turn in turns:
            if not isinstance(turn, dict):
                return None
            role, content = turn.get("role"), turn.get("content")
            if role == "user":
                is_open = _heard(content, open_calls, target, out) or is_open
            elif role == "assistant" and is_open and not open_calls:
                open_calls = _spoken(content, names, out)
                is_open = False
            elif role == "system" and out:
                is_open = _told(content, target, out) or is_open
            else:
                return None
    except _Unusual:
        return None
    return None if open_calls or (is_open_end and not is_open) else out


def _heard(content: object, open_calls: dict[str, JsonObject], target: Target, out: list[JsonObject]) -> bool:
    """Write what the user says, and put results into their places; return whether there was anything."""
    if isinstance(content, str):
        if not content or content.isspace():
            return False
        out.append({"role": "user", "content": content})
        return True
    texts: list[str] = []
    has_results = False
    for block in _blocks(content):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "tool_result":
            has_results = True
            _answer(block, open_calls, target)
        elif kind == "text":
            text = block.get("text")
            if isinstance(text, str) and not is_blank(text):
                texts.append(text)
        else:
            raise _Unusual
    if texts:
        out.append({"role": "user", "content": SEPARATOR.join(texts)})
    return has_results or bool(texts)


def _answer(result: JsonObject, open_calls: dict[str, JsonObject], target: Target) -> None:
    id_, given = result.get("tool_use_id"), result.get("content")
    message = open_calls.pop(to_upstream(id_), None) if isinstance(id_, str) else None
    if isinstance(given, str):
        text: str | None = "" if is_blank(given) else given
    else:
        text = plain_text(blocks_of(given), target)
    if message is None or text is None:
        raise _Unusual
    message["content"] = error_text(text) if result.get("is_error") is True else text


def _spoken(content: object, names: Mapping[str, str], out: list[JsonObject]) -> dict[str, JsonObject]:
    """Write what the assistant says and calls; return the messages that will hold the results, by their ids."""
    texts: list[str] = []
    calls: list[JsonObject] = []
    open_calls: dict[str, JsonObject] = {}
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else _blocks(content):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "tool_use":
            call = _call(block, names)
            calls.append(call)
            open_calls[call["id"]] = {"role": "tool", "tool_call_id": call["id"], "content": ""}
        elif kind == "text" and not block.get("citations"):
            text = block.get("text")
            if isinstance(text, str) and not is_blank(text):
                texts.append(text)
        elif kind != "redacted_thinking" and (kind != "thinking" or is_ours(block.get("signature"))):
            raise _Unusual
    if len(open_calls) != len(calls) or not (texts or calls):
        raise _Unusual
    message: JsonObject = {"role": "assistant", "content": SEPARATOR.join(texts) or None}
    if calls:
        message["tool_calls"] = calls
    out.append(message)
    out += open_calls.values()
    return open_calls


def _call(block: JsonObject, names: Mapping[str, str]) -> JsonObject:
    id_, name, given = block.get("id"), block.get("name"), block.get("input")
    if not (id_ and isinstance(id_, str) and name and isinstance(name, str) and isinstance(given, dict)):
        raise _Unusual
    function = {"name": names.get(name, name), "arguments": jsontext.dumps(given).decode()}
    return {"id": to_upstream(id_), "type": "function", "function": function}


def _told(content: object, target: Target, out: list[JsonObject]) -> bool:
    """Write a system turn in the middle; return whether it said anything."""
    text = plain_text(blocks_of(content), target)
    if text is None:
        raise _Unusual
    role = target.profile.role
    if text and target.quirks.mid_system and role != "user":
        out.append({"role": role, "content": text})
    elif text:
        out.append({"role": "user", "content": reminder(text)})
    return bool(text)


def _blocks(content: object) -> list[Any]:
    if not isinstance(content, list):
        raise _Unusual
    return content
