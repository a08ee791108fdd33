"""What clients of two dialects send and are told, over plain HTTP."""

import http.client
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
ANSWER_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: its text, in how many pieces it came, why it ended, and what it cost."""

    text: str
    pieces: int
    ending: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Client:
    name: str
    path: str
    more: Json
    read: Callable[[Json], Told]
    gather: Callable[[Iterable[Json]], Told]
    is_overflow: Callable[[Json], bool]


def read_message(message: Json) -> Told:
    text = "".join(block["text"] for block in message["content"])
    usage = message["usage"]
    read = usage["input_tokens"] + (usage.get("cache_read_input_tokens") or 0)
    return Told(text, 1, message["stop_reason"], read, usage["output_tokens"])


def gather_message(events: Iterable[Json]) -> Told:
    pieces: list[str] = []
    usage: Json = {}
    ending = ""
    for event in events:
        assert event["type"] != "error", event
        usage |= event.get("message", event).get("usage") or {}
        match event["type"]:
            case "content_block_delta":
                pieces.append(event["delta"]["text"])
            case "message_delta":
                ending = event["delta"]["stop_reason"]
    read = usage["input_tokens"] + (usage.get("cache_read_input_tokens") or 0)
    return Told("".join(pieces), len(pieces), ending, read, usage["output_tokens"])


def read_completion(completion: Json) -> Told:
    choice, usage = completion["choices"][0], completion["usage"]
    costs = usage["prompt_tokens"], usage["completion_tokens"]
    return Told(choice["message"]["content"], 1, choice["finish_reason"], *costs)


def gather_completion(events: Iterable[Json]) -> Told:
    pieces: list[str] = []
    usage: Json = {}
    ending = ""
    for event in events:
        assert "error" not in event, event
        usage = event.get("usage") or usage
        for choice in event["choices"]:
            ending = choice.get("finish_reason") or ending
            if choice["delta"].get("content"):
                pieces.append(choice["delta"]["content"])
    costs = usage["prompt_tokens"], usage["completion_tokens"]
    return Told("".join(pieces), len(pieces), ending, *costs)


def is_anthropic_overflow(body: Json) -> bool:
    error = body["error"]
    is_refusal: bool = error["type"] == "invalid_request_error"
    return is_refusal and str(error["message"]).startswith("prompt is too long: ")


def is_chat_overflow(body: Json) -> bool:
    return bool(body["error"]["code"] == "context_length_exceeded")


CLIENTS = (
    Client("anthropic", "/v1/messages", {}, read_message, gather_message, is_anthropic_overflow),
    Client(
        "openai-chat",
        "/v1/chat/completions",
        {"stream_options": {"include_usage": True}},
        read_completion,
        gather_completion,
        is_chat_overflow,
    ),
)


def ask(
    router: str, client: Client, provider: str, turns: Sequence[str], limit: int, *, stream: bool = False
) -> Told:
    """Ask for an answer of at most `limit` tokens; the user's and the model's turns alternate."""
    with _posted(router, client, provider, turns, limit, stream=stream) as answer:
        assert answer.status == 200, (answer.status, answer.read())
        return client.gather(events_of(answer)) if stream else client.read(json.loads(answer.read()))


@contextmanager
def cancel_midway(router: str, client: Client, provider: str, text: str, limit: int) -> Iterator[None]:
    """Begin a stream; the block runs when its first words are there, and the client leaves at its end."""
    with _posted(router, client, provider, [text], limit, stream=True) as answer:
        assert answer.status == 200, (answer.status, answer.read())
        for event in events_of(answer):
            if event.get("type") == "content_block_delta" or "content" in str(event.get("choices")):
                break
        yield


def refusal_of(router: str, client: Client, provider: str, text: str, limit: int) -> tuple[int, Json]:
    """Ask what is refused; return the status and the error's body."""
    with _posted(router, client, provider, [text], limit, stream=False) as answer:
        return answer.status, json.loads(answer.read())


def events_of(lines: Iterable[bytes]) -> Iterator[Json]:
    """Give the data of server-sent events, up to the end of their stream."""
    for line in lines:
        if line.startswith(b"data: ") and line.strip() != b"data: [DONE]":
            yield json.loads(line[6:])


@contextmanager
def _posted(
    router: str, client: Client, provider: str, turns: Sequence[str], limit: int, *, stream: bool
) -> Iterator[http.client.HTTPResponse]:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(turns)]
    body = {"model": provider, "max_tokens": limit, "stream": stream, "temperature": 0, "messages": messages}
    more = client.more if stream else {}
    connection = http.client.HTTPConnection(urlsplit(router).netloc, timeout=ANSWER_LIMIT_S)
    try:
        written = json.dumps(body | more).encode()
        connection.request("POST", client.path, written, {"content-type": "application/json"})
        answer = connection.getresponse()
        try:
            yield answer
        finally:
            answer.close()
    finally:
        connection.close()
