"""A client's messages in the words of the chat dialect, whose reader makes them canonical.

A call of a history, and the result that answers it, may come without an id: results then answer the calls of
the latest turn by the name of their tool, and in order.
"""

from collections.abc import Iterator
from typing import Any

from ucr.dialects.openai_chat.client_shape import array, object_, text
from ucr.dialects.openai_chat.media import clean_base64, sniffed_type
from ucr.jsontext import JsonObject


class Messages:
    """Reads messages in order."""

    def __init__(self) -> None:
        self._calls = 0
        self._open: list[tuple[str, str]] = []

    def read(self, message: Any, path: str) -> JsonObject:
        """Return a message; raise `ApiError` 400 for what cannot be one."""
        given = object_(message, path)
        made: JsonObject = {"role": given.get("role"), "content": self._content(given, path)}
        calls = given.get("tool_calls")
        if calls:
            where = f"{path}.tool_calls"
            self._open.clear()
            made["tool_calls"] = [
                self._call(object_(call, f"{where}[{index}]")) for index, call in enumerate(array(calls, where))
            ]
        if made["role"] == "tool":
            made["tool_call_id"] = given.get("tool_call_id") or self._answered(given.get("tool_name"))
        return made

    def _content(self, message: JsonObject, path: str) -> str | list[JsonObject]:
        content = message.get("content")
        words = "" if content is None else text(content, f"{path}.content")
        images = message.get("images")
        if not images:
            return words
        parts: list[JsonObject] = [{"type": "text", "text": words}] if words else []
        return [*parts, *pictures(images, f"{path}.images")]

    def _call(self, call: JsonObject) -> JsonObject:
        self._calls += 1
        id_ = call.get("id") or f"call_{self._calls}"
        function = call.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        self._open.append((str(name), id_))
        return {"id": id_, "type": "function", "function": function}

    def _answered(self, name: object) -> str:
        """Return the id of the call that a result answers, one of its own when there is none."""
        named = [entry for entry in self._open if entry[0] == name] or self._open
        if not named:
            return "call_0"
        answered = named[0]
        self._open.remove(answered)
        return answered[1]


def pictures(images: Any, path: str) -> Iterator[JsonObject]:
    """Give images, which are base64 text, as parts."""
    for index, image in enumerate(array(images, path)):
        data = clean_base64(text(image, f"{path}[{index}]"))
        url = f"data:{sniffed_type(data) or 'image/png'};base64,{data}"
        yield {"type": "image_url", "image_url": {"url": url}}
