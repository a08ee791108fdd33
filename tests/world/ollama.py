"""The recorded answers of Ollama, its streams and requests in a few words, and what is read of them."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.world.chat import TESTS
from tests.world.chat import target as chat_target
from tests.world.chat_streams import context, written
from ucr.answer import collect
from ucr.dialects.ollama.build import build
from ucr.dialects.ollama.stream import OllamaStreamDecoder
from ucr.dialects.roles import Canonical, Context, Outgoing, Request, Target
from ucr.events import Event
from ucr.stress.grammar import problems
from ucr.stress.upstream import Answer, Handler, SeenRequest

FIXTURES = TESTS / "fixtures" / "ollama"
STREAMS = sorted(FIXTURES.rglob("*.ndjson"))
REPLIES = sorted(FIXTURES.rglob("*.json"))
NDJSON = (("content-type", "application/x-ndjson"),)


def line(content: str = "", **message: Any) -> dict[str, Any]:
    """Return a line of a stream."""
    said = {"role": "assistant", "content": content, **message}
    return {"model": "up", "created_at": "2026-01-01T00:00:00Z", "message": said, "done": False}


def end(content: str = "", reason: str = "stop", **fields: Any) -> dict[str, Any]:
    """Return a last line, or a whole answer."""
    counts = {"prompt_eval_count": 11, "eval_count": 7}
    return {**line(content), "done_reason": reason, "done": True, **counts, **fields}


def calling(name: str, index: int | None = None, **arguments: Any) -> dict[str, Any]:
    """Return a line with a call as Ollama writes it: without an id, and without an index of 0."""
    place = {} if index is None else {"index": index}
    return line(tool_calls=[{"function": {**place, "name": name, "arguments": arguments}}])


def lines(*values: object) -> bytes:
    """Return a stream."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def decoded(body: bytes, about: Context, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make."""
    decoder = OllamaStreamDecoder(about)
    events: list[Event] = []
    for start, stop in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:stop])
    return events + decoder.close()


def told(*values: object, **about: Any) -> dict[str, Any]:
    """Return what a good stream says."""
    events = decoded(lines(*values), context("ollama", **about))
    assert problems(events) == []
    return written(collect(events))


def content(*values: object, **about: Any) -> list[dict[str, Any]]:
    """Return the blocks of a good stream, without ids and states."""
    blocks: list[dict[str, Any]] = told(*values, **about)["content"]
    return [{key: block[key] for key in block if key not in ("id", "provider", "state")} for block in blocks]


def target(model: str = "llama3.2", **changes: Any) -> Target:
    """A target with the quirks that the catalogue has for Ollama."""
    return chat_target("ollama", model, **changes)


def outgoing(body: dict[str, Any], to: Target | None = None, *, stream: bool = False) -> Outgoing:
    """Return what a canonical body becomes."""
    raw = json.dumps(body).encode()
    request = Request("anthropic", raw, body, str(body.get("model", "claude-opus-5-5")), stream, {})
    return build(Canonical(body), request, to or target())


def built(body: dict[str, Any], to: Target | None = None, *, stream: bool = False) -> dict[str, Any]:
    """Return the JSON that the provider would get, after a look whether it may be sent."""
    result: dict[str, Any] = json.loads(outgoing(body, to, stream=stream).body)
    validator("request").validate(result)
    return result


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what checks against one of the schemas of Ollama's API."""
    return Draft202012Validator(
        json.loads((TESTS / "schemas" / f"ollama.chat.{name}.schema.json").read_bytes())
    )


def streams(*values: object) -> Handler:
    """Answer with a stream of lines."""

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, NDJSON)
        for value in values:
            await answer.send(lines(value))
        await answer.finish()

    return handler
