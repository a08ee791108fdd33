"""One Gemini answer being put together from its chunks: its start, its content, and its end.

Of several candidates only the first is read. A call comes whole or, on Vertex AI, with its arguments in pieces,
which are kept until the next call begins or the answer ends. The thought signature of a call travels to the
client in a thinking block before it, for without it the next turn would be refused; hence also to a client that
wants no thinking. The signature of an answer without calls comes on an empty text at its end; it is not needed
and reaches only who wants to see thinking.
"""

import re
from collections.abc import Iterator

from ucr import jsontext
from ucr.dialects import faults, tool_ids
from ucr.dialects.gemini import finish
from ucr.dialects.gemini.contents import ENDING_SIGNATURE
from ucr.dialects.gemini.partial_args import PartialArgs
from ucr.dialects.gemini.usage import usage_of
from ucr.dialects.openai_chat.blocks import BlockWriter
from ucr.dialects.openai_chat.call import Fragment
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.dialects.openai_chat.usage import estimated
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Event, MessageDelta, MessageStart, MessageStop, TextDelta, ThinkingDelta, Usage
from ucr.jsontext import JsonObject

HELD_LIMIT_CHARS = 64 * 1024 * 1024

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
_ID_CHARS = 100


class Assembly:
    """What is known of the answer so far."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._writer: BlockWriter | None = None
        self._usage = Usage()
        self._reason: str | None = None
        self._words = ""
        self._calls = 0
        self._partial: PartialArgs | None = None
        self._held_chars = 0
        self._chars = 0
        self._has_content = False

    @property
    def is_started(self) -> bool:
        return self._writer is not None

    @property
    def is_finishing(self) -> bool:
        """True once the provider has said why it stopped."""
        return self._reason is not None

    def read(self, value: JsonObject) -> list[Event]:
        """Take a chunk, or a whole answer; raise `UpstreamError` when too much would be kept."""
        self._usage = self._usage.updated(usage_of(value))
        events: list[Event] = []
        if self._writer is None:
            start, self._writer = self._start(value)
            events.append(start)
        blocked = finish.block_in(value)
        if blocked is not None:
            self._reason, self._words = "SAFETY", finish.explanation_in(value) or f"blocked: {blocked}"
        candidate = first_candidate(value)
        for part in parts_in(candidate):
            events += self._part(part, self._writer)
        reason = finish.reason_in(candidate)
        if reason is not None and self._reason in (None, "STOP"):
            self._reason, self._words = reason, finish.explanation_in(candidate)
        if self._held_chars + self._writer.held_chars > HELD_LIMIT_CHARS:
            raise faults.unreadable(self._context.provider, "sent more tool input than UCR keeps")
        return events

    def end(self) -> list[Event]:
        """Write the end; raise `UpstreamError` for an answer that is of no use."""
        assert self._writer is not None
        error = finish.failure(self._reason, self._words, self._context, is_empty=not self._has_content)
        if error is not None:
            raise error
        is_cut = self._reason == "MAX_TOKENS"
        events = [*self._end_partial(self._writer), *self._writer.finish(is_cut=is_cut)]
        counted = Usage(output_tokens=estimated(self._chars)).updated(self._usage)
        return [
            *events,
            MessageDelta(
                finish.stop_reason(self._reason, has_calls=self._writer.has_calls),
                counted,
                stop_details=finish.refusal_details(self._reason, self._words),
                is_estimated=self._usage.output_tokens is None,
            ),
            MessageStop(),
        ]

    def failure(self) -> UpstreamError | None:
        """Return the error that the finish reason stands for whatever came before; None when there is none."""
        return finish.failure(self._reason, self._words, self._context, is_empty=False)

    def _start(self, value: JsonObject) -> tuple[MessageStart, BlockWriter]:
        id_ = _message_id(value)
        seed = f"{id_} {self._context.input_estimate}"
        known = Usage(self._usage.input_tokens, cache_read_tokens=self._usage.cache_read_tokens)
        begun = Usage(input_tokens=self._context.input_estimate).updated(known)
        writer = BlockWriter(self._context.provider, seed, self._context.names, in_pieces=False)
        return MessageStart(id_, self._context.model_asked, begun), writer

    def _part(self, part: JsonObject, writer: BlockWriter) -> list[Event]:
        call = part.get("functionCall")
        if isinstance(call, dict):
            return self._call(call, text_of(part.get("thoughtSignature")), writer)
        text = text_of(part.get("text"))
        self._chars += len(text)
        if part.get("thought") is True:
            return writer.add(ThinkingDelta, text) if text and self._context.thinking_wanted else []
        if text:
            self._has_content = True
            return writer.add(TextDelta, text)
        signature = text_of(part.get("thoughtSignature"))
        if signature and self._context.thinking_wanted:
            thoughts = writer.thoughts(len(signature))
            thoughts.add_extra(lambda: ENDING_SIGNATURE, _extra(signature))
        return []

    def _call(self, call: JsonObject, signature: str, writer: BlockWriter) -> list[Event]:
        """Take a call, or a piece of one: the first names it, the last is empty, or missing."""
        name, goes_on = text_of(call.get("name")), call.get("willContinue") is True
        pieces = call.get("partialArgs")
        events: list[Event] = []
        if name:
            events += self._end_partial(writer)
            has_args = isinstance(call.get("args"), dict) or not (goes_on or pieces)
            arguments = jsontext.dumps(object_of(call.get("args"))).decode() if has_args else ""
            fragment = Fragment(self._calls, text_of(call.get("id")), name, arguments)
            events += writer.call(fragment, _extra(signature) if signature else {})
            self._calls += 1
            self._has_content = True
            self._chars += len(name) + len(arguments)
            self._partial = None if has_args else PartialArgs()
        if self._partial is not None and isinstance(pieces, list):
            size = sum(self._partial.add(piece) for piece in pieces if isinstance(piece, dict))
            self._held_chars += size
            self._chars += size
        return events if goes_on else [*events, *self._end_partial(writer)]

    def _end_partial(self, writer: BlockWriter) -> list[Event]:
        partial, self._partial = self._partial, None
        if partial is None:
            return []
        arguments = jsontext.dumps(partial.value).decode()
        return writer.call(Fragment(self._calls - 1, arguments=arguments), {})


def first_candidate(value: JsonObject) -> JsonObject:
    """Return the first candidate, {} when there is none."""
    candidates = value.get("candidates")
    for candidate in candidates if isinstance(candidates, list) else ():
        if isinstance(candidate, dict) and candidate.get("index") in (0, None):
            return candidate
    return {}


def parts_in(candidate: JsonObject) -> Iterator[JsonObject]:
    """Give the parts of a candidate's content that are objects."""
    parts = object_of(candidate.get("content")).get("parts")
    yield from (part for part in (parts if isinstance(parts, list) else ()) if isinstance(part, dict))


def _extra(signature: str) -> JsonObject:
    return {"google": {"thought_signature": signature}}


def _message_id(value: JsonObject) -> str:
    id_ = text_of(value.get("responseId"))
    if id_:
        return "msg_" + _FOREIGN.sub("_", id_)[:_ID_CHARS]
    return "msg_" + tool_ids.mint(jsontext.dumps(value).decode()).removeprefix("toolu_")
