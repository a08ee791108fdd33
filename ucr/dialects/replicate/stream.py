"""Reads the stream of a prediction: its output in pieces, which are plain text, and how it ended."""

from ucr import jsontext, sse
from ucr.dialects import faults
from ucr.dialects.openai_chat.blocks import BlockWriter
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.dialects.replicate.reply import ending, message_id
from ucr.dialects.roles import Context
from ucr.dialects.tool_ids import mint
from ucr.errors import UpstreamError
from ucr.events import Event, Failed, MessageStart, TextDelta, Usage
from ucr.jsontext import JsonError, JsonObject


class ReplicateStreamDecoder:
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    stretch = None

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sse = sse.Decoder()
        self._writer: BlockWriter | None = None
        self._chars = 0
        self._is_over = False

    @property
    def is_finishing(self) -> bool:
        """False always: nothing comes after the end."""
        return False

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes; return the events completed by them."""
        if self._is_over:
            return []
        try:
            return self._read(self._sse.feed(data))
        except sse.SseError as error:
            return self._fail(self._unreadable(str(error)))

    def close(self) -> list[Event]:
        """Say that the bytes are at their end."""
        if self._is_over:
            return []
        try:
            events = self._read(self._sse.close())
        except sse.SseError as error:
            return self._fail(self._unreadable(str(error)))
        return events if self._is_over else [*events, *self._fail(faults.cut_short(self._context.provider))]

    def _read(self, read: list[sse.SseEvent]) -> list[Event]:
        events: list[Event] = []
        for one in read:
            if self._is_over:
                break
            match one.name:
                case "output":
                    events += self._say(one.data)
                case "error":
                    events += self._fail(self._failure(one.data))
                case "done":
                    events += self._end(one.data)
        return events

    def _say(self, text: str) -> list[Event]:
        self._chars += len(text)
        return [*self._begun(), *self._writing().add(TextDelta, text)]

    def _begun(self) -> list[Event]:
        if self._writer is not None:
            return []
        id_ = message_id(
            mint(f"{self._context.model_used} {self._context.input_estimate}").removeprefix("toolu_")
        )
        self._writer = BlockWriter(self._context.provider, id_, {}, in_pieces=True)
        return [MessageStart(id_, self._context.model_asked, Usage(input_tokens=self._context.input_estimate))]

    def _writing(self) -> BlockWriter:
        assert self._writer is not None
        return self._writer

    def _end(self, data: str) -> list[Event]:
        reason = text_of(_object(data).get("reason"))
        if reason in ("error", "canceled"):
            words = f"provider '{self._context.provider}': the prediction ended in '{reason}'"
            return self._fail(faults.upstream_error(self._context.provider, 500, words))
        begun = self._begun()
        self._is_over = True
        return [*begun, *self._writing().finish(is_cut=False), *ending(self._chars, Usage())]

    def _failure(self, data: str) -> UpstreamError:
        words = text_of(_object(data).get("detail")) or data.strip()
        return faults.upstream_error(self._context.provider, 500, words[:2000])

    def _fail(self, error: UpstreamError) -> list[Event]:
        self._is_over = True
        return [Failed(error)]

    def _unreadable(self, why: str) -> UpstreamError:
        return faults.unreadable(self._context.provider, f"sent a stream that cannot be read: {why}")


def _object(data: str) -> JsonObject:
    try:
        return object_of(jsontext.loads_text(data))
    except JsonError:
        return {}
