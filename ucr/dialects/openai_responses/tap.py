"""The tap on a Responses stream that passes through, and the check of a whole answer that does."""

from collections.abc import Sequence
from itertools import compress

from msgspec import Struct
from msgspec.json import Decoder

from ucr import sse
from ucr.dialects import model_name
from ucr.dialects.event_tap import EventTap, decoded
from ucr.dialects.openai_chat.source import object_of, objects_of, text_of
from ucr.dialects.openai_responses import client_errors, errors
from ucr.dialects.openai_responses.client_response import begun
from ucr.dialects.openai_responses.reply import response_of
from ucr.dialects.openai_responses.usage import usage_of
from ucr.dialects.roles import Context, Summary
from ucr.errors import UpstreamError
from ucr.events import Usage
from ucr.jsontext import JsonObject

_NAME = b"event: response."
_DELTA = b".delta"
_DATA = b"data: "
_ENDS = ("response.completed", "response.incomplete")
_STARTS = ("response.created", "response.in_progress", "response.queued")


class _Told(Struct, frozen=True, gc=False):
    """What an event of content must have; the rest of it is checked and skipped."""

    delta: str


_TOLD = Decoder(_Told)


class ResponsesTap(EventTap):
    """Passes events on and reads usage, status and errors from them.

    The commit point is the first piece of content, the first item that is done, or the end.
    """

    framing_bytes = 200
    lines = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._is_mapped = context.model_asked != context.model_used
        self._begun: JsonObject = {}

    def open_early(self, message_id: str) -> bytes:
        """Return nothing: comments keep these clients waiting."""
        return b""

    def _contents(self, columns: list[list[bytes]]) -> Sequence[bool] | None:
        names, datas = columns
        are_deltas = [
            name[-6:] == _DELTA and name[:16] == _NAME and data[:6] == _DATA
            for name, data in zip(names, datas, strict=True)
        ]
        texts = [data[6:] for data in compress(datas, are_deltas)]
        return None if decoded(_TOLD, texts) is None else are_deltas

    def _event(self, block: bytes, event: sse.SseEvent, value: JsonObject) -> bytes:
        kind = text_of(value.get("type")) or event.name or ""
        if kind in errors.FAILED and not self.is_finished:
            self._fail(errors.error_of(value, self._context), block)
            return b""
        if kind in _ENDS:
            self._end(object_of(value.get("response")))
        elif kind in _STARTS:
            self._begun = object_of(value.get("response"))
        elif kind.endswith(".delta") or kind == "response.output_item.done":
            self._commit()
        if not self._is_mapped or not (kind in _ENDS or kind in _STARTS):
            return block
        data = model_name.renamed(event.data.encode(), self._context.model_asked, inside="response")
        return self._with_data(block, event, data)

    def _end(self, response: JsonObject) -> None:
        self._commit()
        self.is_finished = True
        self._usage = self._usage.updated(usage_of(response.get("usage")) or Usage())
        self._stop_reason = stop_reason(response)

    def _error_event(self, error: UpstreamError) -> bytes:
        """Say that the response which the provider began has failed."""
        given, created_at = self._begun.get("id"), self._begun.get("created_at")
        id_ = given if isinstance(given, str) else "resp_unknown"
        when = created_at if type(created_at) is int else 0
        return client_errors.stream_error(error, 0, begun(id_, self._context.model_asked, when, {}))


def stop_reason(response: JsonObject) -> str:
    """Return why a response ended, in the words of the log."""
    incomplete = text_of(object_of(response.get("incomplete_details")).get("reason"))
    if incomplete:
        return {"max_output_tokens": "max_tokens", "content_filter": "refusal"}.get(incomplete, incomplete)
    kinds = [item.get("type") for item in objects_of(response.get("output"))]
    return "tool_use" if "function_call" in kinds or "custom_tool_call" in kinds else "end_turn"


def pass_reply(body: bytes, context: Context) -> tuple[bytes, Summary]:
    """Check a whole answer, put the model's name back, and read its usage.

    Raise `UpstreamError` for an error in it and for what is no response.
    """
    value = response_of(body, context)
    summary = Summary(usage_of(value.get("usage")) or Usage(), stop_reason(value))
    if context.model_asked == context.model_used:
        return body, summary
    return model_name.renamed(body, context.model_asked) or body, summary
