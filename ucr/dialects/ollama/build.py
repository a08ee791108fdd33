"""A request for Ollama's `/api/chat` from a canonical one.

How this works: the messages, tools and limits are those of the chat dialect, with the same quirks, and are then
written in Ollama's form. There is no choice of tools: "none" leaves them out, and what else was chosen is noted.
Sources: the API's reference and its types.
"""

from ucr import jsontext
from ucr.dialects.ollama.messages import written
from ucr.dialects.ollama.thinking import write_thinking
from ucr.dialects.ollama.window import write_window
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
from ucr.dialects.openai_chat.source import object_of
from ucr.dialects.openai_chat.tools import names_used, read_tools, write_tools
from ucr.dialects.roles import Canonical, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

PATH = "/api/chat"
_ROOT = "/api"


def build(canonical: Canonical, request: Request, target: Target) -> Outgoing:
    """Translate a canonical request for one model; raise `ApiError` 400 for what it cannot be asked at all."""
    try:
        body, notes, names = _body(canonical.body, request, target)
        data = jsontext.dumps(body)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None
    context = context_of(request, target, names, thinking_is_wanted(canonical.body))
    return Outgoing(path(target), headers(request.stream), data, context, notes.phrases)


def path(target: Target) -> str:
    """Return the path below the base URL, which may name the API's root."""
    return PATH.removeprefix(_ROOT) if target.base_url.rstrip("/").endswith(_ROOT) else PATH


def headers(stream: bool) -> HeaderList:
    accept = "application/x-ndjson" if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept))


def _body(source: JsonObject, request: Request, target: Target) -> tuple[JsonObject, Notes, dict[str, str]]:
    notes = Notes()
    offered = {} if object_of(source.get("tool_choice")).get("type") == "none" else source
    tools = read_tools(offered, target, notes)
    names = provider_names(names_used(source, tools))
    schema = answer_schema(source)
    messages = write_messages(source, target, names, notes, schema_instruction(schema, target))
    max_tokens = max_tokens_of(source, target, notes)
    options = {
        **({} if max_tokens is None else {"num_predict": max_tokens}),
        **write_sampling(source, target, None, notes),
        **write_window(request.estimate, max_tokens, target),
    }
    keep_alive = target.quirks.keep_alive
    body: JsonObject = {
        "model": target.model,
        "messages": written(messages),
        **_tools(write_tools(source, tools, names, target, notes), notes),
        "stream": request.stream,
        **({"options": options} if options else {}),
        **write_thinking(wish_of(source), target.profile.efforts),
        **({} if schema is None or target.quirks.response_format != "json_schema" else {"format": schema}),
        **({} if keep_alive is None else {"keep_alive": keep_alive}),
    }
    write_identity(source, target, notes)
    note_unknown(source, notes)
    for key in target.quirks.drop:
        body.pop(key, None)
    return body, notes, dict(restored_names(names))


def _tools(made: JsonObject, notes: Notes) -> JsonObject:
    """Return the tools alone: the model always chooses."""
    if made.get("tool_choice", "auto") != "auto":
        notes.dropped("tool_choice")
    if "parallel_tool_calls" in made:
        notes.dropped("disable_parallel_tool_use")
    return {"tools": made["tools"]} if "tools" in made else {}
