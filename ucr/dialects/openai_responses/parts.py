"""Content blocks as the input parts of a Responses request.

What a block comes to is decided where chat completions are written; only the shape of the parts differs, and that
a document may be named by its URL.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ucr.dialects.openai_chat.content import SEPARATOR
from ucr.dialects.openai_chat.content import parts_of as chat_parts
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

BREAKPOINT: Mapping[str, JsonObject] = MappingProxyType({"prompt_cache_breakpoint": {"mode": "explicit"}})
"""What a part bears that ends a reusable beginning of the prompt. OpenAI heeds the latest three."""


def parts_of(
    blocks: Iterable[JsonObject], target: Target, notes: Notes, *, marks: bool = False
) -> list[JsonObject]:
    """Return blocks as parts in order, with `marks` also their cache breakpoints.

    Raise `ApiError` 400 for an image to a model that takes none.
    """
    parts: list[JsonObject] = []
    for block in blocks:
        url = _document_url(block)
        if url and target.quirks.files:
            parts.append({"type": "input_file", "file_url": url})
        else:
            parts += [_input(part) for part in chat_parts((block,), target, notes)]
        if marks and parts and is_marked(block):
            parts[-1] = {**parts[-1], **BREAKPOINT}
    return parts


def content_of(parts: list[JsonObject], *, marks: bool = False) -> str | list[JsonObject]:
    """Return parts as content: joined when all are text.

    With `marks` they stay parts: breakpoints move on from turn to turn, and what is cached must not change with them.
    """
    if all(part["type"] == "input_text" for part in parts) and not (marks and parts):
        return SEPARATOR.join(part["text"] for part in parts)
    return parts


def is_marked(block: JsonObject) -> bool:
    """True for a block that a cache breakpoint follows."""
    return isinstance(block.get("cache_control"), dict)


def texts_of(parts: list[JsonObject]) -> list[str]:
    """Return the texts among parts."""
    return [part["text"] for part in parts if part["type"] == "input_text"]


def text_part(text: str) -> JsonObject:
    return {"type": "input_text", "text": text}


def _document_url(block: JsonObject) -> str:
    if block["type"] != "document":
        return ""
    source = object_of(block.get("source"))
    return text_of(source.get("url")) if source.get("type") == "url" else ""


def _input(part: JsonObject) -> JsonObject:
    match part:
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "input_image", "detail": "auto", "image_url": url}
        case {"type": "file", "file": dict(file)}:
            return {"type": "input_file", **file}
        case _:
            return text_part(part["text"])
