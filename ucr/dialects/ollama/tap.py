"""The tap on Ollama's lines that pass through, and the check of a whole answer.

The only thing that is changed is the name of the model, where the client asked by another one.
"""

from ucr import jsontext, sse
from ucr.dialects.event_tap import EventTap
from ucr.dialects.ollama.errors import line_of
from ucr.dialects.ollama.reply import parsed
from ucr.dialects.ollama.usage import usage_of
from ucr.dialects.openai_chat import errors
from ucr.dialects.openai_chat.source import object_of
from ucr.dialects.roles import Context, Summary
from ucr.errors import UpstreamError
from ucr.jsontext import JsonError, JsonObject
from ucr.ndjson import LineSplitter

_CONTENT = ("content", "thinking", "tool_calls")


class OllamaTap(EventTap):
    """Passes lines on and reads usage, the reason to stop and errors from them.

    The commit point is the first line with content, or the last one.
    """

    framing_bytes = 110

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._splitter = LineSplitter()
        self._is_mapped = context.model_asked != context.model_used
        self._has_calls = False

    def open_early(self, message_id: str) -> bytes:
        """Return nothing: there is nothing that these clients would take for a sign of life."""
        return b""

    def _take_one(self, block: bytes) -> None:
        self._block_bytes = len(block)
        if not block.strip():
            return self._hold(block)
        return self._read(block, sse.SseEvent(None, block.decode("utf-8", "replace")))

    def _event(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        error = errors.error_in(value, self._context)
        if error is not None:
            self._fail(error, block)
            return b""
        message = object_of(value.get("message"))
        self._has_calls = self._has_calls or bool(message.get("tool_calls"))
        if value.get("done") is True:
            self.is_finished = True
            self._usage = usage_of(value)
            self._stop_reason = reason_of(value, has_calls=self._has_calls)
        if self.is_finished or any(message.get(key) for key in _CONTENT):
            self._commit()
        return renamed(value, self._context) + b"\n" if self._is_mapped else block

    def _take_last(self, rest: bytes) -> None:
        """Read a last line without its LF; one that was cut off is left out."""
        try:
            jsontext.loads(rest)
        except JsonError:
            return
        self._take([rest])

    def _error_event(self, error: UpstreamError) -> bytes:
        return line_of(error)


def reason_of(value: JsonObject, *, has_calls: bool) -> str:
    """Return why an answer ended, in the canonical words."""
    if value.get("done_reason") == "length":
        return "max_tokens"
    return "tool_use" if has_calls else "end_turn"


def pass_reply(body: bytes, context: Context) -> tuple[bytes, Summary]:
    """Check a whole answer, put the model's name back, and read its usage.

    Raise `UpstreamError` for an error in it and for what is no answer.
    """
    value = parsed(body, context)
    has_calls = bool(object_of(value.get("message")).get("tool_calls"))
    summary = Summary(usage_of(value), reason_of(value, has_calls=has_calls))
    return (body if context.model_asked == context.model_used else renamed(value, context)), summary


def renamed(value: JsonObject, context: Context) -> bytes:
    """Return a line with the name that the client asked for."""
    return jsontext.dumps({**value, "model": context.model_asked} if "model" in value else value)
