"""The recorded chat-completions answers, and how what is read of them is written down.

A stream recorded without its framing gets it here. `summary` is what a golden holds: every block whole, the
stop reason, the usage, and the error where there is one.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ucr.answer import collect
from ucr.catalogue import Quirks
from ucr.dialects import envelope
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.openai_chat.reply import decode_reply
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Event, Reply, Text, Thinking, ToolUse

TESTS = Path(__file__).parent.parent
FIXTURES = TESTS / "fixtures"
GOLDENS = TESTS / "goldens" / "openai_chat"
FAMILIES = (
    "azure",
    "deepseek",
    "groq",
    "mistral",
    "openai-chat",
    "openai-compatible",
    "openrouter",
    "perplexity",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded answer; `status` is that of its HTTP response."""

    family: str
    name: str
    body: bytes
    is_stream: bool
    status: int

    @property
    def id(self) -> str:
        return f"{self.family}-{self.name.replace('/', '-')}"

    @property
    def golden(self) -> Path:
        return GOLDENS / self.family / f"{self.name.replace('/', '.')}.json"


def context(provider: str = "p", *, stream: bool = True, **changes: Any) -> Context:
    """Return the context of a request for Claude that went to some provider; `changes` go to its quirks."""
    shown = changes.pop("thinking_wanted", True)
    names = changes.pop("names", {})
    return Context(
        provider=provider,
        model_asked="claude-asked",
        model_used="used",
        stream=stream,
        quirks=Quirks(**changes),
        names=names,
        input_estimate=7,
        thinking_wanted=shown,
    )


def cases() -> list[Case]:
    return [case for family in FAMILIES for case in _cases_of(family)]


def _cases_of(family: str) -> Iterator[Case]:
    for path in sorted((FIXTURES / family).rglob("*")):
        is_body = path.is_file() and not path.name.endswith((".request.json", ".meta.json"))
        if is_body:
            raw = path.read_bytes()
            is_stream = path.suffix in (".sse", ".jsonl") or raw.startswith(b"data:")
            body = _framed(raw) if path.suffix == ".jsonl" else raw
            name = f"{path.parent.name}/{path.name.split('.')[0]}{'.stream' if is_stream else ''}"
            yield Case(family, name, body, is_stream, _status(path))


def _framed(lines: bytes) -> bytes:
    chunks = [line for line in lines.split(b"\n") if line.strip()]
    return b"".join(b"data: " + chunk + b"\n\n" for chunk in [*chunks, b"[DONE]"])


def _status(path: Path) -> int:
    meta = path.with_name(path.name.split(".")[0] + ".meta.json")
    return int(json.loads(meta.read_bytes()).get("status", 200)) if meta.exists() else 200


def decoded(body: bytes, about: Context, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make."""
    decoder = ChatStreamDecoder(about)
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return events + decoder.close()


def sse(*chunks: object, done: bool = True) -> bytes:
    """Return a stream of chunks."""
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"] if done else lines).encode()


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """Return a chunk with one choice."""
    return {"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


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


def written(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "model": reply.model,
        "content": [_block(block) for block in reply.content],
        "stop_reason": reply.stop_reason,
        "usage": {name: count for name, count in asdict(reply.usage).items() if count is not None},
    }


def _block(block: object) -> dict[str, Any]:
    match block:
        case Text(text):
            return {"text": text}
        case Thinking(thinking, signature):
            sealed = envelope.unseal(signature)
            assert sealed is not None
            return {"thinking": thinking, "provider": sealed.provider, "state": sealed.state}
        case ToolUse(id_, name, input_json):
            return {"tool_use": name, "id": id_, "input": json.loads(input_json)}
    raise AssertionError(block)


if __name__ == "__main__":
    for case in cases():
        if sys.argv[1:] == ["--overwrite"] or not case.golden.exists():
            case.golden.parent.mkdir(parents=True, exist_ok=True)
            case.golden.write_text(json.dumps(summary(case), indent=1, ensure_ascii=False) + "\n", "utf-8")
