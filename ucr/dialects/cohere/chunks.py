"""Cohere's answers and events in the words of chat completions, in which they are read.

A plan that it makes before it calls tools is what it says. `usage.tokens` counts all tokens, and `billed_units` only
those that are paid for. Citations are left out. Source: the reference of Cohere's `POST /v2/chat`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ucr.dialects.openai_chat.source import object_of, objects_of, text_of
from ucr.jsontext import JsonObject

END = "message-end"
"""The event that ends a stream, with the finish reason and the usage."""

_FAILURES: Mapping[str, str] = MappingProxyType({"ERROR": "api_error", "TIMEOUT": "timeout_error"})


def chat_reply(value: JsonObject) -> JsonObject:
    """Return a whole answer as a chat completion: one choice for each part of it, the last with its end."""
    message = value.get("message")
    if not isinstance(message, dict):
        return value
    choices = [{"message": {"content": None, **part}} for part in _parts(message)]
    last = choices.pop() if choices else {"message": {"content": None}}
    ended = {**last, "finish_reason": _reason(value)}
    return {"id": value.get("id"), "choices": [*choices, ended], **_end(value)}


def chat_chunk(event: JsonObject) -> JsonObject:
    """Return an event as a chunk; one without a choice for what says nothing of the answer."""
    kind, delta = event.get("type"), object_of(event.get("delta"))
    if kind is None:
        return {"error": event} if event.get("message") else event
    if kind == END:
        return {"choices": [{"delta": {}, "finish_reason": _reason(delta)}], **_end(delta)}
    message = object_of(delta.get("message"))
    match kind:
        case "message-start":
            return {"id": event.get("id"), "choices": [{"delta": {}}]}
        case "tool-plan-delta":
            said: JsonObject = {"content": text_of(message.get("tool_plan"))}
        case "content-start" | "content-delta":
            said = _said(object_of(message.get("content")))
        case "tool-call-start" | "tool-call-delta":
            said = {"tool_calls": [{**call, "index": event.get("index")} for call in _calls(message)]}
        case _:
            return {}
    return {"choices": [{"delta": said}]}


def _parts(message: JsonObject) -> Iterator[JsonObject]:
    content = message.get("content")
    if isinstance(content, str):
        yield {"content": content}
    for part in objects_of(content):
        yield _said(part)
    if text_of(message.get("tool_plan")):
        yield {"content": message["tool_plan"]}
    if calls := _calls(message):
        yield {"tool_calls": calls}


def _said(part: JsonObject) -> JsonObject:
    if "thinking" in part:
        return {"reasoning_content": text_of(part.get("thinking"))}
    return {"content": text_of(part.get("text"))}


def _calls(message: JsonObject) -> list[JsonObject]:
    """The calls of a message are a list, and those of an event one object."""
    calls = message.get("tool_calls")
    return [calls] if isinstance(calls, dict) else objects_of(calls)


def _reason(value: JsonObject) -> str:
    """Return why it ended, `stop` for whatever is not known; a failure is told by `_end`."""
    reason = text_of(value.get("finish_reason"))
    return "" if reason in _FAILURES else reason.lower() or "stop"


def _end(value: JsonObject) -> JsonObject:
    """Return the usage, and the error where the answer ended in one."""
    usage = object_of(value.get("usage"))
    tokens = object_of(usage.get("tokens")) or object_of(usage.get("billed_units"))
    counted: JsonObject = {
        "prompt_tokens": tokens.get("input_tokens"),
        "completion_tokens": tokens.get("output_tokens"),
        "prompt_tokens_details": {"cached_tokens": usage.get("cached_tokens")},
    }
    reason = text_of(value.get("finish_reason"))
    if reason not in _FAILURES and not value.get("error"):
        return {"usage": counted}
    words = text_of(value.get("error")) or f"the provider stopped with finish reason '{reason}'"
    return {"usage": counted, "error": {"message": words, "type": _FAILURES.get(reason, "api_error")}}
