"""Content blocks as the parts of a Gemini content.

Images and PDF files travel inside of the request or as addresses that Google loads; for whatever else a block may
be, the words of the chat dialect are used.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ucr.dialects.openai_chat.content import parts_of
from ucr.dialects.openai_chat.media import clean_base64, sniffed_type
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "gif": "image/gif",
        "heic": "image/heic",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "pdf": "application/pdf",
        "png": "image/png",
        "webp": "image/webp",
    }
)
_DEFAULT: Mapping[str, str] = MappingProxyType({"image": "image/png", "document": "application/pdf"})


def text_part(text: str) -> JsonObject:
    return {"text": text}


def block_parts(block: JsonObject, target: Target, notes: Notes) -> list[JsonObject]:
    """Return a block as parts; raise `ApiError` 400 for an image where the model takes none."""
    kind = block["type"]
    if kind == "text":
        return [text_part(block["text"])]
    if kind == "document" or (kind == "image" and target.profile.takes_images):
        source = object_of(block.get("source"))
        media = _media(kind, source)
        if media is not None:
            return [media]
    return [part for chat in parts_of([block], target, notes) if (part := _converted(chat)) is not None]


def is_media(part: JsonObject) -> bool:
    """True for a part that holds or names a file."""
    return "inlineData" in part or "fileData" in part


def inline(data: str, declared: object, default: str) -> JsonObject:
    """Return base64 text as a part; what its bytes prove to be goes before what it is declared to be."""
    clean = clean_base64(data)
    media_type = sniffed_type(clean) or text_of(declared) or default
    return {"inlineData": {"mimeType": media_type, "data": clean}}


def _media(kind: str, source: JsonObject) -> JsonObject | None:
    """Return the file of an image or a document; None for what is text, or not known here."""
    match source:
        case {"type": "base64", "data": str(data)}:
            declared = text_of(source.get("media_type"))
            return None if declared.startswith("text/") else inline(data, declared, _DEFAULT[kind])
        case {"type": "url", "url": str(url)} if url.startswith("data:"):
            return inline(url, url[5:].partition(",")[0].partition(";")[0], _DEFAULT[kind])
        case {"type": "url", "url": str(url)} if url:
            return _linked(url)
        case _:
            return None


def _linked(url: str) -> JsonObject:
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    known = _TYPES.get(ending)
    return {"fileData": {"fileUri": url} if known is None else {"fileUri": url, "mimeType": known}}


def _converted(part: JsonObject) -> JsonObject | None:
    """Return a part of the chat dialect as one of this one."""
    match part:
        case {"type": "text", "text": str(text)}:
            return text_part(text)
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return _media("image", {"type": "url", "url": url})
        case _:
            return None
