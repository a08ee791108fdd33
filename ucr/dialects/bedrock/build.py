"""A Converse request from a canonical one.

What Converse has no field for goes to the model as Claude's own API has it, in `additionalModelRequestFields`:
thinking, effort, betas. Source: the model of the Bedrock runtime, `Converse` and `ConverseStream`.
"""

from urllib.parse import quote

from ucr import jsontext
from ucr.dialects.anthropic import betas, history, thinking
from ucr.dialects.anthropic.build import with_sampling
from ucr.dialects.anthropic.family import Family, family_of
from ucr.dialects.bedrock.frames import MEDIA_TYPE
from ucr.dialects.bedrock.messages import write_messages
from ucr.dialects.bedrock.tools import write_tools
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
from ucr.dialects.openai_chat.reasoning import nearest_effort, thinking_is_wanted, wish_of
from ucr.dialects.openai_chat.source import object_of
from ucr.dialects.openai_chat.tools import names_used, read_tools
from ucr.dialects.roles import Canonical, Context, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject
from ucr.quirks import matches

WITH_SCHEMAS = ("*gpt-oss*",)
"""Models beside Claude that take a JSON Schema for their answer; others are told it in words."""

_SCHEMAS_SINCE = (4, 5)


def build(canonical: Canonical, request: Request, target: Target) -> Outgoing:
    """Translate a canonical request for one model; raise `ApiError` 400 for what it cannot be asked at all."""
    body, context, notes = _translated(canonical.body, request, target)
    action = "converse-stream" if request.stream else "converse"
    return Outgoing(_path(target, action), _headers(request.stream), _dumped(body), context, notes.phrases)


def build_count(request: Request, target: Target) -> Outgoing:
    """Return the question how many tokens a request with a canonical body has."""
    body, context, notes = _translated(request.body, request, target)
    counted = {key: body[key] for key in _COUNTED if key in body}
    asked = {"input": {"converse": counted}}
    return Outgoing(
        _path(target, "count-tokens"), _headers(stream=False), _dumped(asked), context, notes.phrases
    )


_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")


def _path(target: Target, action: str) -> str:
    return f"/model/{quote(target.model, safe='')}/{action}"


def _headers(stream: bool) -> HeaderList:
    return (("content-type", "application/json"), ("accept", MEDIA_TYPE if stream else "application/json"))


def _dumped(body: JsonObject) -> bytes:
    try:
        return jsontext.dumps(body)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None


def _translated(source: JsonObject, request: Request, target: Target) -> tuple[JsonObject, Context, Notes]:
    family = family_of(target.model)
    notes = Notes()
    wants_thinking = thinking_is_wanted(source) if family is None else thinking.is_on(source)
    if family is not None:
        source, told = _fitted(source, family, family_of(request.model))
        for phrase in told:
            notes.add(phrase)
    try:
        body, names = _body(source, request, target, family, notes)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None
    context = context_of(request, target, restored_names(names), wants_thinking)
    return body, context, notes


def _fitted(source: JsonObject, family: Family, asked: Family | None) -> tuple[JsonObject, tuple[str, ...]]:
    """Ask a Claude only for what it takes; another Claude's thinking goes where it would be refused."""
    turns = source["messages"]
    if asked is not None and asked != family and not family.ignores_foreign_thinking:
        turns = history.without_thinking(turns)
    source = {**source, "messages": turns}
    source, thought = thinking.fitted(source, family)
    source, interrupted = thinking.without_interrupted(source)
    source, sampled = with_sampling(source, family)
    return source, (*thought, *interrupted, *sampled)


def _body(
    source: JsonObject, request: Request, target: Target, family: Family | None, notes: Notes
) -> tuple[JsonObject, dict[str, str]]:
    tools = read_tools(source, target, notes)
    names = provider_names(names_used(source, tools))
    schema = answer_schema(source)
    is_told = schema is not None and not _takes_schema(target, family)
    messages, system = write_messages(
        source,
        target,
        names,
        notes,
        is_claude=family is not None,
        takes_prefill=family is not None and family.takes_prefill,
        instruction=schema_instruction(schema, _as_text(target)) if is_told else "",
    )
    inference, top_k = _inference(source, target, family, notes)
    additional = _additional(source, request, target, family, top_k)
    body: JsonObject = {
        "messages": messages,
        **({"system": system} if system else {}),
        **({"inferenceConfig": inference} if inference else {}),
        **write_tools(source, tools, names, target, notes),
        **({"additionalModelRequestFields": additional} if additional else {}),
        **({} if schema is None or is_told else _text_format(schema)),
    }
    write_identity(source, target, notes)
    note_unknown(source, notes)
    for key in target.quirks.drop:
        body.pop(key, None)
    return body, dict(names)


def _inference(
    source: JsonObject, target: Target, family: Family | None, notes: Notes
) -> tuple[JsonObject, object]:
    """Return `inferenceConfig`, and `top_k`, which has no place in it."""
    limit = max_tokens_of(source, target, notes)
    if limit is None and family is not None:
        limit = family.output_tokens
    fields = write_sampling(source, target, None, notes)
    top_k = fields.get("top_k")
    if top_k is not None and family is None:
        notes.dropped("top_k")
        top_k = None
    written: JsonObject = {} if limit is None else {"maxTokens": limit}
    if "temperature" in fields:
        written["temperature"] = min(1, fields["temperature"])
    if "top_p" in fields:
        written["topP"] = fields["top_p"]
    if "stop" in fields:
        written["stopSequences"] = fields["stop"]
    return written, top_k


def _additional(
    source: JsonObject, request: Request, target: Target, family: Family | None, top_k: object
) -> JsonObject:
    """Return what goes to the model as its maker's own API has it."""
    if family is None:
        wish = wish_of(source)
        efforts = target.profile.efforts
        effort = nearest_effort(wish.strength, efforts) if wish.strength and not wish.is_off else None
        return {} if effort is None else {"reasoning_effort": effort}
    fields: JsonObject = {} if top_k is None else {"top_k": top_k}
    if isinstance(source.get("thinking"), dict):
        fields["thinking"] = source["thinking"]
    effort = object_of(source.get("output_config")).get("effort")
    if effort is not None:
        fields["output_config"] = {"effort": effort}
    given = betas.named(request.headers.get(betas.HEADER, "")) if request.dialect == "anthropic" else ()
    refused = betas.refused(given, target.quirks.betas)
    if kept := [name for name in given if name not in refused]:
        fields["anthropic_beta"] = kept
    return fields


def _takes_schema(target: Target, family: Family | None) -> bool:
    if target.quirks.response_format != "json_schema":
        return False
    return matches(target.model, WITH_SCHEMAS) if family is None else family.version >= _SCHEMAS_SINCE


def _as_text(target: Target) -> Target:
    quirks = target.quirks.with_({"response_format": "none"})
    return Target(target.provider, target.model, target.base_url, quirks)


def _text_format(schema: JsonObject) -> JsonObject:
    written = {"name": "answer", "schema": jsontext.dumps(schema).decode()}
    return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": written}}}}
