"""How virtual clients read answers: each dialect as events of the router's own grammar, and whole ones as text. Sans I/O."""

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, Protocol

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
from ucr.ndjson import LineSplitter

_loads = msgspec.json.decode
_FAILED = Failed(ApiError("api_error", ""))

Cut = Callable[[bytes], list[tuple[str | None, str]]]
"""Cuts bytes into what they say: the name of an event, where it has one, and its data."""


class Hearing(Protocol):
    """Reads one stream of a dialect."""

    def read(self, name: str | None, data: str) -> Iterator[Event]:
        """Give the events that one said thing amounts to; raise `ValueError` for what is no part of the dialect."""
        ...


class _Anthropic:
    def read(self, name: str | None, data: str) -> Iterator[Event]:
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


class _Said:
    """A stream that says neither that its text begins nor that it ends: the first words and the last object do."""

    def __init__(self) -> None:
        self._is_open = False
        self._has_text = False

    def _open(self, id_: str, model: str) -> Iterator[Event]:
        if not self._is_open:
            self._is_open = True
            yield MessageStart(id_, model)

    def _say(self, text: str) -> Iterator[Event]:
        if text and not self._has_text:
            self._has_text = True
            yield BlockStart(0, Text(""))
        if text:
            yield BlockDelta(0, TextDelta(text))

    def _end(self) -> Iterator[Event]:
        if self._has_text:
            yield BlockStop(0)
        yield MessageDelta("end_turn", Usage())


class _Chat(_Said):
    def read(self, name: str | None, data: str) -> Iterator[Event]:
        if data == "[DONE]":
            yield MessageStop()
            return
        chunk: Any = _loads(data)
        if "error" in chunk:
            yield _FAILED
            return
        yield from self._open(chunk["id"], chunk["model"])
        for choice in chunk["choices"]:
            yield from self._say(choice["delta"].get("content") or "")
            if choice["finish_reason"] is not None:
                yield from self._end()


class _Responses:
    """A stream that fails says so twice: by an `error`, and by a failed response right after it."""

    def __init__(self) -> None:
        self._is_failing = False
        self._number = 0

    def read(self, name: str | None, data: str) -> Iterator[Event]:
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


class _Gemini(_Said):
    def read(self, name: str | None, data: str) -> Iterator[Event]:
        said: Any = _loads(data)
        if "error" in said:
            yield _FAILED
            return
        yield from self._open(said["responseId"], said["modelVersion"])
        only = said["candidates"][0]
        for part in only["content"]["parts"]:
            yield from self._say(part["text"])
        if "finishReason" in only:
            yield from self._end()
            yield MessageStop()


class _Ollama(_Said):
    def read(self, name: str | None, data: str) -> Iterator[Event]:
        said: Any = _loads(data)
        if "error" in said:
            yield _FAILED
            return
        yield from self._open("", said["model"])
        yield from self._say(said["message"]["content"])
        if said["done"]:
            yield from self._end()
            yield MessageStop()


_HEARINGS: MappingProxyType[str, Callable[[], Hearing]] = MappingProxyType(
    {
        "anthropic": _Anthropic,
        "openai-chat": _Chat,
        "openai-responses": _Responses,
        "gemini": _Gemini,
        "ollama": _Ollama,
    }
)


def hearing_of(dialect: str) -> Hearing:
    """Return what reads a stream of this dialect."""
    return _HEARINGS[dialect]()


def cut_of(dialect: str) -> Cut:
    """Return what cuts a stream of this dialect: into events, or into lines."""
    if dialect == "ollama":
        splitter = LineSplitter()
        return lambda data: [("", line.decode()) for line in splitter.feed(data)]
    decoder = sse.Decoder()
    return lambda data: [(said.name, said.data) for said in decoder.feed(data)]


def text_in(dialect: str, body: bytes) -> str:
    """Return the text of a whole answer."""
    said: Any = _loads(body)
    match dialect:
        case "anthropic":
            return "".join(block["text"] for block in said["content"])
        case "openai-chat":
            return str(said["choices"][0]["message"]["content"])
        case "gemini":
            return "".join(part["text"] for part in said["candidates"][0]["content"]["parts"])
        case "ollama":
            return str(said["message"]["content"])
        case _:
            return "".join(part["text"] for item in said["output"] for part in item["content"])


def is_error(body: bytes, dialect: str = "") -> bool:
    """Whether the body of a refusal is an error in the shape of its dialect; Ollama's are nothing but words."""
    try:
        said: Any = _loads(body)["error"]
        return isinstance(said, str) and said != "" if dialect == "ollama" else bool(said["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return False
