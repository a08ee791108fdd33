"""Messages of the chat dialect in Ollama's form: text alone, images beside it, arguments as objects."""

from collections.abc import Iterable

from ucr import jsontext
from ucr.dialects.openai_chat.content import SEPARATOR
from ucr.dialects.openai_chat.media import clean_base64, texts_of
from ucr.dialects.openai_chat.source import objects_of
from ucr.jsontext import JsonObject, RawJson


def written(messages: Iterable[JsonObject]) -> list[JsonObject]:
    """Return messages as Ollama takes them; a result is told the name of its tool, for it may not know the id."""
    names: dict[str, str] = {}
    return [_message(message, names) for message in messages]


def _message(message: JsonObject, names: dict[str, str]) -> JsonObject:
    content = message.get("content")
    parts = objects_of(content)
    made: JsonObject = {
        "role": message["role"],
        "content": content if isinstance(content, str) else SEPARATOR.join(texts_of(parts)),
    }
    images = [clean_base64(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"]
    if images:
        made["images"] = images
    if message.get("reasoning_content"):
        made["thinking"] = message["reasoning_content"]
    if "tool_calls" in message:
        made["tool_calls"] = [_call(call, index, names) for index, call in enumerate(message["tool_calls"])]
    if message["role"] == "tool":
        id_ = message["tool_call_id"]
        made |= {"tool_name": names.get(id_, ""), "tool_call_id": id_}
    return made


def _call(call: JsonObject, index: int, names: dict[str, str]) -> JsonObject:
    function = call["function"]
    names[call["id"]] = function["name"]
    given = RawJson(jsontext.object_text(function["arguments"]))
    return {"id": call["id"], "function": {"index": index, "name": function["name"], "arguments": given}}
