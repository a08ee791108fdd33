"""A chat-completions request, read from its bytes and translated into the canonical body."""

from itertools import chain
from typing import Any

from ucr.dialects.openai_chat import client_typed
from ucr.dialects.openai_chat.client_options import instruction, options
from ucr.dialects.openai_chat.client_shape import array, flag, name, object_, shown, wrong
from ucr.dialects.openai_chat.client_tools import choose, tools
from ucr.dialects.openai_chat.client_turns import Turns
from ucr.dialects.reading import Reader, Shape
from ucr.dialects.roles import Canonical, Headers, Request
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

DIALECT = "openai-chat"
SESSION_HEADERS = ("x-session-id", "session-id")
CACHE_MARKS_LIMIT = 4
"""As many cache breakpoints as the Anthropic API takes; like OpenAI's, the latest count."""


def parse(raw: bytes, headers: Headers, reader: Reader) -> Request:
    """Read a request; raise `ApiError` 400 for what no provider could understand.

    Only what routing needs and what every provider asks for is checked here: a request that passes through may
    hold fields and parts that UCR has never heard of.
    """
    read = reader.read(raw, SHAPE)
    body = read.body
    return Request(
        dialect=DIALECT,
        raw=raw,
        body=body,
        model=body["model"],
        stream=bool(body.get("stream")),
        headers=headers,
        session_id=session_of(headers),
        toolset=read.toolset,
        beginning=read.beginning,
        estimated=read.tokens,
        places=read.places,
    )


def session_of(headers: Headers) -> str | None:
    """Return the conversation that a request says to belong to."""
    return next((headers[field] for field in SESSION_HEADERS if headers.get(field)), None)


def check_each(body: Any) -> None:
    """Look at field after field; raise `ApiError` 400 for the first that is wrong."""
    if not isinstance(body, dict):
        raise ApiError("invalid_request_error", f"the body is not a JSON object: it is {shown(body)}")
    if "model" not in body:
        raise wrong("model", "missing; name the model that shall answer", code="missing_required_parameter")
    name(body["model"], "model")
    _check_messages(body)
    flag(body.get("stream"), "stream")
    wants_usage(body)


def _check_messages(body: JsonObject) -> None:
    if "messages" not in body:
        raise wrong("messages", "missing; expected an array of messages", code="missing_required_parameter")
    messages = array(body["messages"], "messages")
    if not messages:
        raise wrong("messages", "expected at least one message")
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        name(object_(message, path).get("role"), f"{path}.role")
        _check_content(message.get("content"), f"{path}.content")


def _check_content(content: Any, path: str) -> None:
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise wrong(path, f"expected a string or an array of parts, not {shown(content)}")
    for index, part in enumerate(content):
        object_(part, f"{path}[{index}]")


SHAPE = Shape(client_typed.is_plain, check_each, "the body is not JSON")


def wants_usage(body: JsonObject) -> bool:
    """True when a stream shall end with a chunk that tells the usage."""
    given = body.get("stream_options")
    if given is None:
        return False
    return flag(object_(given, "stream_options").get("include_usage"), "stream_options.include_usage")


def canonical(request: Request) -> Canonical:
    """Translate a request; raise `ApiError` 400 for what is malformed and for what cannot be said.

    `max_tokens` stays absent when the client gave none: what a model can write at most is known where the
    provider's request is built. The notes name no value of the client's.
    """
    body = request.body
    notes: list[str] = []
    turns = Turns(notes)
    for index, message in enumerate(body["messages"]):
        turns.read(message, f"messages[{index}]")
    turns.close()
    if not turns.turns:
        raise wrong("messages", "no message has any content")
    offered, choice = choose(body, tools(body, notes))
    system = [*turns.system, *instruction(body, notes)]
    made: JsonObject = {
        "model": request.model,
        **({"system": system} if system else {}),
        "messages": turns.turns,
        **({"tools": offered} if offered else {}),
        **({"tool_choice": choice} if choice else {}),
        **options(body, notes),
        **({"stream": True} if request.stream else {}),
    }
    return Canonical(_with_few_marks(made, notes), tuple(dict.fromkeys(notes)))


def _with_few_marks(body: JsonObject, notes: list[str]) -> JsonObject:
    """Keep the latest cache breakpoints only, in the order of the cached prefix: tools, system, messages."""
    marked = [item for item in _markable(body) if "cache_control" in item]
    if len(marked) <= CACHE_MARKS_LIMIT:
        return body
    notes.append(f"only the latest {CACHE_MARKS_LIMIT} cache breakpoints were kept")
    for item in marked[:-CACHE_MARKS_LIMIT]:
        del item["cache_control"]
    return body


def _markable(body: JsonObject) -> list[JsonObject]:
    blocks = [block for turn in body["messages"] for block in turn["content"]]
    inner = [[*_inner(block), block] for block in blocks]
    return [*body.get("tools", ()), *body.get("system", ()), *chain.from_iterable(inner)]


def _inner(block: JsonObject) -> list[JsonObject]:
    content = block.get("content")
    return content if isinstance(content, list) else []
