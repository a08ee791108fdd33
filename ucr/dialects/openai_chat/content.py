"""Content blocks as chat content: a string where there is only text, else a list of parts."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ucr.dialects.openai_chat.media import document_parts, image_parts, text_part, texts_of
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

SEPARATOR = "\n\n"

PLACEHOLDERS: Mapping[str, str] = MappingProxyType({"image_url": "image", "file": "file"})


def blocks_of(content: object) -> list[JsonObject]:
    """Return content as blocks with a type, without empty text."""
    if isinstance(content, str):
        content = [text_part(content)]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict) and not _is_empty(block)]


def _is_empty(block: JsonObject) -> bool:
    if not isinstance(block.get("type"), str):
        return True
    text = block.get("text")
    return block["type"] == "text" and not (isinstance(text, str) and text.strip())


def parts_of(blocks: Iterable[JsonObject], target: Target, notes: Notes) -> list[JsonObject]:
    """Return blocks as parts in order; a block that the dialect has no word for is dropped with a note."""
    keeps_marks = target.quirks.caches(target.model)
    parts: list[JsonObject] = []
    for block in blocks:
        made = _parts(block, target, notes)
        mark = block.get("cache_control")
        if keeps_marks and isinstance(mark, dict) and made:
            made[-1] = {**made[-1], "cache_control": mark}
        parts += made
    return parts


def _parts(block: JsonObject, target: Target, notes: Notes) -> list[JsonObject]:
    match block["type"]:
        case "text":
            return [text_part(block["text"])]
        case "image":
            return image_parts(block, target, notes)
        case "document":
            return [part for part in document_parts(block, target, notes) if part.get("text") != ""]
        case "search_result":
            return _texts(_search_result(block))
        case "tool_reference":
            return _texts(_tool_reference(block))
        case "compaction":
            content = block.get("content")
            return _texts(content if isinstance(content, str) else "")
        case other:
            notes.dropped(f"{other}_block")
            return []


def _texts(text: str) -> list[JsonObject]:
    return [text_part(text)] if text.strip() else []


def _search_result(block: JsonObject) -> str:
    lines = [value for key in ("title", "source") if isinstance(value := block.get(key), str)]
    texts = [b["text"] for b in blocks_of(block.get("content")) if b["type"] == "text"]
    return "\n".join([*lines, *texts])


def _tool_reference(block: JsonObject) -> str:
    name = block.get("tool_name")
    return f"The tool {name} is now loaded and can be called." if isinstance(name, str) else ""


def content_of(parts: list[JsonObject]) -> str | list[JsonObject]:
    """Return parts as content: joined when all are plain text."""
    if all(part["type"] == "text" and "cache_control" not in part for part in parts):
        return SEPARATOR.join(texts_of(parts))
    return parts


def text_and_media(parts: list[JsonObject]) -> tuple[str | list[JsonObject], list[JsonObject]]:
    """Part what a tool message can carry from what must follow in a user message."""
    media = [part for part in parts if part["type"] != "text"]
    stayed = [_placeholder(part) if part["type"] != "text" else part for part in parts]
    return content_of(stayed), media


def _placeholder(part: JsonObject) -> JsonObject:
    return text_part(f"[{PLACEHOLDERS.get(part['type'], 'attachment')}: see the next user message]")


def joined(first: Any, second: Any) -> str | list[JsonObject]:
    """Return two contents as one."""
    if isinstance(first, str) and isinstance(second, str):
        return SEPARATOR.join(text for text in (first, second) if text)
    return [*_as_parts(first), *_as_parts(second)]


def _as_parts(content: Any) -> list[JsonObject]:
    if isinstance(content, str):
        return [text_part(content)] if content else []
    return list(content or ())
