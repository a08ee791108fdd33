"""Amazon's event streams written by hand, the recorded ones, and what Bedrock answers."""

import base64
import json
import sys
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from msgspec import structs

from tests.world.chat import TESTS
from tests.world.chat import target as chat_target
from tests.world.chat_streams import context, written
from ucr import sse
from ucr.answer import collect
from ucr.catalogue import row
from ucr.config.model import Provider
from ucr.config.providers import provider_of
from ucr.dialects.bedrock.build import build
from ucr.dialects.bedrock.frames import MEDIA_TYPE
from ucr.dialects.bedrock.reply import decode_reply
from ucr.dialects.bedrock.stream import BedrockStreamDecoder
from ucr.dialects.roles import Canonical, Context, Outgoing, Request, Target
from ucr.events import Event
from ucr.stress.grammar import problems
from ucr.stress.upstream import Answer, Handler, SeenRequest

FIXTURES = TESTS / "fixtures" / "bedrock"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
STREAM = (("content-type", MEDIA_TYPE),)

Json = dict[str, Any]


def frame(headers: Mapping[str, str], payload: bytes, *more: bytes) -> bytes:
    """Return one message; `more` are headers as they are written."""
    block = b"".join([*(_header(name, value) for name, value in headers.items()), *more])
    prelude = (16 + len(block) + len(payload)).to_bytes(4, "big") + len(block).to_bytes(4, "big")
    body = prelude + zlib.crc32(prelude).to_bytes(4, "big") + block + payload
    return body + zlib.crc32(body).to_bytes(4, "big")


def _header(name: str, value: str) -> bytes:
    written = value.encode()
    return bytes([len(name)]) + name.encode() + b"\x07" + len(written).to_bytes(2, "big") + written


def event(kind: str, value: object) -> bytes:
    """Return the message of one event."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(value).encode())


def exception(kind: str, words: str) -> bytes:
    """Return the message of an exception."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": words}).encode())


def chunk(value: bytes | Json) -> bytes:
    """Return the message that an event of Claude's is packed in."""
    text = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return event("chunk", {"bytes": base64.b64encode(text).decode(), "p": "abcdef"})


def packed(blocks: Iterable[bytes]) -> list[bytes]:
    """Return the events of a stream of the Messages API as Bedrock sends them."""
    events = (sse.parse(block) for block in blocks)
    return [chunk(read.data.encode()) for read in events if read is not None]


def streams(*frames: bytes) -> Handler:
    """Answer with an event stream."""

    async def handle(_: SeenRequest, answer: Answer) -> None:
        await answer.head(200, STREAM)
        for one in frames:
            await answer.send(one)
        await answer.finish()

    return handle


def bedrock(id_: str, name: str, **changes: Any) -> Provider:
    """Return a provider of the catalogue that lives at `http://<name>.test`, and is asked with a key."""
    known = row(id_)
    assert known is not None
    base = replace(provider_of(known), id=name, base_url=f"http://{name}.test", **changes)
    return replace(base, quirks=base.quirks.with_({"region": "us-east-1"}))


def recorded() -> list[Path]:
    """Return the files of the recorded event streams."""
    return sorted(FIXTURES.glob("*/*.eventstream.bin"))


GOLDENS = TESTS / "goldens" / "bedrock"
START: Json = {"role": "assistant"}
USAGE: Json = {"inputTokens": 20, "outputTokens": 5, "totalTokens": 25}


def metadata(**usage: object) -> bytes:
    """Return the event that ends a stream: the counters."""
    return event("metadata", {"usage": {**USAGE, **usage}, "metrics": {"latencyMs": 1}})


def begins() -> bytes:
    return event("messageStart", START)


def says(text: str, index: int = 0) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}})


def thinks(index: int = 0, **reasoning: str) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"reasoningContent": reasoning}})


def calls(index: int, id_: str, name: str, *pieces: str) -> bytes:
    """Return the events of one call."""
    start = {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id_, "name": name}}}
    deltas = [{"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}} for piece in pieces]
    stop = event("contentBlockStop", {"contentBlockIndex": index})
    return (
        event("contentBlockStart", start) + b"".join(event("contentBlockDelta", one) for one in deltas) + stop
    )


def stops(reason: str = "end_turn") -> bytes:
    return event("messageStop", {"stopReason": reason})


def target(model: str = "openai.gpt-oss-120b-1:0", **changes: Any) -> Target:
    """A target with the quirks that the catalogue has for Bedrock."""
    return chat_target("bedrock", model, **changes)


def outgoing(body: Json, to: Target | None = None, *, stream: bool = False, **headers: str) -> Outgoing:
    """Return what a canonical body becomes."""
    asked = str(body.get("model", "claude-opus-5-5"))
    request = Request("anthropic", b"", body, asked, stream, headers)
    return build(Canonical(body), request, to or target())


def built(body: Json, to: Target | None = None, *, stream: bool = False, **headers: str) -> Json:
    """Return the JSON that Bedrock would get, which must be as its model has it."""
    result: Json = json.loads(outgoing(body, to, stream=stream, **headers).body)
    assert problems_of("ConverseRequest", {"modelId": "m", **result}) == []
    return result


def decoded(body: bytes, of: Context, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make."""
    decoder = BedrockStreamDecoder(of)
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return events + decoder.close()


def about(model: str = CLAUDE, **changes: Any) -> Context:
    """Return the context of a request that went to a model of Bedrock's."""
    return structs.replace(context("bedrock", **changes), model_used=model)


def told(*frames: bytes, **changes: Any) -> Json:
    """Return what a good stream says."""
    read = decoded(b"".join(frames), about(**changes))
    assert problems(read) == []
    return written(collect(read))


def streams_of() -> dict[str, bytes]:
    """Return the recorded streams by their names, those in frames and those that were kept without them."""
    framed = {path.parent.name: path.read_bytes() for path in recorded()}
    for path in sorted(FIXTURES.glob("*/*.chunks.jsonl")):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        framed[path.parent.name] = b"".join(
            event(kind, value) for line in lines for kind, value in line.items()
        )
    return framed


def wholes_of() -> dict[str, bytes]:
    """Return the recorded answers that are no streams, by their names."""
    paths = [*FIXTURES.glob("*/*.response.json"), *FIXTURES.glob("*/amazon-*.json")]
    read = {f"{path.parent.name}.{path.name.split('.')[0]}": path.read_bytes() for path in sorted(paths)}
    return {name: body for name, body in read.items() if b'"output"' in body}


def summary(name: str) -> Json:
    """Return what is read of a recorded answer, as a golden writes it."""
    stream = streams_of().get(name)
    if stream is not None:
        return written(collect(decoded(stream, about())))
    return written(decode_reply(wholes_of()[name], about()))


@cache
def model() -> Json:
    """Return the service model, in which an object has no fields beside its own."""
    schema: Json = json.loads((TESTS / "schemas" / "bedrock-runtime.schema.json").read_bytes())
    for one in schema["$defs"].values():
        if "properties" in one:
            one["additionalProperties"] = False
    return schema


def problems_of(shape: str, value: object) -> list[str]:
    """Return in what a value is not as the service model has it."""
    validator = Draft202012Validator({**model(), "$ref": f"#/$defs/{shape}"})
    return [error.message for error in validator.iter_errors(value)]


if __name__ == "__main__":
    for one in (*streams_of(), *wholes_of()):
        place = GOLDENS / f"{one}.json"
        if sys.argv[1:] == ["--overwrite"] or not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(summary(one), indent=1, ensure_ascii=False) + "\n", "utf-8")
