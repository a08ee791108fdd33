"""What a virtual client makes of the answer to its prompt: the words, the grammar, and how it ended. Sans I/O.

Each dialect of clients is read as the events of the router's own grammar, whose rules are then the same for all.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from ucr import sse
from ucr.errors import ApiError
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Failed,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    Text,
    TextDelta,
    Usage,
)
from ucr.stress.grammar import Grammar
from ucr.stress.words import text_of

_loads = msgspec.json.decode
_FAILED = Failed(ApiError("api_error", ""))
_ENDED = (BlockStop(0), MessageDelta("end_turn", Usage()))


class StreamReader:
    """Reads a client's stream; `problem` is the first thing that is wrong with it, None while nothing is."""

    def __init__(self, dialect: str, tag: str) -> None:
        self.problem: str | None = None
        self.has_failed = False
        self.is_whole = False
        self._expected = text_of(tag)
        self._at = 0
        self._events = _reader_of(dialect)
        self._decoder = sse.Decoder()
        self._grammar = Grammar()

    def feed(self, data: bytes) -> None:
        """Read what has come."""
        for said in self._decoder.feed(data):
            for event in self._events.read(said.name, said.data):
                self._read(event)

    def close(self) -> None:
        """Say that the answer is at its end."""
        self.is_whole = not self.has_failed
        found = self._grammar.close(is_whole=True)
        if not self.has_failed and self._at != len(self._expected):
            found.append(f"{self._at} of {len(self._expected)} characters came")
        self._note(found)

    def _read(self, event: Event) -> None:
        if isinstance(event, Failed):
            self.has_failed = True
        elif isinstance(event, BlockDelta) and isinstance(event.delta, TextDelta):
            text = event.delta.text
            if not self._expected.startswith(text, self._at):
                self._note([f"another text: {text[:60]!r} at {self._at} of {self._expected[:40]!r}"])
            self._at += len(text)
        self._grammar.read(event)
        self._note(self._grammar.found)

    def _note(self, found: list[str]) -> None:
        if found and self.problem is None:
            self.problem = found[0]


class _Anthropic:
    def read(self, name: str, data: str) -> Iterator[Event]:
        event: Any = _loads(data)
        match event["type"]:
            case "message_start":
                yield MessageStart(event["message"]["id"], event["message"]["model"])
            case "content_block_start":
                yield BlockStart(event["index"], Text(event["content_block"]["text"]))
            case "content_block_delta":
                yield BlockDelta(event["index"], TextDelta(event["delta"]["text"]))
            case "content_block_stop":
                yield BlockStop(event["index"])
            case "message_delta":
                yield MessageDelta(event["delta"]["stop_reason"], Usage())
            case "message_stop":
                yield MessageStop()
            case "ping":
                yield Ping()
            case "error":
                yield _FAILED


class _Chat:
    def __init__(self) -> None:
        self._is_open = False
        self._has_text = False

    def read(self, name: str, data: str) -> Iterator[Event]:
        if data == "[DONE]":
            yield MessageStop()
            return
        chunk: Any = _loads(data)
        if "error" in chunk:
            yield _FAILED
            return
        if not self._is_open:
            self._is_open = True
            yield MessageStart(chunk["id"], chunk["model"])
        for choice in chunk["choices"]:
            if text := choice["delta"].get("content"):
                if not self._has_text:
                    self._has_text = True
                    yield BlockStart(0, Text(""))
                yield BlockDelta(0, TextDelta(text))
            if choice["finish_reason"] is not None:
                yield from _ENDED if self._has_text else _ENDED[1:]


class _Responses:
    """A stream that fails says so twice: by an `error`, and by a failed response right after it."""

    def __init__(self) -> None:
        self._is_failing = False
        self._number = 0

    def read(self, name: str, data: str) -> Iterator[Event]:
        event: Any = _loads(data)
        kind = event["type"]
        if kind == "error":
            self._is_failing = True
        elif kind in ("response.failed", "response.incomplete"):
            yield _FAILED
        elif self._is_failing:
            raise ValueError(f"{kind} follows an error")
        else:
            if event["sequence_number"] != self._number:
                raise ValueError(f"{kind} has the number {event['sequence_number']} and not {self._number}")
            self._number += 1
            yield from self._read(kind, event)

    def _read(self, kind: str, event: Any) -> Iterator[Event]:
        match kind:
            case "response.created":
                yield MessageStart(event["response"]["id"], "")
            case "response.content_part.added":
                yield BlockStart(0, Text(event["part"]["text"]))
            case "response.output_text.delta":
                yield BlockDelta(0, TextDelta(event["delta"]))
            case "response.content_part.done":
                yield BlockStop(0)
            case "response.completed":
                yield MessageDelta("end_turn", Usage())
                yield MessageStop()


def _reader_of(dialect: str) -> Any:
    return {"anthropic": _Anthropic, "openai-chat": _Chat, "openai-responses": _Responses}[dialect]()


def text_in(dialect: str, body: bytes) -> str:
    """Return the text of a whole answer."""
    said: Any = _loads(body)
    match dialect:
        case "anthropic":
            return "".join(block["text"] for block in said["content"])
        case "openai-chat":
            text: str = said["choices"][0]["message"]["content"]
            return text
        case _:
            return "".join(part["text"] for item in said["output"] for part in item["content"])


def is_error(body: bytes) -> bool:
    """Whether the body of a refusal is an error in the shape of its dialect."""
    try:
        said: Any = _loads(body)
        return bool(said["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return False
