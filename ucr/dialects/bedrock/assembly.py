"""One Converse answer being put together: its start, its content, and its end.

Claude's thinking keeps the signature that Claude gave it, which every other place that serves Claude takes as well; other
models' thinking is sealed for this provider. Usage and the reason to stop come in either order, and end the answer
together.
"""

from typing import TypeAlias

from ucr import jsontext
from ucr.dialects import faults, tool_ids
from ucr.dialects.anthropic.family import family_of
from ucr.dialects.bedrock.usage import usage_of
from ucr.dialects.openai_chat.blocks import BlockWriter
from ucr.dialects.openai_chat.call import Fragment
from ucr.dialects.openai_chat.source import object_of, objects_of, text_of
from ucr.dialects.openai_chat.usage import estimated
from ucr.dialects.roles import Context
from ucr.events import (
    Event,
    MessageDelta,
    MessageStart,
    MessageStop,
    RedactedThinking,
    StopReason,
    TextDelta,
    ThinkingDelta,
    Usage,
)
from ucr.jsontext import JsonObject

HELD_LIMIT_CHARS = 64 * 1024 * 1024

FAILURES = ("malformed_model_output", "malformed_tool_use")
"""The answer is of no use, whatever of it there is."""

_REFUSALS = ("guardrail_intervened", "content_filtered")
_PLAIN: tuple[StopReason, ...] = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "model_context_window_exceeded",
)
_Kind: TypeAlias = type[TextDelta] | type[ThinkingDelta]


