"""Reads a stream of Cohere's, event by event as chunks of chat completions; `message-end` ends it."""

from ucr.dialects.cohere.chunks import END, chat_chunk
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.events import Event
from ucr.jsontext import JsonObject


class CohereStreamDecoder(ChatStreamDecoder):
    """A `StreamDecoder`: every failure is a `Failed` event, and nothing is raised."""

    def _chunk(self, chunk: JsonObject, size: int, *, is_error: bool) -> list[Event]:
        events = super()._chunk(chat_chunk(chunk), size, is_error=is_error)
        if chunk.get("type") != END or self._is_over:
            return events
        return [*events, *self._end()]
