"""One answer of Ollama's being put together from its lines: its start, its content, and its end.

A call comes whole, in a line of its own or beside text, with or without an id; an index of 0 is left out. The
model says `stop` also when it calls tools, and the last line may have content.
"""

from ucr import jsontext
from ucr.dialects import faults, tool_ids
from ucr.dialects.ollama.usage import usage_of
from ucr.dialects.openai_chat.blocks import BlockWriter
from ucr.dialects.openai_chat.call import Fragment
from ucr.dialects.openai_chat.source import object_of, objects_of, text_of
from ucr.dialects.openai_chat.think_tags import Part, ThinkSplitter
from ucr.dialects.openai_chat.usage import estimated
from ucr.dialects.roles import Context
from ucr.events import (
    Event,
    MessageDelta,
    MessageStart,
    MessageStop,
    StopReason,
    TextDelta,
    ThinkingDelta,
    Usage,
)
from ucr.jsontext import JsonObject

HELD_LIMIT_CHARS = 64 * 1024 * 1024


class Assembly:
    """What is known of the answer so far; `is_done` is True once the model has said why it stopped."""

    def __init__(self, context: Context) -> None:
        self.is_done = False
        self._context = context
        self._writer: BlockWriter | None = None
        self._splitter = ThinkSplitter() if context.quirks.split_think else None
        self._usage = Usage()
        self._reason = ""
        self._calls = 0
        self._chars = 0

    @property
    def is_started(self) -> bool:
        return self._writer is not None

    def read(self, value: JsonObject) -> list[Event]:
        """Take a line, or a whole answer; raise `UpstreamError` when too much would be kept."""
        events: list[Event] = []
        if self._writer is None:
            start, self._writer = self._start(value)
            events.append(start)
        writer, message = self._writer, object_of(value.get("message"))
        events += self._words(writer, [("thinking", text_of(message.get("thinking")))])
        events += self._words(writer, self._split(text_of(message.get("content"))))
        for call in objects_of(message.get("tool_calls")):
            events += self._call(writer, call)
        if value.get("done") is True:
            self.is_done, self._reason = True, text_of(value.get("done_reason"))
            self._usage = usage_of(value)
        if writer.held_chars > HELD_LIMIT_CHARS:
            raise faults.unreadable(self._context.provider, "sent more tool input than UCR keeps")
        return events

    def end(self) -> list[Event]:
        """Write the end."""
        assert self._writer is not None
        rest = [] if self._splitter is None else self._splitter.close()
        events = [*self._words(self._writer, rest), *self._writer.finish(is_cut=self._reason == "length")]
        counted = Usage(output_tokens=estimated(self._chars)).updated(self._usage)
        is_estimated = self._usage.output_tokens is None
        return [*events, MessageDelta(self._stop_reason(), counted, is_estimated=is_estimated), MessageStop()]

    def _stop_reason(self) -> StopReason:
        if self._reason == "length":
            return "max_tokens"
        return "tool_use" if self._writer is not None and self._writer.has_calls else "end_turn"

    def _start(self, value: JsonObject) -> tuple[MessageStart, BlockWriter]:
        id_ = "msg_" + tool_ids.mint(jsontext.dumps(value).decode()).removeprefix("toolu_")
        context = self._context
        writer = BlockWriter(
            context.provider, f"{id_} {context.input_estimate}", context.names, in_pieces=False
        )
        return MessageStart(id_, context.model_asked, Usage(input_tokens=context.input_estimate)), writer

    def _split(self, text: str) -> list[Part]:
        return [("text", text)] if self._splitter is None else self._splitter.feed(text)

    def _words(self, writer: BlockWriter, parts: list[Part]) -> list[Event]:
        events: list[Event] = []
        for kind, text in parts:
            self._chars += len(text)
            if kind == "text":
                events += writer.add(TextDelta, text)
            elif self._context.thinking_wanted:
                events += writer.add(ThinkingDelta, text)
        return events

    def _call(self, writer: BlockWriter, call: JsonObject) -> list[Event]:
        function = object_of(call.get("function"))
        given, name = function.get("arguments"), text_of(function.get("name"))
        arguments = given if isinstance(given, str) else jsontext.dumps(object_of(given)).decode()
        fragment = Fragment(self._calls, text_of(call.get("id")), name, arguments)
        self._calls += 1
        self._chars += len(name) + len(arguments)
        return writer.call(fragment, {})
