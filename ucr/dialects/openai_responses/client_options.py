"""The parameters of a Responses request beside its input and tools, as canonical fields."""

from typing import Any

from ucr.dialects.openai_chat import client_options as chat
from ucr.dialects.openai_chat import client_schema
from ucr.dialects.openai_chat.client_shape import count, flag, object_, shown, wrong
from ucr.jsontext import JsonObject

LOST = ("max_tool_calls", "top_logprobs", "truncation", "verbosity")
"""Parameters that change the answer and have no canonical form: dropped, and the client is told."""

_QUIET = frozenset(
    {
        "client_metadata", "include", "metadata", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "stream_options",
    }
)  # fmt: skip
"""Parameters that do not change the answer."""

_KEPT = ("previous_response_id", "conversation", "prompt", "background")
_NOTHING_KEPT = "UCR keeps no responses, conversations or prompts; send the whole conversation as input"


def options(body: JsonObject, notes: list[str]) -> JsonObject:
    """Return the canonical fields that the body's parameters amount to; raise `ApiError` 400 for bad ones.

    What would need something that was kept from an earlier request is refused.
    """
    for field in _KEPT:
        if body.get(field):
            raise wrong(field, _NOTHING_KEPT)
    if flag(body.get("store"), "store"):
        notes.append("nothing is stored although store is true")
    text = object_(body["text"], "text") if body.get("text") is not None else {}
    thinking = _thinking(body)
    config = {**thinking.pop("output_config", {}), **_format(text)}
    limit = body.get("max_output_tokens")
    notes += chat.lost(_said(body, text), LOST, _KNOWN)
    return {
        **({} if limit is None else {"max_tokens": count(limit, "max_output_tokens")}),
        **chat.sampling_of(body, notes),
        **thinking,
        **({"output_config": config} if config else {}),
        **chat.user_of(body, notes),
        **chat.tier_of(body, notes),
    }


def instruction(body: JsonObject, notes: list[str]) -> list[JsonObject]:
    """Return the system text that stands for the format `json_object`."""
    match body.get("text"):
        case {"format": {"type": "json_object"} as format_}:
            return chat.instruction({"response_format": format_}, notes)
        case _:
            return []


def _thinking(body: JsonObject) -> JsonObject:
    """Read how much to think; who asks for a summary alone leaves that to the model."""
    reasoning = object_(body["reasoning"], "reasoning") if body.get("reasoning") is not None else {}
    effort = chat.effort_of(reasoning.get("effort"), "reasoning.effort")
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    wants_summary = reasoning.get("summary") or reasoning.get("generate_summary")
    if effort is None:
        return {"thinking": {"type": "adaptive"}} if wants_summary else {}
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": chat.EFFORTS[effort]}}


def _format(text: JsonObject) -> JsonObject:
    given = text.get("format")
    if given is None:
        return {}
    match object_(given, "text.format").get("type"):
        case "text" | "json_object":
            return {}
        case "json_schema":
            path = "text.format.schema"
            compiled = client_schema.compiled(object_(given.get("schema"), path), path)
            return {"format": {"type": "json_schema", "schema": compiled}}
        case other:
            raise wrong("text.format.type", f"expected text, json_object or json_schema, not {shown(other)}")


def _said(body: JsonObject, text: JsonObject) -> JsonObject:
    """Return the parameters that say anything, the verbosity among them."""
    quiet: dict[str, Any] = {"truncation": "disabled", "top_logprobs": 0}
    said = {field: value for field, value in body.items() if value != quiet.get(field, _NEVER)}
    return {**said, "verbosity": text.get("verbosity")}


_NEVER = object()
_KNOWN = frozenset(
    {
        "input", "instructions", "max_output_tokens", "model", "parallel_tool_calls", "reasoning",
        "safety_identifier", "service_tier", "store", "stream", "temperature", "text", "tool_choice", "tools",
        "top_p", "user", *LOST, *_QUIET, *_KEPT,
    }
)  # fmt: skip
