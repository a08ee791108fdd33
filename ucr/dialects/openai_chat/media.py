"""Images and documents as parts of a message.

What a provider cannot take is replaced by words that say so, to the model and (in a note) to the user; an
image for a model without eyes is refused, because an answer about an unseen image would be invented.
"""

import base64
import binascii
import re
from collections.abc import Iterable

from ucr.dialects.faults import unseen
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import blocks_of, object_of, text_of
from ucr.dialects.roles import Target
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*,", re.IGNORECASE)
_SPACE = re.compile(r"\s+")

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def text_part(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def clean_base64(data: str) -> str:
    """Return base64 text without a `data:` prefix and without white space, which some clients send."""
    match = _DATA_URL.match(data)
    return _SPACE.sub("", data[match.end() :] if match else data)


def sniffed_type(data: str) -> str | None:
    """Return the media type that the first bytes of base64 text prove, or None."""
    try:
        start = base64.b64decode(data[:24])
    except (binascii.Error, ValueError):
        return None
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    return next((type_ for magic, type_ in MAGIC if start.startswith(magic)), None)


def image_parts(block: JsonObject, target: Target, notes: Notes) -> list[JsonObject]:
    """Return an image block as parts; raise `ApiError` 400 for a model that takes none."""
    if not target.profile.takes_images:
        raise unseen(target)
    source = object_of(block.get("source"))
    match source:
        case {"type": "base64", "data": str(data)}:
            return [_image(_inline(data, source.get("media_type")))]
        case {"type": "url", "url": str(url)} if url.startswith("data:"):
            return [_image(_inline(url, None))]
        case {"type": "url", "url": str(url)} if target.quirks.image_urls:
            return [_image(url)]
        case {"type": "url", "url": str(url)}:
            raise _refused(f"provider '{target.provider}' loads no image by URL; send {url[:200]} as base64")
        case _:
            return [_absent("an image", "its source is not known here", notes)]


def _inline(data: str, declared: object) -> str:
    match = _DATA_URL.match(data)
    told = match.group(1) if match and match.group(1) else declared
    clean = clean_base64(data)
    media_type = sniffed_type(clean) or text_of(told) or "image/png"
    return f"data:{media_type};base64,{clean}"


def _image(url: str) -> JsonObject:
    return {"type": "image_url", "image_url": {"url": url}}


def document_parts(block: JsonObject, target: Target, notes: Notes) -> list[JsonObject]:
    """Return a document block as parts: its text, a file, its own blocks, or words about its absence."""
    source = object_of(block.get("source"))
    match source:
        case {"type": "text", "data": str(text)}:
            return [text_part(_headed(block, text))]
        case {"type": "base64", "data": str(data)} if _is_text(source.get("media_type")):
            return [text_part(_headed(block, _decoded(data)))]
        case {"type": "base64", "data": str(data)} if target.quirks.files:
            return [_file(block, data)]
        case {"type": "url", "url": str(url)}:
            notes.add("a document was passed as its URL")
            return [text_part(_headed(block, f"[document at {url}]"))]
        case {"type": "content", "content": str(text)}:
            return [text_part(_headed(block, text))]
        case {"type": "content", "content": list(inner)}:
            return _inner_parts(block, inner, target, notes)
        case _:
            why = f"provider '{target.provider}' takes no such files"
            return [_absent(_title(block) or "a document", why, notes)]


def _inner_parts(block: JsonObject, inner: list[object], target: Target, notes: Notes) -> list[JsonObject]:
    parts: list[JsonObject] = []
    for item in blocks_of(inner):
        if item["type"] == "text":
            parts.append(text_part(item["text"]))
        elif item["type"] == "image":
            parts += image_parts(item, target, notes)
        else:
            notes.dropped(f"{item['type']}_block")
    heading = _headed(block, "")
    return [text_part(heading), *parts] if heading and parts else parts


def _file(block: JsonObject, data: str) -> JsonObject:
    clean = clean_base64(data)
    media_type = sniffed_type(clean) or "application/pdf"
    file = {"filename": _title(block) or "document.pdf", "file_data": f"data:{media_type};base64,{clean}"}
    return {"type": "file", "file": file}


def _headed(block: JsonObject, text: str) -> str:
    lines = (_title(block), block.get("context"), text)
    return "\n".join(line for line in map(text_of, lines) if line)


def _title(block: JsonObject) -> str:
    return text_of(block.get("title"))


def _is_text(media_type: object) -> bool:
    return text_of(media_type).startswith("text/")


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(clean_base64(data), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return data


def _absent(what: str, why: str, notes: Notes) -> JsonObject:
    kind = "an image" if what == "an image" else "a document"
    notes.add(f"{kind} was replaced by a placeholder")
    return text_part(f"[{what} could not be passed to this model: {why}]")


def _refused(message: str) -> ApiError:
    return ApiError("invalid_request_error", message)


def texts_of(parts: Iterable[JsonObject]) -> list[str]:
    """Return the texts among parts."""
    return [part["text"] for part in parts if part["type"] == "text"]
