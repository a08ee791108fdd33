"""Short ways to ask as a chat-completions client does, and to read what it is sent."""

import json
from collections.abc import Iterable
from typing import Any

from openai.types.chat import ChatCompletionChunk

from ucr import jsontext, sse
from ucr.dialects.openai_chat.client import OpenAIChatClient
from ucr.dialects.roles import Canonical, Request, StreamEncoder
from ucr.events import Event

NOW = 1_795_000_000
USER: dict[str, Any] = {"role": "user", "content": "hi"}


def client() -> OpenAIChatClient:
    return OpenAIChatClient(now=lambda: NOW + 0.75)


def ask(*messages: Any, **fields: Any) -> Request:
    body = {"model": "claude-x", "messages": list(messages) or [USER], **fields}
    return client().parse(jsontext.dumps(body), {})


def translate(*messages: Any, **fields: Any) -> Canonical:
    return client().canonical(ask(*messages, **fields))


def turns(*messages: Any, **fields: Any) -> Any:
    return translate(*messages, **fields).body["messages"]


def written(encoder: StreamEncoder, events: Iterable[Event]) -> bytes:
    return b"".join(encoder.encode(event) for event in events)


def chunks(stream: bytes) -> list[Any]:
    """Parse every event of a stream but `[DONE]`."""
    return [json.loads(event.data) for event in sse.Decoder().feed(stream) if event.data != "[DONE]"]


def strict(chunk: Any) -> ChatCompletionChunk:
    """Validate a chunk with the SDK's type, without coercion."""
    return ChatCompletionChunk.model_validate_json(json.dumps(chunk), strict=True)
