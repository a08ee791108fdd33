"""For readers that fail on what is not documented: only the documented part of a stream.

Some clients (the AI SDK for one) give up a whole turn at an event, a block or a delta of a type they do not
know, and repeat a request for ever at an unknown stop reason. Claude Code and Anthropic's own SDKs do not, and
get everything.
"""

from ucr.jsontext import JsonObject

EVENTS = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
)
BLOCKS = (
    "text",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
)
DELTAS = ("text_delta", "input_json_delta", "citations_delta", "thinking_delta", "signature_delta")
STOP_REASONS = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
)
"""All four are those of the `anthropic` SDK's types for the stable API."""


class Documented:
    """Filters one stream; the blocks that stay are numbered without gaps."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._blocks = 0
        self._has_started = False

    def kept(self, event: JsonObject) -> JsonObject | None:
        """Return what a strict reader may see: the same object where nothing changes, or None."""
        type_ = event.get("type")
        if type_ not in EVENTS:
            return None
        match type_:
            case "message_start":
                is_first, self._has_started = not self._has_started, True
                return event if is_first else None
            case "content_block_start":
                return self._opened(event)
            case "content_block_delta":
                return self._numbered(event) if _type(event.get("delta")) in DELTAS else None
            case "content_block_stop":
                return self._numbered(event)
            case "message_delta":
                return _with_known_reason(event)
        return event

    def _opened(self, event: JsonObject) -> JsonObject | None:
        index = event.get("index")
        if _type(event.get("content_block")) not in BLOCKS or not isinstance(index, int):
            return None
        self._numbers[index] = self._blocks
        self._blocks += 1
        return self._numbered(event)

    def _numbered(self, event: JsonObject) -> JsonObject | None:
        index = event.get("index")
        number = self._numbers.get(index) if isinstance(index, int) else None
        if number is None:
            return None
        return event if number == index else {**event, "index": number}


def _with_known_reason(event: JsonObject) -> JsonObject:
    delta = event.get("delta")
    if not isinstance(delta, dict) or delta.get("stop_reason") in STOP_REASONS:
        return event
    return {**event, "delta": {**delta, "stop_reason": "end_turn"}}


def _type(value: object) -> object:
    return value.get("type") if isinstance(value, dict) else None
