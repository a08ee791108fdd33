"""The tap on a chat-completions stream that passes through, and the check of a whole answer."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder

from ucr import jsontext, sse
from ucr.dialects import faults, model_name
from ucr.dialects.event_tap import EventTap, decoded
from ucr.dialects.roles import Context, Summary
from ucr.errors import UpstreamError
from ucr.events import MOST_TOKENS, Usage
from ucr.jsontext import JsonError, JsonObject

_DONE = b"data: [DONE]\n\n"
_CONTENT = (
    "content",
    "tool_calls",
    "function_call",
    "refusal",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
)


class _ToldChoice(Struct, frozen=True, gc=False):
    finish_reason: Any = None


class _ToldChunk(Struct, frozen=True, gc=False):
    """What a chunk may say besides content; the rest of it is checked and skipped."""

    choices: list[_ToldChoice] | None = None
    usage: Any = None
    error: Any = None
    x_groq: Any = None


_TOLD = Decoder(_ToldChunk)
_CHUNK = b"data: {"
_NO_CHUNK = b"{}"
"""Stands for what is no chunk, such as a comment or the last line."""
_STATUS_OF_WORD = (
    ("insufficient_quota", 429),
    ("rate_limit", 429),
    ("overloaded", 503),
    ("authentication", 401),
    ("invalid_api_key", 401),
    ("permission", 403),
    ("not_found", 404),
    ("invalid_request", 400),
    ("context_length", 400),
    ("tool_use_failed", 400),
)


class ChatTap(EventTap):
    """Passes chunks on and reads usage, finish reason and errors from them.

    The commit point is the first chunk with content of any kind, or with a finish reason.
    """

    framing_bytes = 200
    lines = 1

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._is_mapped = context.model_asked != context.model_used
        self._new_name = b'"model":' + jsontext.dumps(context.model_asked)
        self._old_name = b""

    def open_early(self, message_id: str) -> bytes:
        """Return nothing: comments keep these clients waiting, and any chunk would be taken for an answer."""
        return b""

    def _contents(self, columns: list[list[bytes]]) -> Sequence[bool] | None:
        """Say which blocks say nothing but content: no error, no end, no usage, and not only a sign of life."""
        chunks = decoded(_TOLD, [line[6:] if line[:7] == _CHUNK else _NO_CHUNK for line in columns[0]])
        if chunks is None:
            return None
        contents = []
        for chunk in chunks:
            is_content = bool(chunk.choices) and not (chunk.error or chunk.usage or chunk.x_groq)
            for choice in chunk.choices or ():
                if choice.finish_reason:
                    is_content = False
            contents.append(is_content)
        return contents

    def _passed(self, blocks: bytes, count: int) -> bytes | None:
        """Put the name back that the client asked for, where it stands in each chunk once, as it stood before."""
        if not self._is_mapped:
            return blocks
        old = self._old_name
        if not old or (blocks.count(old) != 1 if count == 1 else not _is_in_each(old, blocks)):
            return None
        return blocks.replace(old, self._new_name)

    def _event(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        if value.get("error") and self._stop_reason is None:
            self._fail(stream_error(self._context.provider, value, event.data.encode()), block)
            return b""
        if value.get("usage") or "x_groq" in value:
            self._usage = self._usage.updated(usage_of(value))
        for choice in choices_of(value):
            reason = _finish(choice)
            self._stop_reason = reason or self._stop_reason
            if reason or _has_content(choice.get("delta")):
                self._commit()
        if not self._is_mapped:
            return block
        self._old_name = b'"model":' + jsontext.dumps(value.get("model"))
        return self._with_data(block, event, model_name.renamed(event.data.encode(), self._context.model_asked))

    def _done(self, block: bytes) -> bytes:
        self._commit()
        self.is_finished = True
        return block

    def _ending(self) -> bytes | None:
        """A stream that gave a finish reason is complete; the clients still wait for its last line."""
        return None if self._stop_reason is None else _DONE

    def _error_event(self, error: UpstreamError) -> bytes:
        words = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
        return sse.encode(jsontext.dumps({"error": words}))


def pass_reply(body: bytes, context: Context) -> tuple[bytes, Summary]:
    """Check a whole answer, put the model's name back, and read its usage.

    Raise `UpstreamError` for an error in it and for what is no chat completion.
    """
    value = _completion(body, context.provider)
    reason = next((finish for choice in choices_of(value) if (finish := _finish(choice))), None)
    summary = Summary(usage_of(value), reason)
    if context.model_asked == context.model_used:
        return body, summary
    return model_name.renamed(body, context.model_asked) or body, summary


def usage_of(value: JsonObject) -> Usage:
    """Read the counters of an answer or a chunk; what was cached is taken out of the input."""
    counters = value.get("usage")
    if not isinstance(counters, dict):
        groq = value.get("x_groq")
        counters = groq.get("usage") if isinstance(groq, dict) else None
    if not isinstance(counters, dict):
        return Usage()
    before, after = _details(counters, "prompt"), _details(counters, "completion")
    prompt = _count(counters, "prompt_tokens")
    cached, stored = _count(before, "cached_tokens"), _count(before, "cache_write_tokens")
    return Usage(
        input_tokens=None if prompt is None else max(0, prompt - (cached or 0) - (stored or 0)),
        output_tokens=_count(counters, "completion_tokens"),
        cache_read_tokens=cached,
        cache_creation_tokens=stored,
        thinking_tokens=_count(after, "reasoning_tokens"),
    )


def stream_error(provider: str, value: JsonObject, body: bytes) -> UpstreamError:
    """Read an error object that came where an answer should be; its words stand for the missing status."""
    error = value.get("error")
    if not isinstance(error, dict):
        return faults.upstream_error(provider, 500, str(error), body=body)
    code, type_, message = error.get("code"), error.get("type"), error.get("message")
    words = f"{code} {type_}".lower()
    status = next((status for word, status in _STATUS_OF_WORD if word in words), 500)
    if type(code) is int and 400 <= code < 600:
        status = code
    return faults.upstream_error(
        provider,
        status,
        message if isinstance(message, str) else "",
        code=code if isinstance(code, str) else type_ if isinstance(type_, str) else "",
        body=body,
    )


def choices_of(value: JsonObject) -> list[JsonObject]:
    """Return the choices that are objects."""
    choices = value.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def messages_of(value: JsonObject) -> list[JsonObject]:
    """Return the choices whose message is one: its content text, parts, or nothing."""
    choices = choices_of(value)
    return [choice for choice in choices if _is_message(choice.get("message"))]


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("content"), str | list | None)


def _is_in_each(name: bytes, blocks: bytes) -> bool:
    """True when a name stands once in each block."""
    counts = [block.count(name) for block in blocks.split(b"\n\n")[:-1]]
    return counts == [1] * len(counts)


def _completion(body: bytes, provider: str) -> JsonObject:
    try:
        value = jsontext.loads(body)
    except JsonError:
        raise faults.unreadable(provider, "answered what is not JSON", body) from None
    if isinstance(value, dict) and value.get("error"):
        raise stream_error(provider, value, body)
    if not isinstance(value, dict) or not messages_of(value):
        raise faults.unreadable(provider, "answered what is not a chat completion", body)
    return value


def _finish(choice: JsonObject) -> str | None:
    reason = choice.get("finish_reason")
    return reason if reason and isinstance(reason, str) else None


def _has_content(delta: object) -> bool:
    return isinstance(delta, dict) and any(map(delta.get, _CONTENT))


def _details(counters: JsonObject, side: str) -> JsonObject:
    details = counters.get(f"{side}_tokens_details")
    return details if isinstance(details, dict) else {}


def _count(counters: JsonObject, key: str) -> int | None:
    value = counters.get(key)
    return min(value, MOST_TOKENS) if type(value) is int and value >= 0 else None
