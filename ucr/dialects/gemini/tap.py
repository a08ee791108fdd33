"""The tap on a Gemini stream that passes through, and the check of a whole answer.

The only thing that is changed is the name of the model, in `modelVersion`, where the client asked by another one.
"""

from ucr import sse
from ucr.dialects import model_name
from ucr.dialects.event_tap import EventTap
from ucr.dialects.gemini import finish
from ucr.dialects.gemini.assembly import first_candidate, parts_in
from ucr.dialects.gemini.errors import body_of
from ucr.dialects.gemini.reply import parsed
from ucr.dialects.gemini.usage import usage_of
from ucr.dialects.openai_chat import errors
from ucr.dialects.roles import Context, Summary
from ucr.errors import UpstreamError
from ucr.jsontext import JsonObject


class GeminiTap(EventTap):
    """Passes chunks on and reads usage, finish reason and errors from them.

    The commit point is the first chunk with a part, with a finish reason, or with the refusal of the prompt.
    """

    framing_bytes = 60

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._is_mapped = context.model_asked != context.model_used
        self._has_calls = False

    def open_early(self, message_id: str) -> bytes:
        """Return nothing: there is nothing that these clients would take for a sign of life."""
        return b""

    def _take_one(self, block: bytes) -> None:
        """Leave comments out: Google sends none, and its clients take them for broken events."""
        if not block.startswith(b":") or b"\ndata" in block or b"\rdata" in block:
            super()._take_one(block)

    def _event(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        error = errors.error_in(value, self._context)
        if error is not None and self._stop_reason is None:
            self._fail(error, block)
            return b""
        self._usage = self._usage.updated(usage_of(value))
        candidate = first_candidate(value)
        parts = list(parts_in(candidate))
        self._has_calls = self._has_calls or any("functionCall" in part for part in parts)
        reason = reason_of(value, has_calls=self._has_calls)
        self._stop_reason = reason or self._stop_reason
        if parts or reason:
            self._commit()
        return self._with_data(block, event, self._renamed(event, value)) if self._is_mapped else block

    def _renamed(self, event: sse.SseEvent, value: JsonObject) -> bytes | None:
        if "modelVersion" not in value:
            return None
        return _renamed(event.data.encode(), self._context.model_asked)

    def _ending(self) -> bytes | None:
        """A stream that gave a finish reason is complete, and nothing more is expected."""
        return None if self._stop_reason is None else b""

    def _error_event(self, error: UpstreamError) -> bytes:
        return sse.encode(body_of(error))


def pass_reply(body: bytes, context: Context) -> tuple[bytes, Summary]:
    """Check a whole answer, put the model's name back, and read its usage.

    Raise `UpstreamError` for an error in it and for what is no answer.
    """
    value = parsed(body, context)[-1]
    has_calls = any("functionCall" in part for part in parts_in(first_candidate(value)))
    summary = Summary(usage_of(value), reason_of(value, has_calls=has_calls))
    if context.model_asked == context.model_used:
        return body, summary
    return _renamed(body, context.model_asked) or body, summary


def reason_of(value: JsonObject, *, has_calls: bool) -> str | None:
    """Return why an answer ended, in the canonical words; None while it goes on."""
    if finish.block_in(value) is not None:
        return "refusal"
    reason = finish.reason_in(first_candidate(value))
    if reason is None or reason in finish.FAILURES:
        return reason
    return finish.stop_reason(reason, has_calls=has_calls)


def _renamed(text: bytes, model: str) -> bytes | None:
    """Return an answer with the name that the client asked for, every other byte as it was; None when it has none."""
    return model_name.renamed(text, model, key=model_name.MODEL_VERSION)
