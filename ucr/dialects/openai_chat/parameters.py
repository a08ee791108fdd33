"""Limits, sampling, identity and the shape of the answer."""

import hashlib

from ucr import jsontext
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.schema import is_strict, plain_schema
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

KNOWN = frozenset(
    {
        "cache_control",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "openai",
        "output_config",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
"""Fields of the canonical body that are translated, or that mean nothing to another provider."""

BARE = frozenset({"max_tokens", "messages", "model", "stream", "system", "tool_choice", "tools"})
"""Fields of the canonical body that nothing of this module but `max_tokens_of`, and no thinking, is read from."""

_SAMPLING = frozenset({"temperature", "top_p", "top_k", "stop_sequences"})
_IDENTITY = frozenset({"metadata", "service_tier"})
_OUTPUT = frozenset({"effort", "format"})
SHAPING = _SAMPLING | _IDENTITY | {"output_config"}
"""Fields of the canonical body that sampling, identity and the form of the answer are written from."""

USER_CHARS = 64


def max_tokens_of(body: JsonObject, target: Target, notes: Notes) -> int | None:
    """Return the output limit within what the model takes; None when the client gave none."""
    wanted = body.get("max_tokens")
    if type(wanted) is not int:
        return None
    if wanted < 1:
        notes.add("max_tokens raised to 1")
        return 1
    limit = target.profile.output_limit
    if limit is not None and wanted > limit:
        notes.add(f"max_tokens lowered to {limit}")
        return limit
    return wanted


def write_sampling(body: JsonObject, target: Target, effort: object, notes: Notes) -> JsonObject:
    """Return temperature, top_p, top_k and stop sequences as far as the model takes them.

    OpenAI's reasoning models sample freely only with the effort `none`, and take no stop sequences at all.
    """
    if _SAMPLING.isdisjoint(body):
        return {}
    quirks = target.quirks
    is_reasoning = target.profile.reasons
    allowed = ("temperature", "top_p", "top_k") if quirks.top_k else ("temperature", "top_p")
    fields: JsonObject = {}
    for key in ("temperature", "top_p", "top_k"):
        value = body.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if key not in allowed or (is_reasoning and effort != "none"):
            notes.dropped(key)
        else:
            fields[key] = value
    stops = _stops(body.get("stop_sequences"))
    kept = stops[: 0 if is_reasoning else quirks.stop_limit]
    if len(kept) < len(stops):
        notes.add(f"dropped {len(stops) - len(kept)} of {len(stops)} stop sequences")
    return {**fields, "stop": kept} if kept else fields


def _stops(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    return [text for text in value if isinstance(text, str) and text.strip()]


def write_identity(body: JsonObject, target: Target, notes: Notes) -> JsonObject:
    """Return the end user's id, the key of the prompt cache, and the service tier."""
    if _IDENTITY.isdisjoint(body):
        return {}
    quirks = target.quirks
    fields: JsonObject = {}
    match body.get("metadata"):
        case {"user_id": str(user)} if user:
            if quirks.user_field != "none":
                fields[quirks.user_field] = _short(user)
            if quirks.prompt_cache_key:
                fields["prompt_cache_key"] = _short(user)
    tier = body.get("service_tier")
    if tier in ("auto", "standard_only") and quirks.service_tier:
        fields["service_tier"] = "auto" if tier == "auto" else "default"
    elif tier not in (None, "auto"):
        notes.dropped("service_tier")
    return fields


def _short(user: str) -> str:
    """Claude Code's id is a JSON text of some 150 characters; providers take 64."""
    if len(user) <= USER_CHARS:
        return user
    return hashlib.sha256(user.encode("utf-8", "replace")).hexdigest()


def answer_schema(body: JsonObject) -> JsonObject | None:
    """Return the JSON Schema that the answer must follow, or None."""
    match body.get("output_config"):
        case {"format": {"type": "json_schema", "schema": dict(schema)}}:
            return schema
        case _:
            return None


def write_response_format(schema: JsonObject | None, target: Target) -> JsonObject:
    """Return `response_format` for an answer that follows a schema."""
    quirks = target.quirks
    if schema is None or quirks.response_format == "none":
        return {}
    if quirks.response_format == "json_object":
        return {"response_format": {"type": "json_object"}}
    written: JsonObject = {"name": "answer", "schema": schema}
    if quirks.plain_schema:
        written["schema"] = plain_schema(schema)
    elif quirks.strict_tools and is_strict(schema):
        written["strict"] = True
    return {"response_format": {"type": "json_schema", "json_schema": written}}


def schema_instruction(schema: JsonObject | None, target: Target) -> str:
    """Return the schema in words, for a provider that takes it in no other way."""
    if schema is None or target.quirks.response_format == "json_schema":
        return ""
    text = jsontext.dumps(schema).decode()
    return f"Answer with one JSON object and nothing else. It must follow this JSON Schema:\n{text}"


def note_unknown(body: JsonObject, notes: Notes) -> None:
    """Note every field of the body, and of `output_config`, that no chat-completions provider would know."""
    if not body.keys() <= KNOWN:
        for key in sorted(body.keys() - KNOWN):
            notes.dropped(key)
    config = body.get("output_config")
    if isinstance(config, dict) and not config.keys() <= _OUTPUT:
        for key in sorted(config.keys() - _OUTPUT):
            notes.dropped(f"output_config.{key}")
