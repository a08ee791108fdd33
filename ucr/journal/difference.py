"""What two answers to one request have in common, event for event. Pure.

How this works. An answer in any dialect, whole or streamed, becomes a list of events, and each event one line of JSON
without what differs every time (ids, times). Events that only carry on a text, an argument or a thought are joined:
where one provider cuts its deltas is no difference.
"""

import difflib
import json
from collections.abc import Iterable
from typing import Any

from ucr.jsontext import JsonObject, dumps

_VOLATILE = frozenset(
    {
        *("id", "message_id", "item_id", "response_id", "responseId", "tool_use_id", "call_id", "request_id"),
        *("created", "created_at", "completed_at", "createTime", "system_fingerprint", "sequence_number"),
        *("obfuscation", "model", "modelVersion", "usage", "usageMetadata"),
        *("total_duration", "load_duration", "prompt_eval_duration", "eval_duration"),
    }
)
_CONTINUED = frozenset(
    {
        *(
            "text",
            "thinking",
            "partial_json",
            "signature",
            "content",
            "reasoning_content",
            "arguments",
            "delta",
        ),
        *("response", "reasoning"),
    }
)
_END = "[DONE]"


def events_of(answer: str) -> list[Any]:
    """Return the events of an answer: of a stream each one, of a whole answer only itself."""
    text = answer.strip()
    if text.startswith(("{", "[")):
        return [_plain(line) for line in ([text] if _is_json(text) else text.splitlines()) if line.strip()]
    data = (line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:"))
    return [_plain(line) for line in data if line != _END]


def outline(answer: str) -> list[str]:
    """Return an answer as lines to be compared."""
    joined: list[Any] = []
    for event in map(_lasting, events_of(answer)):
        if event == {"type": "ping"}:
            continue
        if joined and _shape(joined[-1]) == _shape(event) and _continues(event):
            joined[-1] = _joined(joined[-1], event)
        else:
            joined.append(event)
    return [dumps(event).decode() for event in joined]


def differences(before: str, after: str) -> list[str]:
    """Return the lines that differ between two answers with `-` and `+`, and those around them; none if they are alike."""
    lines: Iterable[str] = difflib.unified_diff(
        outline(before), outline(after), "kept", "now", n=2, lineterm=""
    )
    return list(lines)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _plain(line: str) -> Any:
    """Return an event; what is no JSON is told as it is."""
    try:
        return json.loads(line)
    except ValueError:
        return {"unreadable": line}


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if key not in _VOLATILE}
    return [_lasting(item) for item in value] if isinstance(value, list) else value


def _shape(value: Any) -> Any:
    """Return an event without the texts that the next one may carry on."""
    if isinstance(value, dict):
        return {
            key: None if key in _CONTINUED and isinstance(item, str) else _shape(item)
            for key, item in value.items()
        }
    return [_shape(item) for item in value] if isinstance(value, list) else value


def _continues(value: Any) -> bool:
    if isinstance(value, dict):
        return any(
            (key in _CONTINUED and isinstance(item, str)) or _continues(item) for key, item in value.items()
        )
    return isinstance(value, list) and any(map(_continues, value))


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, dict):
        joined: JsonObject = {}
        for key, item in first.items():
            is_text = key in _CONTINUED and isinstance(item, str)
            joined[key] = item + second[key] if is_text else _joined(item, second[key])
        return joined
    if isinstance(first, list):
        return [_joined(one, other) for one, other in zip(first, second, strict=True)]
    return first
