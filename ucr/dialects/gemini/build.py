"""A Gemini request from a canonical one."""

import re
from urllib.parse import quote

from ucr import jsontext
from ucr.dialects.gemini.contents import write_contents
from ucr.dialects.gemini.generation import write_generation
from ucr.dialects.gemini.tools import write_tools
from ucr.dialects.openai_chat.names import provider_names, restored_names
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.parameters import note_unknown
from ucr.dialects.openai_chat.reasoning import thinking_is_wanted
from ucr.dialects.openai_chat.tools import names_used, read_tools
from ucr.dialects.roles import Canonical, Context, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

VERSION = "/v1beta"
_VERSIONED = re.compile(r"/v1(?:alpha|beta)?1?(?:/|$)")
"""A base URL that names a version, as that of Vertex AI does, has its own."""

_RESOURCES = ("models/", "tunedModels/")


def build(canonical: Canonical, request: Request, target: Target) -> Outgoing:
    """Translate a canonical request for one model; raise `ApiError` 400 for what it cannot be asked at all."""
    try:
        body, notes, names = _body(canonical.body, target)
        written = jsontext.dumps(body)
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None
    context = context_of(request, target, restored_names(names), thinking_is_wanted(canonical.body))
    return Outgoing(path(target, request.stream), headers(request.stream), written, context, notes.phrases)


def build_count(request: Request, target: Target) -> Outgoing:
    """Return the question how many tokens a request with a canonical body has, its tools included."""
    body, notes, _ = _body(request.body, target)
    is_vertex = target.quirks.platform == "vertex"
    asked = body if is_vertex else {"generateContentRequest": {"model": resource(target.model), **body}}
    context = Context(target.provider, request.model, target.model, False, target.quirks)
    written = jsontext.dumps(asked)
    return Outgoing(_path(target, "countTokens"), headers(stream=False), written, context, notes.phrases)


def path(target: Target, stream: bool) -> str:
    """Return the path of a model; without `alt=sse` a stream would be one JSON array."""
    return _path(target, "streamGenerateContent?alt=sse" if stream else "generateContent")


def resource(model: str) -> str:
    """Return the name of a model as a resource."""
    return model if model.startswith(_RESOURCES) else f"models/{model}"


def headers(stream: bool) -> HeaderList:
    accept = "text/event-stream" if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept))


def _path(target: Target, action: str) -> str:
    kind, _, name = resource(target.model).partition("/")
    version = "" if _VERSIONED.search(target.base_url) else VERSION
    return f"{version}/{kind}/{quote(name, safe='')}:{action}"


def _body(source: JsonObject, target: Target) -> tuple[JsonObject, Notes, dict[str, str]]:
    notes = Notes()
    tools = read_tools(source, target, notes)
    names = provider_names(names_used(source, tools))
    contents, system = write_contents(source, target, names, notes)
    generation = write_generation(source, target, notes)
    body: JsonObject = {
        "contents": contents,
        **({"systemInstruction": {"parts": system}} if system else {}),
        **write_tools(source, tools, names, notes),
        **({"generationConfig": generation} if generation else {}),
    }
    note_unknown(source, notes)
    for key in target.quirks.drop:
        body.pop(key, None)
    return body, notes, dict(names)
