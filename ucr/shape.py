"""The shape of a request: what a model must be able to take to serve it."""

from collections.abc import Iterator
from typing import Any

from ucr.config.model import Provider
from ucr.jsontext import JsonObject

_IMAGES = frozenset({"image", "image_url", "input_image"})
_DATA = ("inlineData", "inline_data", "fileData", "file_data")
_TURNS = ("messages", "input", "contents")
_LISTS = ("content", "parts", "output")
_TABLES = ("functionResponse", "function_response", "source")
"""Where the client dialects keep turns, and the parts of a turn, of a tool's result or of a document."""


def has_images(body: JsonObject) -> bool:
    """True when a message, or the result of a tool in one, shows an image; in any client dialect."""
    listed = list(turns(body))
    is_beside = any(_has_pictures(turn) for turn in (body, *listed))
    return is_beside or any(_is_image(part) for part in _parts(listed))


def turns(body: JsonObject) -> tuple[JsonObject, ...]:
    """Return the turns of a conversation, in any client dialect."""
    return tables(next((body[key] for key in _TURNS if key in body), None))


def first_user_turn(body: JsonObject) -> JsonObject:
    """Return what the user said first; an empty turn when nobody did."""
    return _user_turn(iter(_listed(body)))


def last_user_turn(body: JsonObject) -> JsonObject:
    """Return what the user, or a tool, said last; an empty turn when nobody did."""
    return _user_turn(reversed(_listed(body)))


def _listed(body: JsonObject) -> list[Any]:
    listed = next((body[key] for key in _TURNS if key in body), None)
    return listed if isinstance(listed, list) else []


def _user_turn(turns: Iterator[Any]) -> JsonObject:
    return next((turn for turn in turns if isinstance(turn, dict) and turn.get("role") == "user"), {})


def table(value: Any) -> JsonObject:
    """Return an object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def tables(value: Any) -> tuple[JsonObject, ...]:
    """Return the objects of a list; none for anything else."""
    return tuple([item for item in value if isinstance(item, dict)]) if isinstance(value, list) else ()


def texts(content: Any) -> tuple[str, ...]:
    """Return what a content says in words, part by part."""
    if isinstance(content, str):
        return (content,)
    said = [part.get("text") for part in tables(content)]
    return tuple([text for text in said if isinstance(text, str)])


def turn_texts(turn: JsonObject) -> tuple[str, ...]:
    """Return what a turn says in words, part by part."""
    return texts(turn.get("content") or turn.get("parts"))


def _is_image(part: JsonObject) -> bool:
    type_ = part.get("type")
    if isinstance(type_, str):
        return type_ in _IMAGES
    data = table(next((part[key] for key in _DATA if key in part), None))
    return str(data.get("mimeType") or data.get("mime_type")).startswith("image/")


def _has_pictures(turn: JsonObject) -> bool:
    """True for a turn with images beside its text, as Ollama has them: a list of base64 texts."""
    pictures = turn.get("images")
    return isinstance(pictures, list) and any(isinstance(picture, str) for picture in pictures)


def _parts(pending: list[JsonObject]) -> Iterator[JsonObject]:
    """Give every part of every content list, those inside of other parts too."""
    while pending:
        item = pending.pop()
        for key in _LISTS:
            content = item.get(key)
            if isinstance(content, list):
                parts = [part for part in content if isinstance(part, dict)]
                yield from parts
                pending += parts
        pending += [inner for key in _TABLES if isinstance(inner := item.get(key), dict)]


def fits(provider: Provider, model: str, body: JsonObject) -> bool:
    """True when a model of a provider can take what a request holds, as far as is known of it."""
    quirks = provider.quirks
    if body.get("tools") and not quirks.tools:
        return False
    return quirks.takes_images(model) or not has_images(body)
