"""What is asked in the benchmark and what the mock upstream answers: bodies, canned answers, whole requests.

Large bodies are a request of Claude Code from `tests/fixtures/captures`. Texts that were shortened there, which end in
a mark such as `…[583 chars]`, are given their length back, and tools, of which only names were recorded, a schema and
a description, so that the number of tools and turns and the size are those of the client. A system turn within the
conversation is moved into the system prompt: most other routers refuse it, and all are to do the same work.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ucr.catalogue import Quirks
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.openai_chat.provider import OpenAIChatProvider
from ucr.dialects.roles import Target

Dialect = Literal["anthropic", "openai-chat"]
Size = Literal["small", "large"]

CAPTURE = Path(__file__).resolve().parent.parent / "tests/fixtures/captures/claude_code/compact.json"
LARGE_BYTES = 65_000
"""What a large body is filled up to; the recorded one had 58,417 bytes."""
EVENTS = 40
"""Pieces of text in a stream."""
DIGITS = 12
MARK = "@" * DIGITS
"""Stands in a body where each request has a number of its own."""
WORDS = "The quick brown fox jumps over the lazy dog, and the dog does not mind."
FILLER = (
    'Use this tool when a file is read, changed or "searched".\n- It takes an absolute path; a relative one is refused.\n'
    "- By default up to 2000 lines are returned, each with its number.\n\n```\nfor name in names:\n\tprint(name)\n```\n"
)
FILLER_BYTES = len(json.dumps(FILLER)) / len(FILLER)
"""What a character of it takes in JSON."""
SCHEMA = MappingProxyType(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "file_path": {"type": "string", "description": "The absolute path of the file."},
            "mode": {"type": "string", "enum": ["content", "files", "count"], "description": "What is given."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 2000, "description": "Lines at most."},
            "paths": {"type": "array", "items": {"type": "string"}, "description": "Where to look as well."},
            "in_background": {"type": "boolean", "default": False, "description": "Whether to go on at once."},
        },
        "required": ["file_path"],
        "additionalProperties": False,
    }
)
"""The schema of every tool in a large body, as those of Claude Code are built."""
PATHS = {"anthropic": "/v1/messages", "openai-chat": "/v1/chat/completions"}

_CUT = re.compile(r"…\[(\d+) chars\]$")
_KEPT_HEADERS = re.compile(r"(?:user-agent|x-app|x-stainless-.*|anthropic-(?:version|dangerous.*))$")
_BETA = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
    "fine-grained-tool-streaming-2025-05-14,prompt-caching-scope-2026-01-05"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A request in two halves, between which stands its number; as bytes that are ready to be sent."""

    before: bytes
    after: bytes

    def whole(self, number: int = 0) -> bytes:
        return self.before + b"%0*d" % (DIGITS, number) + self.after


def question(
    port: int,
    dialect: Dialect,
    size: Size,
    *,
    stream: bool,
    path: str = "",
    model: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> Question:
    """Return a request for a port of loopback. Other `headers` are added, another `model` replaces the name."""
    data = body(dialect, size, stream=stream, model=model)
    lines = [
        f"POST {path or PATHS[dialect]} HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "content-type: application/json",
        f"content-length: {len(data)}",
        *(f"{name}: {value}" for name, value in (*client_headers(dialect, size), *headers)),
    ]
    before, _, after = data.partition(MARK.encode())
    return Question("\r\n".join([*lines, "", ""]).encode() + before, after)


def client_headers(dialect: Dialect, size: Size) -> tuple[tuple[str, str], ...]:
    """Return what the client says of itself: with a large body as much as Claude Code does."""
    if dialect == "openai-chat":
        return (("authorization", "Bearer not-a-key"),)
    if size == "small":
        return (("x-api-key", "not-a-key"), ("anthropic-version", "2023-06-01"))
    kept = [(name, value) for name, value in _capture()["headers"].items() if _KEPT_HEADERS.match(name)]
    return (("x-api-key", "not-a-key"), ("anthropic-beta", _BETA), *kept)


def body(dialect: Dialect, size: Size, *, stream: bool, model: str = "") -> bytes:
    """Return a body with `MARK` in it, once."""
    asked = _small() if size == "small" else _large()
    asked = {**asked, "model": model or asked["model"], "stream": stream}
    return _written(asked if dialect == "anthropic" else _as_chat(asked))


def _small() -> dict[str, Any]:
    turns = [{"role": "user", "content": f"Question {MARK}: which of the two animals jumps, and over what?"}]
    system = "You answer in one sentence, in plain English, and you do not explain."
    return {"model": "claude-opus-5-5", "max_tokens": 256, "system": system, "messages": turns}


@cache
def _capture() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CAPTURE.read_text("utf-8"))
    return found


