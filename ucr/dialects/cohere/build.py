"""A request to Cohere from a canonical one.

Messages and tools are those of chat completions but for a few words, so that they are written there and reworded
here. Source: the reference of Cohere's `POST /v2/chat`.
"""

from ucr import jsontext
from ucr.dialects.cohere.tools import write_tools
from ucr.dialects.openai_chat.messages import write_messages
from ucr.dialects.openai_chat.names import provider_names, restored_names
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.parameters import (
    answer_schema,
    max_tokens_of,
    note_unknown,
    schema_instruction,
    write_identity,
    write_sampling,
)
from ucr.dialects.openai_chat.reasoning import thinking_is_wanted, wish_of
from ucr.dialects.openai_chat.tools import Tools, names_used, read_tools
from ucr.dialects.roles import Canonical, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

VERSION = "/v2"
PATH = "/chat"
LEAST_P, MOST_P = 0.01, 0.99
MOST_K = 500


def build(canonical: Canonical, request: Request, target: Target) -> Outgoing:
    """Translate a canonical request for one model; raise `ApiError` 400 for what it cannot be asked at all."""
    try:
        return _build(canonical.body, request, target)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None


def path(target: Target) -> str:
    """Return the path below the base URL, which may name the version already."""
    return PATH if target.base_url.rstrip("/").endswith(VERSION) else VERSION + PATH


def _build(source: JsonObject, request: Request, target: Target) -> Outgoing:
    notes = Notes()
    tools = read_tools(source, target, notes)
    names = provider_names(names_used(source, tools))
    schema = answer_schema(source)
    is_told = schema is not None and _must_be_told(target, tools)
    instruction = schema_instruction(schema, _as_text(target)) if is_told else ""
    messages = write_messages(source, target, names, notes, instruction)
    max_tokens = max_tokens_of(source, target, notes)
    body: JsonObject = {
        "model": target.model,
        "messages": [_reworded(message) for message in messages],
        **write_tools(source, tools, names, target, notes),
        **({} if max_tokens is None else {"max_tokens": max_tokens}),
        **_thinking(source, target, max_tokens),
        **_sampling(source, target, notes),
        **({} if schema is None or is_told else _response_format(schema)),
        "stream": request.stream,
    }
    write_identity(source, target, notes)
    note_unknown(source, notes)
    for key in target.quirks.drop:
        body.pop(key, None)
    return Outgoing(
        path=path(target),
        headers=_headers(request.stream),
        body=jsontext.dumps(body),
        context=context_of(request, target, restored_names(names), thinking_is_wanted(source)),
        notes=notes.phrases,
    )


def _headers(stream: bool) -> HeaderList:
    accept = "text/event-stream" if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept))


def _reworded(message: JsonObject) -> JsonObject:
    """What an assistant says beside its calls is its plan; a content of null is refused."""
    kept = {key: value for key, value in message.items() if value is not None and key != "extra_content"}
    if not kept.get("tool_calls") or "content" not in kept:
        return kept
    plan = kept.pop("content")
    if isinstance(plan, list):
        plan = "\n\n".join(part["text"] for part in plan if isinstance(part.get("text"), str))
    return {**kept, "tool_plan": plan} if plan else kept


def _thinking(source: JsonObject, target: Target, max_tokens: int | None) -> JsonObject:
    """Only models with efforts think; the budget stays below the limit of the output, which it is a part of."""
    wish = wish_of(source)
    if not target.profile.efforts or not (wish.is_on or wish.is_off):
        return {}
    if wish.is_off:
        return {"thinking": {"type": "disabled"}}
    budget = wish.budget
    if budget is not None and max_tokens is not None:
        budget = min(budget, max_tokens - 1)
    return {"thinking": {"type": "enabled", **({"token_budget": budget} if budget else {})}}


def _sampling(source: JsonObject, target: Target, notes: Notes) -> JsonObject:
    """`p` and `k` are what others call `top_p` and `top_k`, within Cohere's bounds."""
    fields = write_sampling(source, target, None, notes)
    renamed: JsonObject = {}
    for key, value in fields.items():
        match key:
            case "top_p":
                renamed["p"] = min(MOST_P, max(LEAST_P, value))
            case "top_k":
                renamed["k"] = min(MOST_K, max(0, int(value)))
            case "stop":
                renamed["stop_sequences"] = value
            case _:
                renamed[key] = value
    return renamed


def _must_be_told(target: Target, tools: Tools) -> bool:
    """A JSON answer cannot be asked for beside tools, so that the schema is then told in words."""
    return bool(tools) or target.quirks.response_format == "none"


def _as_text(target: Target) -> Target:
    quirks = target.quirks.with_({"response_format": "none"})
    return Target(target.provider, target.model, target.base_url, quirks)


def _response_format(schema: JsonObject) -> JsonObject:
    return {"response_format": {"type": "json_object", "json_schema": schema}}
