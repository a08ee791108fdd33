"""Responses streams in a few words, the recorded answers, and how what is read of them is written down."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.world.chat import target
from tests.world.chat_cases import RESPONSES, TESTS, Case, cases_of
from tests.world.chat_streams import context, written
from ucr.answer import collect
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.openai_responses.build import build
from ucr.dialects.openai_responses.reply import decode_reply
from ucr.dialects.openai_responses.stream import ResponsesStreamDecoder
from ucr.dialects.roles import Canonical, Context, Outgoing, Request, Target
from ucr.errors import UpstreamError
from ucr.events import Event
from ucr.stress.grammar import problems

GOLDENS = TESTS / "goldens" / "openai_responses"
NO_ANSWERS = ("count-tokens/",)
"""Recorded answers to something else than a question."""


def cases() -> list[Case]:
    """Return every recorded answer in this dialect."""
    azure = [case for case in cases_of("azure", GOLDENS) if case.name.partition("/")[0].endswith(RESPONSES)]
    found = [*cases_of("openai-responses", GOLDENS), *cases_of("copilot", GOLDENS), *azure]
    return [case for case in found if not case.name.startswith(NO_ANSWERS)]


def summary(case: Case) -> dict[str, Any]:
    """Return what is read of a case, as a golden writes it."""
    about = context(case.family, stream=case.is_stream)
    try:
        if case.status >= 400:
            raise decode_error(case.status, {}, case.body, about)
        return written(collect(decoded(case.body, about)) if case.is_stream else decode_reply(case.body, about))
    except UpstreamError as error:
        return {
            "error": {"type": error.type, "fault": error.fault, "message": error.message, "code": error.code}
        }


def decoded(body: bytes, about: Context, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make."""
    decoder = ResponsesStreamDecoder(about)
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return events + decoder.close()


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an event of the dialect; its kind needs no `response.` in front."""
    return {"type": kind if kind == "error" else f"response.{kind}", **fields}


def sse(*events: dict[str, Any]) -> bytes:
    """Return a stream of events."""
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()


def added(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return event("output_item.added", output_index=index, item={"type": kind, "id": f"i{index}", **fields})


def done(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return event("output_item.done", output_index=index, item={"type": kind, "id": f"i{index}", **fields})


def says(index: int, piece: str, part: int = 0) -> dict[str, Any]:
    return event("output_text.delta", output_index=index, content_index=part, delta=piece)


def thinks(index: int, piece: str, part: int = 0) -> dict[str, Any]:
    return event("reasoning_summary_text.delta", output_index=index, summary_index=part, delta=piece)


def calls(index: int, piece: str) -> dict[str, Any]:
    return event("function_call_arguments.delta", output_index=index, delta=piece)


def ends(status: str = "completed", **fields: Any) -> dict[str, Any]:
    response = {"id": "resp_1", "status": status, "usage": {"input_tokens": 20, "output_tokens": 5}, **fields}
    return event(status, response=response)


START = event("created", response={"id": "resp_1", "status": "in_progress"})
END = ends()


def told(*events: dict[str, Any], **about: Any) -> dict[str, Any]:
    """Return what a good stream says."""
    read = decoded(sse(START, *events), context(**about))
    assert problems(read) == []
    return written(collect(read))


def content(*events: dict[str, Any], **about: Any) -> list[dict[str, Any]]:
    """Return the blocks of a good stream that ends well."""
    blocks: list[dict[str, Any]] = told(*events, END, **about)["content"]
    return blocks


def outgoing(body: dict[str, Any], to: Target | None = None, *, stream: bool = False) -> Outgoing:
    """Return what a canonical body becomes for a provider, which may be one of the catalogue."""
    model = str(body.get("model", "claude-opus-5-5"))
    request = Request(dialect="anthropic", raw=b"", body=body, model=model, stream=stream, headers={})
    return build(Canonical(body), request, to or target())


def built(body: dict[str, Any], to: Target | None = None, *, stream: bool = False) -> dict[str, Any]:
    """Return the JSON that a provider would get."""
    result: dict[str, Any] = json.loads(outgoing(body, to, stream=stream).body)
    return result


def items(turns: list[Any], to: Target | None = None, **fields: Any) -> list[dict[str, Any]]:
    """Return the items that a conversation becomes."""
    found: list[dict[str, Any]] = built({"messages": turns, **fields}, to)["input"]
    return found


def schema(name: str) -> dict[str, Any]:
    """Return one of the schemas of the API, with all that it refers to.

    A message with parts fits two alternatives of what the document says is one of several, and is taken.
    """
    path = Path(TESTS / "schemas" / "openai.openapi-subset.responses.json")
    document: dict[str, Any] = json.loads(path.read_bytes())
    kinds = document["components"]["schemas"]["InputItem"]
    kinds["anyOf"] = kinds.pop("oneOf")
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


if __name__ == "__main__":
    for one in cases():
        if sys.argv[1:] == ["--overwrite"] or not one.golden.exists():
            one.golden.parent.mkdir(parents=True, exist_ok=True)
            one.golden.write_text(json.dumps(summary(one), indent=1, ensure_ascii=False) + "\n", "utf-8")
