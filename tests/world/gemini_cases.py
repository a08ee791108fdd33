"""The recorded Gemini answers, streams in a few words, and how what is read of them is written down."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.world.chat_streams import context, written
from ucr.answer import collect
from ucr.dialects.gemini.client_request import canonical
from ucr.dialects.gemini.reply import decode_reply
from ucr.dialects.gemini.stream import GeminiStreamDecoder
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Event
from ucr.stress.grammar import problems

TESTS = Path(__file__).parent.parent
FIXTURES = TESTS / "fixtures" / "gemini"
GOLDENS = TESTS / "goldens" / "gemini"


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded answer; `status` is that of its HTTP response."""

    name: str
    body: bytes
    is_stream: bool
    status: int

    @property
    def id(self) -> str:
        return self.name.replace("/", "-")

    @property
    def golden(self) -> Path:
        return GOLDENS / f"{self.name.replace('/', '.')}.json"


def cases() -> list[Case]:
    return list(_cases())


def _cases() -> Iterator[Case]:
    for path in sorted(FIXTURES.rglob("*")):
        is_body = path.is_file() and not path.name.endswith((".request.json", ".meta.json"))
        meta = _meta(path)
        if is_body and "enerateContent" in meta.get("url", ":generateContent"):
            raw = path.read_bytes()
            is_stream = path.suffix in (".sse", ".jsonl") or raw.startswith(b"data:")
            body = sse(*map(json.loads, raw.splitlines())) if path.suffix == ".jsonl" else raw
            name = f"{path.parent.name}/{path.name.split('.')[0]}{'.stream' if is_stream else ''}"
            status = meta.get(
                "status", json.loads(raw).get("error", {}).get("code", 200) if not is_stream else 200
            )
            yield Case(name, body, is_stream, int(status))


def recorded_requests() -> list[Path]:
    """Return the recorded requests of Gemini's clients that another provider could be asked."""
    return sorted(
        path
        for path in FIXTURES.rglob("*.request.json")
        if "contents" in json.loads(path.read_bytes()) and "video" not in path.parent.name
    )


def _meta(path: Path) -> dict[str, Any]:
    meta = path.with_name(path.name.split(".")[0] + ".meta.json")
    found: dict[str, Any] = json.loads(meta.read_bytes()) if meta.exists() else {}
    return found


def sse(*chunks: object) -> bytes:
    """Return a stream of chunks."""
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()


def chunk(*parts: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a chunk with one candidate."""
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "used", **more}


def calling(name: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a part with a call; `signature` stands beside it."""
    signature = fields.pop("signature", None)
    call = fields if name is None else {"name": name, **fields}
    part: dict[str, Any] = {"functionCall": call}
    return part if signature is None else {**part, "thoughtSignature": signature}


def decoded(body: bytes, about: Context, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make."""
    decoder = GeminiStreamDecoder(about)
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return events + decoder.close()


def told(*chunks: Any, **about: Any) -> dict[str, Any]:
    """Return what a good stream says."""
    events = decoded(sse(*chunks), context(**about))
    assert problems(events) == []
    return written(collect(events))


def content(*chunks: Any, **about: Any) -> list[dict[str, Any]]:
    """Return the blocks of a good stream, without ids."""
    blocks: list[dict[str, Any]] = told(*chunks, **about)["content"]
    return [{key: block[key] for key in block if key not in ("id", "provider")} for block in blocks]


def summary(case: Case) -> dict[str, Any]:
    """Return what is read of a case, as a golden writes it."""
    about = context("google", stream=case.is_stream)
    try:
        if case.status >= 400:
            raise decode_error(case.status, {}, case.body, about)
        return written(collect(decoded(case.body, about)) if case.is_stream else decode_reply(case.body, about))
    except UpstreamError as error:
        words = {"type": error.type, "fault": error.fault, "message": error.message, "code": error.code}
        return {"error": {**words, "retry_after_s": error.retry_after_s}}


if __name__ == "__main__":
    for case in cases():
        if sys.argv[1:] == ["--overwrite"] or not case.golden.exists():
            case.golden.parent.mkdir(parents=True, exist_ok=True)
            case.golden.write_text(json.dumps(summary(case), indent=1, ensure_ascii=False) + "\n", "utf-8")
    for path in recorded_requests():
        golden = GOLDENS / f"{path.parent.name}.{path.name}"
        if sys.argv[1:] == ["--overwrite"] or not golden.exists():
            made = canonical(json.loads(path.read_bytes()), "asked", stream=False)
            told = {"body": made.body, "notes": list(made.notes)}
            golden.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
