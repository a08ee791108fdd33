"""The response object and its output items, as a Responses client reads them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr.dialects.openai_chat import client_reply as chat
from ucr.dialects.openai_responses.client_tools import Origin
from ucr.events import StopReason, ToolUse, Usage
from ucr.jsontext import JsonObject

INCOMPLETE: Mapping[StopReason, str] = MappingProxyType(
    {
        "max_tokens": "max_output_tokens",
        "model_context_window_exceeded": "max_output_tokens",
        "refusal": "content_filter",
    }
)
"""The reasons to stop after which a response is incomplete, and why it then is."""


def response_id(message_id: str) -> str:
    """Return the id of a response for a canonical message's id."""
    stem = message_id.removeprefix("msg_")
    return stem if stem.startswith("resp_") else f"resp_{stem}"


def begun(id_: str, model: str, created_at: int, body: JsonObject) -> JsonObject:
    """Return a response that has just begun; `body` is the client's request.

    What the request said comes back where it is short: instructions and tools, which make up most of a coding
    agent's request, do not.
    """
    reasoning, metadata = body.get("reasoning"), body.get("metadata")
    return {
        "id": id_,
        "object": "response",
        "created_at": created_at,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": body.get("max_output_tokens"),
        "model": model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": None,
        "reasoning": reasoning if isinstance(reasoning, dict) else None,
        "store": False,
        "temperature": body.get("temperature"),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [],
        "top_p": body.get("top_p"),
        "truncation": "disabled",
        "metadata": metadata if isinstance(metadata, dict) else {},
    }


def ended(
    response: JsonObject, output: list[JsonObject], stop_reason: StopReason, counted: Usage
) -> JsonObject:
    """Return a response that has come to its end."""
    why = INCOMPLETE.get(stop_reason)
    counters = usage(counted)
    return {
        **response,
        "status": "completed" if why is None else "incomplete",
        "completed_at": response["created_at"] if why is None else None,
        "incomplete_details": None if why is None else {"reason": why},
        "output": output,
        **({} if counters is None else {"usage": counters}),
    }


def usage(counted: Usage) -> JsonObject | None:
    """Return the counters as OpenAI counts, None when nothing is known; what the shape demands is 0 if unknown."""
    known = chat.usage(counted)
    if known is None:
        return None
    return {
        "input_tokens": known["prompt_tokens"],
        "input_tokens_details": {
            "cached_tokens": counted.cache_read_tokens or 0,
            "cache_write_tokens": counted.cache_creation_tokens or 0,
        },
        "output_tokens": known["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": counted.thinking_tokens or 0},
        "total_tokens": known["total_tokens"],
    }


def message(id_: str, content: list[JsonObject], status: str) -> JsonObject:
    """Return what the assistant says as an item."""
    return {"id": id_, "type": "message", "status": status, "role": "assistant", "content": content}


def text_part(text: str) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(words: str) -> JsonObject:
    return {"type": "refusal", "refusal": words}


def summary_part(text: str) -> JsonObject:
    return {"type": "summary_text", "text": text}


def reasoning(id_: str, text: str, encrypted: str | None) -> JsonObject:
    """Return thinking as an item."""
    summary: list[Any] = [summary_part(text)] if text else []
    return {"id": id_, "type": "reasoning", "summary": summary, "encrypted_content": encrypted}


def call(id_: str, use: ToolUse, origin: Origin, given: str, status: str) -> JsonObject:
    """Return a call as an item; `given` is its arguments, or the text that a custom tool takes."""
    namespace = {"namespace": origin.namespace} if origin.namespace else {}
    known: JsonObject = {"id": id_, "call_id": use.id, "name": origin.name, **namespace, "status": status}
    if origin.is_custom:
        return {"type": "custom_tool_call", **known, "input": given}
    return {"type": "function_call", **known, "arguments": given}


def search(id_: str, query: str | None, status: str) -> JsonObject:
    """Return a search of the web as an item; its query is not known at its beginning."""
    return {
        "type": "web_search_call",
        "id": id_,
        "status": status,
        "action": {"type": "search", "query": query or ""},
    }
