"""The recorded chat-completions answers, and how what is read of them is written down.

A stream recorded without its framing gets it here. `summary` is what a golden holds: every block whole, the
stop reason, the usage, and the error where there is one.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.world.chat_streams import context, decoded, written
from ucr.answer import collect
from ucr.dialects.openai_chat.errors import decode_error
from ucr.dialects.openai_chat.reply import decode_reply
from ucr.errors import UpstreamError

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
RESPONSES = ".responses"
"""What the names of those cases end in that speak another dialect than the others of their family."""


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded answer; `status` is that of its HTTP response, `goldens` where what is read of it is kept."""

    family: str
    name: str
    body: bytes
    is_stream: bool
    status: int
    goldens: Path = GOLDENS

    @property
    def id(self) -> str:
        return f"{self.family}-{self.name.replace('/', '-')}"

    @property
    def golden(self) -> Path:
        return self.goldens / self.family / f"{self.name.replace('/', '.')}.json"


def cases() -> list[Case]:
    return [
        case
        for family in FAMILIES
        for case in cases_of(family)
        if not case.name.partition("/")[0].endswith(RESPONSES)
    ]


def cases_of(family: str, goldens: Path = GOLDENS) -> Iterator[Case]:
    """Give all recorded answers of a family, whatever their dialect is."""
    for path in sorted((FIXTURES / family).rglob("*")):
        is_body = path.is_file() and not path.name.endswith((".request.json", ".meta.json"))
        if is_body:
            raw = path.read_bytes()
            is_stream = path.suffix in (".sse", ".jsonl") or raw.lstrip().startswith((b"data:", b"event:"))
            body = _framed(raw) if path.suffix == ".jsonl" else raw
            name = f"{path.parent.name}/{path.name.split('.')[0]}{'.stream' if is_stream else ''}"
            yield Case(family, name, body, is_stream, _status(path), goldens)


def _framed(lines: bytes) -> bytes:
    chunks = [line for line in lines.split(b"\n") if line.strip()]
    return b"".join(b"data: " + chunk + b"\n\n" for chunk in [*chunks, b"[DONE]"])


def _status(path: Path) -> int:
    meta = path.with_name(path.name.split(".")[0] + ".meta.json")
    return int(json.loads(meta.read_bytes()).get("status", 200)) if meta.exists() else 200


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


if __name__ == "__main__":
    for case in cases():
        if sys.argv[1:] == ["--overwrite"] or not case.golden.exists():
            case.golden.parent.mkdir(parents=True, exist_ok=True)
            case.golden.write_text(json.dumps(summary(case), indent=1, ensure_ascii=False) + "\n", "utf-8")
