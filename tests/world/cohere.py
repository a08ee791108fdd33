"""The recorded answers of Cohere, streams and requests in a few words, and how what is read is written down."""

import json
import sys
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.world.chat import TESTS
from tests.world.chat import target as chat_target
from tests.world.chat_cases import Case, cases_of
from tests.world.chat_streams import context, written
from ucr.answer import collect
from ucr.dialects.cohere.build import build
from ucr.dialects.cohere.reply import decode_reply
from ucr.dialects.cohere.stream import CohereStreamDecoder
from ucr.dialects.roles import Canonical, Context, Outgoing, Request, Target
from ucr.events import Event
from ucr.stress.grammar import problems

GOLDENS = TESTS / "goldens" / "cohere"


def cases() -> list[Case]:
    """Return every recorded answer."""
    return list(cases_of("cohere", GOLDENS))


def summary(case: Case) -> dict[str, Any]:
    """Return what is read of a case, as a golden writes it."""
    about = context("cohere", stream=case.is_stream)
    return written(collect(decoded(case.body, about)) if case.is_stream else decode_reply(case.body, about))


def decoded(body: bytes, about: Context, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make."""
    decoder = CohereStreamDecoder(about)
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return events + decoder.close()


def event(kind: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    """Return an event; `message` is what its delta says."""
    place = {} if index is None else {"index": index}
    return {"type": kind, **place, "delta": {"message": message}}


START = {"id": "c1", **event("message-start", role="assistant", content=[], tool_calls=[], citations=[])}


def says(words: str, index: int = 0) -> dict[str, Any]:
    return event("content-delta", index, content={"text": words})


def ends(reason: str = "COMPLETE", **fields: Any) -> dict[str, Any]:
    tokens = {"input_tokens": 20.0, "output_tokens": 5.0}
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 2}, "tokens": tokens}
    return {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage, **fields}}


END_FIELDS = {"prompt_tokens": 20.0, "completion_tokens": 5.0, "prompt_tokens_details": {"cached_tokens": None}}
"""The usage of `ends` in the words of chat completions."""


def sse(*events: dict[str, Any]) -> bytes:
    """Return a stream as Cohere sends it."""
    return "".join(f"event: {one.get('type')}\ndata: {json.dumps(one)}\n\n" for one in events).encode()


def told(*events: dict[str, Any], **about: Any) -> dict[str, Any]:
    """Return what a good stream says."""
    read = decoded(sse(START, *events), context("cohere", **about))
    assert problems(read) == []
    return written(collect(read))


def target(model: str = "command-a-03-2025", **changes: Any) -> Target:
    """A target with the quirks that the catalogue has for Cohere."""
    return chat_target("cohere", model, **changes)


def outgoing(body: dict[str, Any], to: Target | None = None, *, stream: bool = False) -> Outgoing:
    """Return what a canonical body becomes."""
    asked = str(body.get("model", "claude-opus-5-5"))
    return build(Canonical(body), Request("anthropic", b"", body, asked, stream, {}), to or target())


def built(body: dict[str, Any], to: Target | None = None, *, stream: bool = False) -> dict[str, Any]:
    """Return the JSON that the provider would get."""
    result: dict[str, Any] = json.loads(outgoing(body, to, stream=stream).body)
    return result


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what checks against one of the schemas of Cohere's API."""
    return Draft202012Validator(
        json.loads((TESTS / "schemas" / f"cohere.v2.chat.{name}.schema.json").read_bytes())
    )


if __name__ == "__main__":
    for one in cases():
        if sys.argv[1:] == ["--overwrite"] or not one.golden.exists():
            one.golden.parent.mkdir(parents=True, exist_ok=True)
            one.golden.write_text(json.dumps(summary(one), indent=1, ensure_ascii=False) + "\n", "utf-8")
