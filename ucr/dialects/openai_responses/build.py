"""A Responses request from a canonical one."""

from collections.abc import Mapping

from ucr import jsontext
from ucr.dialects.openai_chat.initiator import initiator_headers
from ucr.dialects.openai_chat.names import provider_names, restored_names
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.parameters import (
    answer_schema,
    max_tokens_of,
    note_unknown,
    schema_instruction,
    write_identity,
    write_response_format,
    write_sampling,
)
from ucr.dialects.openai_chat.reasoning import thinking_is_wanted, wish_of, write_reasoning
from ucr.dialects.openai_chat.tools import names_used, read_tools
from ucr.dialects.openai_responses.items import write_input
from ucr.dialects.openai_responses.tools import write_tools
from ucr.dialects.roles import Canonical, Context, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

PATH = "/responses"
COUNT_PATH = "/responses/input_tokens"
MIN_OUTPUT_TOKENS = 16
ENCRYPTED = "reasoning.encrypted_content"

_COUNTED = (
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
)
"""What the question how many tokens a request has may say."""


def build(canonical: Canonical, request: Request, target: Target) -> Outgoing:
    """Translate a canonical request for one provider and model.

    Raise `ApiError` 400 for what the model cannot be asked at all. The notes are of this translation only;
    those of the canonical request are not repeated.
    """
    try:
        return _build(canonical.body, request, target)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None


def build_count(request: Request, target: Target) -> Outgoing:
    """Return the question how many input tokens a request with a canonical body has, its tools included."""
    notes = Notes()
    try:
        body, _ = _body(request.body, request, target, notes)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None
    asked = {key: body[key] for key in _COUNTED if key in body}
    context = Context(target.provider, request.model, target.model, False, target.quirks)
    return Outgoing(COUNT_PATH, headers_for(stream=False), jsontext.dumps(asked), context, notes.phrases)


def _build(source: JsonObject, request: Request, target: Target) -> Outgoing:
    notes = Notes()
    body, names = _body(source, request, target, notes)
    return Outgoing(
        path=PATH,
        headers=headers_for(request.stream) + initiator_headers(body["input"], target),
        body=jsontext.dumps(body),
        context=context_of(request, target, restored_names(names), thinking_is_wanted(source)),
        notes=notes.phrases,
    )


def _body(
    source: JsonObject, request: Request, target: Target, notes: Notes
) -> tuple[JsonObject, Mapping[str, str]]:
    """Return the body, and the provider's names of the tools by the client's."""
    tools = read_tools(source, target, notes)
    names = provider_names(names_used(source, tools))
    schema = answer_schema(source)
    instruction = schema_instruction(schema, target)
    max_tokens = _max_tokens(source, target, notes)
    reasoning = _reasoning(source, target, max_tokens, notes)
    body: JsonObject = {
        "model": target.model,
        **write_input(source, target, names, notes, instruction),
        **write_tools(source, tools, names, target, notes),
        **({} if max_tokens is None else {"max_output_tokens": max_tokens}),
        **reasoning,
        **_sampling(source, target, reasoning, notes),
        **_text(schema, target),
        **write_identity(source, target, notes),
        "store": False,
        "stream": request.stream,
    }
    note_unknown(source, notes)
    for key in target.quirks.drop:
        body.pop(key, None)
    return body, names


def headers_for(stream: bool) -> HeaderList:
    """Return the headers of a request: what it is, and what is wanted."""
    accept = "text/event-stream" if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept))


def _max_tokens(source: JsonObject, target: Target, notes: Notes) -> int | None:
    wanted = max_tokens_of(source, target, notes)
    if wanted is None or wanted >= MIN_OUTPUT_TOKENS:
        return wanted
    notes.add(f"max_tokens raised to {MIN_OUTPUT_TOKENS}")
    return MIN_OUTPUT_TOKENS


def _reasoning(source: JsonObject, target: Target, max_tokens: int | None, notes: Notes) -> JsonObject:
    """Return how much to think, whether to tell of it, and that the reasoning shall come back sealed.

    Nothing is kept at the provider, so that its reasoning must travel with the conversation.
    """
    if not target.profile.efforts:
        return {}
    wish = wish_of(source)
    asked = write_reasoning(wish, target, has_tools=False, max_tokens=max_tokens, notes=notes)
    effort = asked.get("reasoning_effort")
    fields: JsonObject = {} if effort is None else {"effort": effort}
    if effort != "none" and thinking_is_wanted(source):
        fields["summary"] = "auto"
    return {**({"reasoning": fields} if fields else {}), "include": [ENCRYPTED]}


def _sampling(source: JsonObject, target: Target, reasoning: JsonObject, notes: Notes) -> JsonObject:
    """Return temperature and top_p; there are neither stop sequences nor top_k in this dialect."""
    fields = write_sampling(source, target, reasoning.get("reasoning", {}).get("effort"), notes)
    for key, name in (("stop", "stop_sequences"), ("top_k", "top_k")):
        if fields.pop(key, None) is not None:
            notes.dropped(name)
    return fields


def _text(schema: JsonObject | None, target: Target) -> JsonObject:
    match write_response_format(schema, target).get("response_format"):
        case {"type": "json_schema", "json_schema": dict(written)}:
            return {"text": {"format": {"type": "json_schema", **written}}}
        case {"type": "json_object"}:
            return {"text": {"format": {"type": "json_object"}}}
        case _:
            return {}
