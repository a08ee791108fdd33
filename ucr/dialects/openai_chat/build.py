"""A chat-completions request from a canonical one."""

from ucr import jsontext
from ucr.dialects.openai_chat.initiator import initiator_headers
from ucr.dialects.openai_chat.messages import write_messages
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
from ucr.dialects.openai_chat.tools import names_used, read_tools, write_tools
from ucr.dialects.roles import Canonical, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

PATH = "/chat/completions"


def build(canonical: Canonical, request: Request, target: Target) -> Outgoing:
    """Translate a canonical request for one provider and model.

    Raise `ApiError` 400 for what the model cannot be asked at all. The notes are of this translation only;
    those of the canonical request are not repeated.
    """
    try:
        return _build(canonical.body, request, target)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None


def _build(source: JsonObject, request: Request, target: Target) -> Outgoing:
    notes = Notes()
    tools = read_tools(source, target, notes)
    names = provider_names(names_used(source, tools))
    schema = answer_schema(source)
    instruction = schema_instruction(schema, target)
    max_tokens = max_tokens_of(source, target, notes)
    reasoning = write_reasoning(
        wish_of(source), target, has_tools=bool(tools), max_tokens=max_tokens, notes=notes
    )
    effort = reasoning.get("reasoning_effort")
    body: JsonObject = {
        "model": target.model,
        "messages": write_messages(source, target, names, notes, instruction),
        **write_tools(source, tools, names, target, notes),
        **({} if max_tokens is None else {target.profile.tokens_field: max_tokens}),
        **reasoning,
        **write_sampling(source, target, effort, notes),
        **write_response_format(schema, target),
        **write_identity(source, target, notes),
        **_streaming(request.stream, target),
    }
    note_unknown(source, notes)
    for key in target.quirks.drop:
        body.pop(key, None)
    return Outgoing(
        path=PATH,
        headers=_headers(request.stream, body["messages"], target),
        body=jsontext.dumps(body),
        context=context_of(request, target, restored_names(names), thinking_is_wanted(source)),
        notes=notes.phrases,
    )


def _streaming(stream: bool, target: Target) -> JsonObject:
    if stream and target.quirks.stream_usage:
        return {"stream": True, "stream_options": {"include_usage": True}}
    return {"stream": stream}


def _headers(stream: bool, messages: list[JsonObject], target: Target) -> HeaderList:
    accept = "text/event-stream" if stream else "application/json"
    headers = (("content-type", "application/json"), ("accept", accept))
    return headers + initiator_headers(messages, target) if target.quirks.initiator else headers