class Assembly:
    """What is known of the answer so far."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._is_claude = family_of(context.model_used) is not None
        self._writer: BlockWriter | None = None
        self._usage: Usage | None = None
        self._reason: str | None = None
        self._sequence: str | None = None
        self._chars = 0
        self._index: object = None
        self._kind: _Kind | None = None

    @property
    def is_started(self) -> bool:
        return self._writer is not None

    @property
    def is_finishing(self) -> bool:
        """True once the model has said why it stopped."""
        return self._reason is not None

    @property
    def is_whole(self) -> bool:
        """True once there is nothing that may still come."""
        return self._reason is not None and self._usage is not None

    def read(self, kind: str, value: JsonObject) -> list[Event]:
        """Take one event of a stream; raise `UpstreamError` when too much would be kept."""
        events = [] if self._writer is not None else [self._start(value)]
        writer = self._writer
        assert writer is not None
        index = value.get("contentBlockIndex")
        match kind:
            case "contentBlockStart":
                events += self._opened(index, object_of(value.get("start")), writer)
            case "contentBlockDelta":
                events += self._delta(index, object_of(value.get("delta")), writer)
            case "messageStop":
                self._stop(value)
            case "metadata":
                self._usage = usage_of(value)
        if writer.held_chars > HELD_LIMIT_CHARS:
            raise faults.unreadable(self._context.provider, "sent more tool input than UCR keeps")
        return events

    def read_whole(self, value: JsonObject) -> list[Event]:
        """Take a whole answer."""
        events = [self._start(value)]
        writer = self._writer
        assert writer is not None
        for index, block in enumerate(
            objects_of(object_of(object_of(value.get("output")).get("message")).get("content"))
        ):
            events += self._block(index, block, writer)
        self._stop(value)
        self._usage = usage_of(value)
        return events

    def end(self) -> list[Event]:
        """Write the end; raise `UpstreamError` for an answer that is of no use."""
        assert self._writer is not None
        if self._reason in FAILURES:
            words = f"provider '{self._context.provider}' stopped with reason '{self._reason}'"
            raise faults.upstream_error(self._context.provider, 500, words, code=str(self._reason))
        events = self._writer.finish(is_cut=self._reason == "max_tokens")
        usage = self._usage or Usage()
        counted = Usage(output_tokens=estimated(self._chars)).updated(usage)
        reason = self._stop_reason(self._writer.has_calls)
        sequence = self._sequence if reason == "stop_sequence" else None
        is_estimated = usage.output_tokens is None
        return [*events, MessageDelta(reason, counted, sequence, is_estimated=is_estimated), MessageStop()]

    def _start(self, value: JsonObject) -> Event:
        seed = f"{jsontext.dumps(value).decode()} {self._context.input_estimate} {self._context.model_used}"
        id_ = "msg_" + tool_ids.mint(seed).removeprefix("toolu_")
        self._writer = BlockWriter(self._context.provider, id_, self._context.names, in_pieces=True)
        return MessageStart(id_, self._context.model_asked, Usage(input_tokens=self._context.input_estimate))

    def _opened(self, index: object, start: JsonObject, writer: BlockWriter) -> list[Event]:
        use = start.get("toolUse")
        if not isinstance(use, dict):
            return []
        return self._call(index, text_of(use.get("toolUseId")), text_of(use.get("name")), "", writer)

    def _delta(self, index: object, delta: JsonObject, writer: BlockWriter) -> list[Event]:
        match delta:
            case {"text": str(text)}:
                return self._say(TextDelta, index, text, writer)
            case {"toolUse": {"input": str(piece)}}:
                return self._call(index, "", "", piece, writer)
            case {"reasoningContent": dict(reasoning)}:
                return self._reason_delta(index, reasoning, writer)
        return []

    def _block(self, index: int, block: JsonObject, writer: BlockWriter) -> list[Event]:
        match block:
            case {"text": str(text)}:
                return self._say(TextDelta, index, text, writer)
            case {"toolUse": dict(use)}:
                given = use.get("input")
                text = jsontext.dumps(given).decode() if isinstance(given, dict) else "{}"
                return self._call(index, text_of(use.get("toolUseId")), text_of(use.get("name")), text, writer)
            case {"reasoningContent": dict(reasoning)}:
                told = object_of(reasoning.get("reasoningText"))
                return self._reason_delta(index, {**reasoning, **told}, writer)
            case {"citationsContent": {"content": list(pieces)}}:
                texts = "".join(text_of(piece.get("text")) for piece in objects_of(pieces))
                return self._say(TextDelta, index, texts, writer)
        return []

    def _say(self, kind: _Kind, index: object, text: str, writer: BlockWriter) -> list[Event]:
        """Write text or thinking; what stands under another index is a block of its own."""
        if not text:
            return []
        self._chars += len(text)
        events = writer.begin(kind) if self._kind is kind and self._index != index else []
        self._kind, self._index = kind, index
        return [*events, *writer.add(kind, text)]

    def _call(self, index: object, id_: str, name: str, arguments: str, writer: BlockWriter) -> list[Event]:
        self._kind, self._chars = None, self._chars + len(arguments)
        place = index if isinstance(index, int) else None
        return writer.call(Fragment(place, id_, name, arguments), {})

    def _reason_delta(self, index: object, reasoning: JsonObject, writer: BlockWriter) -> list[Event]:
        if not self._context.thinking_wanted:
            return []
        events = self._say(ThinkingDelta, index, text_of(reasoning.get("text")), writer)
        signature, redacted = text_of(reasoning.get("signature")), text_of(reasoning.get("redactedContent"))
        if signature and self._is_claude:
            writer.thoughts(len(signature)).signature = signature
        elif signature:
            writer.thoughts(len(signature)).add_item({"signature": signature})
        if redacted and self._is_claude:
            events += writer.whole(RedactedThinking(redacted), len(redacted))
        elif redacted:
            writer.thoughts(len(redacted)).add_item({"redactedContent": redacted})
        return events

    def _stop(self, value: JsonObject) -> None:
        self._reason = text_of(value.get("stopReason")) or "end_turn"
        more = object_of(value.get("additionalModelResponseFields"))
        self._sequence = text_of(more.get("stop_sequence")) or None

    def _stop_reason(self, has_calls: bool) -> StopReason:
        if self._reason in _REFUSALS:
            return "refusal"
        known = next((reason for reason in _PLAIN if reason == self._reason), None)
        if known in (None, "end_turn", "tool_use"):
            return "tool_use" if has_calls else "end_turn"
        return known or "end_turn"
