"""The recorded Anthropic streams as the bytes of an upstream, and small streams made by hand."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.world.check_anthropic_stream import check, frames
from ucr.catalogue import Quirks
from ucr.dialects.roles import Context

FIXTURES = Path(__file__).parents[1] / "fixtures" / "anthropic"
BROKEN = frozenset({"duplicate-message-start", "sdk-unknown-events", "sdk-incomplete-partial-json"})
"""Cases that are broken on purpose: to be survived, not emitted."""


def stream_files() -> list[Path]:
    """Return every recorded stream."""
    return sorted([*FIXTURES.glob("*/*.sse"), *FIXTURES.glob("*/*.chunks.jsonl")])


def case_of(file: Path) -> str:
    """Return a stream's name."""
    return f"{file.parent.name}-{file.name[:2]}" if file.name[:2].isdigit() else file.parent.name


def stream(file: Path) -> bytes:
    """Return a recorded stream as an upstream sends it."""
    if file.suffix == ".sse":
        return file.read_bytes()
    lines = file.read_text("utf-8").split("\n")
    return b"".join(event(json.loads(line)["type"], line) for line in lines if line.strip())


def event(type_: str, data: str) -> bytes:
    """Write one event."""
    return f"event: {type_}\ndata: {data}\n\n".encode()


def named(*values: dict[str, object]) -> bytes:
    """Write events that are named by their type."""
    return b"".join(event(str(value["type"]), json.dumps(value)) for value in values)


START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-used",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "cache_read_input_tokens": 10, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}


def opened(index: int, block: dict[str, object]) -> dict[str, object]:
    """Return the event that opens a block."""
    return {"type": "content_block_start", "index": index, "content_block": block}


def part(index: int, delta: dict[str, object]) -> dict[str, object]:
    """Return the event of a delta."""
    return {"type": "content_block_delta", "index": index, "delta": delta}


def closed(index: int) -> dict[str, object]:
    """Return the event that closes a block."""
    return {"type": "content_block_stop", "index": index}


def ended(reason: str | None, **usage: object) -> dict[str, object]:
    """Return the event that says why a message ended."""
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}


def text_block(index: int, text: str) -> tuple[dict[str, object], ...]:
    """Return the events of one text."""
    delta: dict[str, object] = {"type": "text_delta", "text": text}
    return opened(index, {"type": "text", "text": ""}), part(index, delta), closed(index)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces of one size."""
    return (data[at : at + size] for at in range(0, len(data), size))


def problems(written: bytes, beta: bool = True) -> list[str]:
    """Return what the reference check finds wrong with an emitted stream."""
    found: list[str] = check(frames(written), beta)
    return found


def context(**changes: object) -> Context:
    """Return a context whose models are `claude-asked` and `claude-used` unless they are named."""
    fields: dict[str, object] = {
        "provider": "anthropic",
        "model_asked": "claude-asked",
        "model_used": "claude-used",
        "stream": True,
        "quirks": Quirks(),
    }
    return Context(**{**fields, **changes})  # type: ignore[arg-type]
