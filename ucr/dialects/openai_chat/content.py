"""Content blocks as chat content: a string where there is only text, else a list of parts."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ucr.dialects.openai_chat.media import document_parts, image_parts, text_part, texts_of
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import blocks_of, text_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

SEPARATOR = "\n\n"

PLACEHOLDERS: Mapping[str, str] = MappingProxyType({"image_url": "image", "file": "file"})


def parts_of(blocks: Iterable[JsonObject], target: Target, notes: Notes) -> list[JsonObject]:
    """Return blocks as parts in order; a block that the dialect has no word for is dropped with a note."""
    keeps_marks = target.profile.caches
    parts: list[JsonObject] = []
    for block in blocks:
        made = [part for part in _parts(block, target, notes) if part.get("text", "_").strip()]
        mark = block.get("cache_control")
        if keeps_marks and isinstance(mark, dict) and made:
            made[-1] = {**made[-1], "cache_control": mark}
        parts += made
    return parts


def plain_text(blocks: Iterable[JsonObject], target: Target) -> str | None:
    """Return blocks as the string that `content_of` makes of them, without making parts first.

    Nearly all turns are text alone; None for blocks that are something else, or bear a mark that is kept. Blank
    texts must have been left out, as `blocks_of` does.
    """
    keeps_marks = target.profile.caches
    texts: list[str] = []
    for block in blocks:
        if block["type"] != "text" or (keeps_marks and isinstance(block.get("cache_control"), dict)):
            return None
        texts.append(block["text"])
    return SEPARATOR.join(texts)


def _parts(block: JsonObject, target: Target, notes: Notes) -> list[JsonObject]:
    match block["type"]:
        case "text":
            return [text_part(block["text"])]
        case "image":
            return image_parts(block, target, notes)
        case "document":
            return document_parts(block, target, notes)
        case "search_result":
            return [text_part(_search_result(block))]
        case "tool_reference":
            return [text_part(_tool_reference(block))]
        case "compaction":
            return [text_part(text_of(block.get("content")))]
        case other:
            notes.dropped(f"{other}_block")
            return []


def _search_result(block: JsonObject) -> str:
    lines = [text for key in ("title", "source") if (text := text_of(block.get(key)))]
    texts = [b["text"] for b in blocks_of(block.get("content")) if b["type"] == "text"]
    return "\n".join([*lines, *texts])


def _tool_reference(block: JsonObject) -> str:
    name = text_of(block.get("tool_name"))
    return f"The tool {name} is now loaded and can be called." if name else ""


def content_of(parts: list[JsonObject]) -> str | list[JsonObject]:
    """Return parts as content: joined when all are plain text."""
    if all(part["type"] == "text" and "cache_control" not in part for part in parts):
        return SEPARATOR.join(texts_of(parts))
    return parts


def reminder(text: str) -> str:
    """Return a system turn as the user's words, in which Claude Code itself says such things."""
    return f"<system-reminder>\n{text}\n</system-reminder>"


def error_text(text: str) -> str:
    """Return the result of a call as that of one that failed."""
    return f"Error: {text}".rstrip()


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
