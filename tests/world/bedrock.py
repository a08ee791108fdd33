"""Amazon's event streams written by hand, the recorded ones, and what Bedrock answers."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.world.chat import TESTS
from ucr import sse
from ucr.catalogue import row
from ucr.config.model import Provider
from ucr.config.providers import provider_of
from ucr.dialects.bedrock.frames import MEDIA_TYPE
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
