"""A request of Ollama's API, read from its bytes and translated into the canonical body.

How this works: the body is first written in the words of chat completions, which differ little, and then read as
one of those. Sources: `ChatRequest`, `GenerateRequest` and `Options` in the API's types.
"""

from typing import Any

from ucr import jsontext
from ucr.dialects.ollama.client_messages import Messages
from ucr.dialects.openai_chat import client_request as chat
from ucr.dialects.openai_chat.client_shape import array, name, object_, shown, wrong
from ucr.dialects.roles import Canonical, Request
from ucr.errors import ApiError
from ucr.jsontext import JsonError, JsonObject

_SAMPLING = ("temperature", "top_p", "top_k", "stop")
_LOST = ("seed", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty")
_GENERATION = ("suffix", "template", "context", "raw")
"""Fields of `/api/generate` that only a model at hand could follow."""


def read(raw: bytes) -> JsonObject:
    """Return the body; raise `ApiError` 400 for what is none."""
    try:
        body = jsontext.loads(raw)
    except JsonError as error:
        raise ApiError("invalid_request_error", f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ApiError("invalid_request_error", f"the body is not a JSON object: it is {shown(body)}")
    name(body.get("model"), "model")
    return body


def streams(body: JsonObject) -> bool:
    """True for an answer in lines, which is what is given unless something else is asked for."""
    given = body.get("stream")
    if given is not None and not isinstance(given, bool):
        raise wrong("stream", f"expected true or false, not {shown(given)}")
    return given is not False


def canonical(body: JsonObject, *, generates: bool) -> Canonical:
    """Translate a body; raise `ApiError` 400 for what is malformed and for what cannot be said."""
    turns = _prompt(body) if generates else body.get("messages")
    reader = Messages()
    messages = [
        reader.read(message, f"messages[{index}]") for index, message in enumerate(array(turns, "messages"))
    ]
    options = object_(body.get("options") or {}, "options")
    written: JsonObject = {
        "messages": messages,
        **({"tools": body["tools"]} if body.get("tools") else {}),
        **{key: options[key] for key in _SAMPLING if options.get(key) is not None},
        **_limit(options.get("num_predict")),
        **_format(body.get("format")),
        **_thinking(body.get("think")),
    }
    request = Request(chat.DIALECT, b"", written, body["model"], streams(body), {})
    made = chat.canonical(request)
    lost = [key for key in _LOST if options.get(key)]
    lost += [key for key in _GENERATION if generates and body.get(key)]
    return Canonical(made.body, (*made.notes, f"dropped: {' '.join(lost)}") if lost else made.notes)


def _prompt(body: JsonObject) -> list[JsonObject]:
    """Return what is to be gone on from, as a conversation."""
    system = body.get("system")
    told = [{"role": "system", "content": system}] if system else []
    return [*told, {"role": "user", "content": body.get("prompt"), "images": body.get("images")}]


def _limit(given: Any) -> JsonObject:
    """Return the output limit; a negative one means that there is none."""
    return {} if given is None or (type(given) is int and given < 1) else {"max_tokens": given}


def _format(given: Any) -> JsonObject:
    match given:
        case None | "":
            return {}
        case "json":
            return {"response_format": {"type": "json_object"}}
        case dict():
            return {"response_format": {"type": "json_schema", "json_schema": {"schema": given}}}
        case _:
            raise wrong("format", f"expected 'json' or a JSON Schema, not {shown(given)}")


def _thinking(given: Any) -> JsonObject:
    match given:
        case None:
            return {}
        case bool():
            return {"thinking": {"type": "adaptive" if given else "disabled"}}
        case _:
            return {"reasoning_effort": given}
