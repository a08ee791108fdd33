"""A Responses request, read from its bytes and translated into the canonical body."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ucr import jsontext
from ucr.dialects.openai_chat.client_request import session_of
from ucr.dialects.openai_chat.client_shape import array, flag, name, object_, shown, wrong
from ucr.dialects.openai_responses.client_items import Items
from ucr.dialects.openai_responses.client_options import instruction, options
from ucr.dialects.openai_responses.client_tools import choose, tools
from ucr.dialects.roles import Canonical, Headers, Request
from ucr.errors import ApiError
from ucr.jsontext import JsonError, JsonObject

DIALECT = "openai-responses"


class _Body(Struct, gc=False):
    """What every request has; what does not fit is looked at field by field."""

    model: Annotated[str, Meta(min_length=1)]
    input: str | Annotated[list[dict[str, Any]], Meta(min_length=1)]
    stream: bool | None = None


def parse(raw: bytes, headers: Headers) -> Request:
    """Read a request; raise `ApiError` 400 for what no provider could understand.

    Only what routing needs is checked here: a request that passes through may hold fields and items that UCR has
    never heard of.
    """
    try:
        value = jsontext.loads(raw)
    except JsonError as error:
        raise ApiError("invalid_request_error", f"the body is not JSON: {error}") from None
    try:
        msgspec.convert(value, _Body)
    except msgspec.ValidationError:
        check_each(value)
    session_id = session_of(headers)
    return Request(DIALECT, raw, value, value["model"], bool(value.get("stream")), headers, session_id)


def check_each(body: Any) -> None:
    """Look at field after field; raise `ApiError` 400 for the first that is wrong."""
    if not isinstance(body, dict):
        raise ApiError("invalid_request_error", f"the body is not a JSON object: it is {shown(body)}")
    if "model" not in body:
        raise wrong("model", "missing; name the model that shall answer", code="missing_required_parameter")
    name(body["model"], "model")
    flag(body.get("stream"), "stream")
    given = body.get("input")
    if given is None and not body.get("prompt"):
        raise wrong("input", "missing; expected a text or an array of items", code="missing_required_parameter")
    if given is not None and not isinstance(given, str):
        for index, item in enumerate(array(given, "input")):
            object_(item, f"input[{index}]")


def canonical(request: Request) -> Canonical:
    """Translate a request; raise `ApiError` 400 for what is malformed and for what cannot be said.

    `max_tokens` stays absent when the client gave none: what a model can write at most is known where the
    provider's request is built. The notes name no value of the client's.
    """
    body = request.body
    notes: list[str] = []
    made = options(body, notes)
    items = Items(notes)
    if body.get("instructions") is not None:
        items.instruct(body["instructions"], "instructions")
    items.read_all(body.get("input"), "input")
    if not items.turns:
        raise wrong("input", "no item has any content")
    offered, choice = choose(body, tools(body, notes), notes)
    system = [*items.system, *instruction(body, notes)]
    whole: JsonObject = {
        "model": request.model,
        **({"system": system} if system else {}),
        "messages": items.turns,
        **({"tools": offered} if offered else {}),
        **({"tool_choice": choice} if choice else {}),
        **made,
        **({"stream": True} if request.stream else {}),
    }
    return Canonical(whole, tuple(dict.fromkeys(notes)))
