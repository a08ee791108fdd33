"""The lines of an answer in Ollama's shape, of `/api/chat` or of `/api/generate`.

Source: `ChatResponse` and `GenerateResponse` in the API's types.
"""

from datetime import UTC, datetime

from ucr import jsontext
from ucr.events import StopReason, Usage
from ucr.jsontext import JsonObject


class Words:
    """Makes the lines of one answer; `now_s` is the Unix time that they all bear."""

    def __init__(self, model: str, now_s: float, *, generates: bool) -> None:
        created = datetime.fromtimestamp(int(now_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._head: JsonObject = {"model": model, "created_at": created}
        self._generates = generates

    def line(
        self, content: str = "", *, thinking: str = "", calls: list[JsonObject] | None = None, **end: object
    ) -> bytes:
        """Return a line that says this; `end` are the fields of the last one."""
        said: JsonObject = {"response" if self._generates else "content": content}
        if thinking:
            said["thinking"] = thinking
        if calls and not self._generates:
            said["tool_calls"] = calls
        body = said if self._generates else {"message": {"role": "assistant", **said}}
        return jsontext.dumps({**self._head, **body, "done": bool(end), **end}) + b"\n"


def ending(stop_reason: StopReason, usage: Usage) -> JsonObject:
    """Return the fields of the last line; counters that are not known are left out."""
    read = [usage.input_tokens, usage.cache_read_tokens, usage.cache_creation_tokens]
    told: JsonObject = {"done_reason": "length" if stop_reason == "max_tokens" else "stop"}
    if any(count is not None for count in read):
        told["prompt_eval_count"] = sum(count or 0 for count in read)
    if usage.output_tokens is not None:
        told["eval_count"] = usage.output_tokens
    return told


def call(id_: str, name: str, input_json: str, index: int) -> JsonObject:
    """Return a call; its arguments are an object, whatever text they came in."""
    given = jsontext.loads_text(jsontext.object_text(input_json))
    return {"id": id_, "function": {"index": index, "name": name, "arguments": given}}
