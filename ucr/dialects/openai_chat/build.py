"""A chat-completions request from a canonical one."""

from ucr import jsontext
from ucr.dialects.openai_chat.initiator import initiator_headers
from ucr.dialects.openai_chat.known_prompt import known_prompt
from ucr.dialects.openai_chat.known_tools import known_tools
from ucr.dialects.openai_chat.known_turns import known_turns
from ucr.dialects.openai_chat.messages import write_messages
from ucr.dialects.openai_chat.names import NO_NAMES, provider_names, restored_names
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.parameters import (
    BARE,
    SHAPING,
    answer_schema,
    max_tokens_of,
    note_unknown,
    schema_instruction,
    write_identity,
    write_response_format,
    write_sampling,
)
from ucr.dialects.openai_chat.reasoning import NO_WISH, thinking_is_wanted, wish_of, write_reasoning
from ucr.dialects.openai_chat.tools import Tools, names_called, read_tools, write_tools
from ucr.dialects.roles import Canonical, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

PATH = "/chat/completions"

_WHOLE: HeaderList = (("content-type", "application/json"), ("accept", "application/json"))
_STREAMING: HeaderList = (("content-type", "application/json"), ("accept", "text/event-stream"))


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
    """Write what the request has; what it has not, most of all a small one, costs no call."""
    notes = Notes()
    is_bare = source.keys() <= BARE
    known = None if request.toolset is None else known_tools(request, source, target)
    tools: Tools = {}
    if known is not None:
        tools = known.tools
    elif "tools" in source:
        tools = read_tools(source, target, notes)
    begun = None if request.beginning is None else known_turns(request, source, target)
    if begun is None:
        called = names_called(source.get("messages"))
    else:
        called = names_called(source["messages"][begun.count :])
        called |= begun.called
    names = restored = NO_NAMES
    if known is not None and called <= tools.keys():
        names = known.names
    elif called or tools:
        names = provider_names(called.union(tools))
        restored = restored_names(names)
    schema = None if is_bare else answer_schema(source)
    instruction = "" if schema is None else schema_instruction(schema, target)
    max_tokens = max_tokens_of(source, target, notes)
    reasoning: JsonObject = {}
    if target.profile.efforts:
        wish = NO_WISH if is_bare else wish_of(source)
        reasoning = write_reasoning(wish, target, has_tools=bool(tools), max_tokens=max_tokens, notes=notes)
    prompt = None if request.prompt is None else known_prompt(request, source, target)
    messages = write_messages(source, target, names, notes, instruction, begun, prompt)
    body: JsonObject = {"model": target.model, "messages": messages}
    if tools:
        written = None if known is None else known.written
        body.update(write_tools(source, tools, names, target, notes, written))
    if max_tokens is not None:
        body[target.profile.tokens_field] = max_tokens
    body.update(reasoning)
    if not is_bare and not SHAPING.isdisjoint(source):
        body.update(write_sampling(source, target, reasoning.get("reasoning_effort"), notes))
        if schema is not None:
            body.update(write_response_format(schema, target))
        body.update(write_identity(source, target, notes))
    body["stream"] = request.stream
    if request.stream and target.quirks.stream_usage:
        body["stream_options"] = {"include_usage": True}
    if not is_bare:
        note_unknown(source, notes)
    for key in target.quirks.drop:
        body.pop(key, None)
    headers = _STREAMING if request.stream else _WHOLE
    if target.quirks.initiator:
        headers += initiator_headers(messages, target)
    return Outgoing(
        path=PATH,
        headers=headers,
        body=jsontext.dumps(body),
        context=context_of(request, target, restored, not is_bare and thinking_is_wanted(source)),
        notes=notes.phrases,
    )
