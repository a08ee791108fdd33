"""Short ways to ask as a Responses client does, and to read and check what it is sent."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.world.chat_cases import FIXTURES
from tests.world.responses import schema
from ucr import jsontext, sse
from ucr.dialects.openai_responses.client import OpenAIResponsesClient
from ucr.dialects.roles import Canonical, Request
from ucr.events import Event

NOW = 1_795_000_000
CODEX = FIXTURES / "captures" / "codex"
HI = [{"role": "user", "content": "hi"}]


def client() -> OpenAIResponsesClient:
    return OpenAIResponsesClient(now=lambda: NOW + 0.75)


def ask(given: Any = "hi", **fields: Any) -> Request:
    return client().parse(jsontext.dumps({"model": "claude-x", "input": given, **fields}), {})


def translate(given: Any = "hi", **fields: Any) -> Canonical:
    return client().canonical(ask(given, **fields))


def turns(*items: Any, **fields: Any) -> Any:
    return translate(list(items), **fields).body["messages"]


def stream(events: Iterable[Event], **fields: Any) -> bytes:
    """Return what a stream of events is to a client."""
    encoder = client().encoder(ask(**fields))
    return b"".join(encoder.encode(event) for event in events)


@cache
def _events() -> dict[str, Draft202012Validator]:
    """Return what checks an event, by the type of the event."""
    components = schema("Response")["components"]["schemas"]
    named = [(name, one.get("properties", {}).get("type", {}).get("enum")) for name, one in components.items()]
    names = {kinds[0]: name for name, kinds in named if kinds and name.endswith("Event")}
    return {kind: Draft202012Validator(schema(name)) for kind, name in names.items()}


@cache
def _responses() -> Draft202012Validator:
    return Draft202012Validator(schema("Response"))


@cache
def _sdk() -> TypeAdapter[Any]:
    return TypeAdapter(ResponseStreamEvent)


def check_response(response: Any) -> Any:
    """Check a response by the schema of the API and by the type of the SDK."""
    assert [error.message[:300] for error in _responses().iter_errors(response)] == []
    Response.model_validate_json(json.dumps(response), strict=True)
    return response


def checked(data: bytes) -> list[Any]:
    """Read a stream; every event is valid by itself, and they say the same of each item, in the right order."""
    found = [(event.name, json.loads(event.data)) for event in sse.Decoder().feed(data)]
    for number, (name, event) in enumerate(found):
        kind = event["type"]
        assert (name, event["sequence_number"]) == (kind, number)
        errors = [error.message[:300] for error in _events()[kind].iter_errors(event)]
        assert errors == [], (kind, errors)
        _sdk().validate_python(event)
    events = [event for _, event in found]
    check_order(events)
    return events


def check_order(events: list[Any]) -> None:
    """Items begin and end one after the other, their deltas make up what is done, and the end repeats them."""
    done: list[Any] = []
    said: dict[tuple[Any, ...], str] = {}
    open_id = None
    for event in events:
        kind = event["type"]
        if kind == "response.output_item.added":
            assert (open_id, event["output_index"]) == (None, len(done))
            open_id = event["item"]["id"]
        elif kind == "response.output_item.done":
            assert (open_id, event["output_index"]) == (event["item"]["id"], len(done))
            done.append(event["item"])
            open_id = None
        elif "item_id" in event:
            assert (event["item_id"], event["output_index"]) == (open_id, len(done))
            part = (open_id, event.get("content_index"), event.get("summary_index"))
            if kind.endswith(".delta"):
                said[part] = said.get(part, "") + event["delta"]
            elif not kind.endswith(("_part.added", "_part.done")) and "web_search_call" not in kind:
                whole = next(event[key] for key in ("text", "refusal", "arguments", "input") if key in event)
                assert said.get(part, "") == whole
    last = events[-1]
    if last["type"] in ("response.completed", "response.incomplete"):
        assert open_id is None
        assert check_response(last["response"])["output"] == done


def codex(name: str) -> dict[str, Any]:
    """A recorded body of Codex, with what the recording left out of its tools put back in short."""
    body: dict[str, Any] = json.loads((CODEX / f"{name}.json").read_bytes())["body"]
    body["tools"] = [_whole(tool) for tool in body["tools"]]
    return body


def _whole(tool: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in tool.items() if key != "keys"}
    function = {
        "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}},
        "description": "It runs.",
    }
    match kept["type"]:
        case "function":
            return {**kept, **function}
        case "namespace":
            return {
                **kept,
                "description": "Agents.",
                "tools": [{"type": "function", "name": "spawn", **function}],
            }
        case "custom":
            grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
            return {**kept, "description": "It patches.", "format": grammar}
        case _:
            return kept
