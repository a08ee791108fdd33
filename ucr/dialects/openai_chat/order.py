"""The order of roles that a provider wants; for most of them nothing is changed."""

from ucr.dialects.openai_chat.content import SEPARATOR, joined
from ucr.dialects.openai_chat.notes import Notes
from ucr.jsontext import JsonObject
from ucr.quirks import Quirks

OPENING = "Continue."
"""What a leading user turn says when the conversation has none."""


def ordered(messages: list[JsonObject], quirks: Quirks, notes: Notes) -> list[JsonObject]:
    """Return messages in the order that `quirks` ask for."""
    if quirks.user_after_tool and not quirks.merge_turns and messages and messages[-1]["role"] != "assistant":
        return messages  # as nearly always
    messages = _ended(messages, quirks, notes)
    if not quirks.user_after_tool:
        messages = _appended_to_tools(messages)
    return _alternating(messages) if quirks.merge_turns else messages


def _ended(messages: list[JsonObject], quirks: Quirks, notes: Notes) -> list[JsonObject]:
    """Treat an assistant message at the end, which would be continued by a model that can."""
    end = len(messages)
    if quirks.prefill == "drop":
        while end and messages[end - 1]["role"] == "assistant":
            end -= 1
        if end != len(messages):
            notes.dropped("prefill")
        return messages[:end]
    if not messages or messages[-1]["role"] != "assistant":
        return messages
    last = {**messages[-1]}
    if isinstance(last["content"], str):
        last["content"] = last["content"].rstrip()
    if quirks.prefill == "prefix":
        last["prefix"] = True
    return [*messages[:-1], last]


def _appended_to_tools(messages: list[JsonObject]) -> list[JsonObject]:
    out: list[JsonObject] = []
    for message in messages:
        is_words = message["role"] == "user" and isinstance(message["content"], str)
        if is_words and out and out[-1]["role"] == "tool" and isinstance(out[-1]["content"], str):
            texts = (out[-1]["content"], message["content"])
            out[-1] = {**out[-1], "content": SEPARATOR.join(text for text in texts if text)}
        else:
            out.append(message)
    return out


def _alternating(messages: list[JsonObject]) -> list[JsonObject]:
    out: list[JsonObject] = []
    for message in messages:
        if not out and message["role"] == "assistant":
            out.append({"role": "user", "content": OPENING})
        if out and _are_one(out[-1], message):
            out[-1] = {**out[-1], "content": joined(out[-1]["content"], message["content"])}
        else:
            out.append(message)
    return out


def _are_one(first: JsonObject, second: JsonObject) -> bool:
    if first["role"] != second["role"] or first["role"] not in ("user", "assistant"):
        return False
    return "tool_calls" not in first and "tool_calls" not in second