def _large() -> dict[str, Any]:
    asked: dict[str, Any] = restored(_capture()["body"])
    turn = {"role": "user", "content": f"Question {MARK}: what is in the file, and what should be changed?"}
    turns = [one for one in asked["messages"] if one["role"] != "system"]
    asked = {**asked, "system": [*asked["system"], *_moved(asked["messages"])], "messages": [*turns, turn]}
    tools = [tool_of(tool) for tool in asked["tools"]]
    size = len(_written({**asked, "tools": tools}))
    words = int((LARGE_BYTES - size) / len(tools) / FILLER_BYTES)
    return {**asked, "tools": [{**tool, "description": filled("", words)} for tool in tools]}


def restored(value: Any) -> Any:
    """Return a copy of a recorded value in which every shortened text is as long as it was."""
    match value:
        case str(text) if cut := _CUT.search(text):
            return filled(text[: cut.start()], int(cut[1]))
        case list(items):
            return [restored(item) for item in items]
        case dict(members):
            return {name: restored(member) for name, member in members.items()}
        case _:
            return value


def _moved(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return system turns, which other routers do not know yet, as blocks of the system prompt."""
    return [{"type": "text", "text": turn["content"]} for turn in turns if turn["role"] == "system"]


def tool_of(tool: dict[str, Any]) -> dict[str, Any]:
    """Give a tool what was recorded of it by name alone: a description, empty as yet, and a schema.

    A tool of the provider's own has a type instead.
    """
    named = {name: value for name, value in tool.items() if name != "keys"}
    if "type" in named:
        return named
    return {**named, "description": "", "input_schema": dict(SCHEMA)}


def filled(text: str, chars: int) -> str:
    """Return a text, lengthened to a number of characters."""
    return text + (FILLER * (chars // len(FILLER) + 1))[: max(0, chars - len(text))]


def _as_chat(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the same request for a chat-completions client, translated as UCR does it."""
    request = AnthropicClient().parse(_written(asked), {})
    target = Target("bench", asked["model"], "http://127.0.0.1", Quirks())
    built = OpenAIChatProvider().build(AnthropicClient().canonical(request), request, target)
    chat: dict[str, Any] = json.loads(built.body)
    return chat


def answer(dialect: Dialect, *, stream: bool) -> bytes:
    """Return what the mock upstream answers."""
    if not stream:
        return json.dumps(
            _message() if dialect == "anthropic" else _completion(), separators=(",", ":")
        ).encode()
    return _messages_stream() if dialect == "anthropic" else _chat_stream()


def expected(*, stream: bool) -> bytes:
    """Return what an answer holds near its end, whatever dialect it is translated into."""
    return f"word{EVENTS - 1} ".encode() if stream else WORDS.encode()


def expected_head() -> bytes:
    """Return what a stream holds early, of whatever kind: how a text of its upstream begins."""
    return b'"t'


def _message() -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 20}
    head = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-opus-5-5"}
    return {
        **head,
        "content": [{"type": "text", "text": WORDS}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def _completion() -> dict[str, Any]:
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
    message = {"role": "assistant", "content": WORDS}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1764000000, "model": "m"}
    return {**head, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}


def _chat_stream() -> bytes:
    usage = {"prompt_tokens": 10, "completion_tokens": EVENTS, "total_tokens": 10 + EVENTS}
    chunks = [
        _chunk([_choice({"role": "assistant", "content": ""})]),
        *(_chunk([_choice({"content": f"word{number} "})]) for number in range(EVENTS)),
        _chunk([_choice({}, "stop")]),
        {**_chunk([]), "usage": usage},
    ]
    return b"".join(_event(chunk) for chunk in chunks) + b"data: [DONE]\n\n"


def _chunk(choices: list[Any]) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1764000000, "model": "m"}
    return {**head, "choices": choices}


def _choice(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _messages_stream() -> bytes:
    start = {
        **_message(),
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *(_delta(f"word{number} ") for number in range(EVENTS)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": EVENTS}},
        {"type": "message_stop"},
    ]
    return b"".join(_event(event, event["type"]) for event in events)


def _delta(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def _event(data: dict[str, Any], name: str = "") -> bytes:
    line = b"data: " + _written(data) + b"\n\n"
    return b"event: " + name.encode() + b"\n" + line if name else line


def _written(value: dict[str, Any]) -> bytes:
    """Write JSON as clients in JavaScript do: without blanks, and every letter as itself."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
