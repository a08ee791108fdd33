"""Content blocks as those of Bedrock's Converse: `{"text": …}`, `{"image": …}`, and so on.

Images and documents travel inside of the request alone; for whatever else a block may be, the words of the chat
dialect are used. Source: the model of the Bedrock runtime, `ContentBlock`.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ucr.dialects.openai_chat.content import parts_of
from ucr.dialects.openai_chat.media import clean_base64, sniffed_type
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

NAME_CHARS = 180
ATTACHED = "Attached:"
"""A message with documents must have words, too."""

_IMAGES: Mapping[str, str] = MappingProxyType(
    {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DOCUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "application/pdf": "pdf",
        "application/msword": "doc",
        "application/vnd.ms-excel": "xls",
        _WORD: "docx",
        _SHEET: "xlsx",
    }
)
_UNFIT = re.compile(r"[^A-Za-z0-9()\[\]-]+")


class Content:
    """Writes blocks; the documents of one request are numbered, for no two may have one name."""

    def __init__(self, target: Target, notes: Notes) -> None:
        self._target = target
        self._notes = notes
        self._documents = 0

    def parts(self, blocks: Iterable[JsonObject], *, with_marks: bool = True) -> list[JsonObject]:
        """Return blocks in order, each mark of a cache as a point behind its block.

        Raise `ApiError` 400 for an image that the model cannot be shown.
        """
        parts: list[JsonObject] = []
        for block in blocks:
            made = self._parts(block)
            parts += made
            if made and with_marks:
                parts += self.mark(block)
        return parts

    def mark(self, block: JsonObject) -> list[JsonObject]:
        """Return the point that stands behind a block with a mark of the cache; nothing for all others."""
        mark = block.get("cache_control")
        if not isinstance(mark, dict) or not self._target.profile.caches:
            return []
        ttl = {"ttl": mark["ttl"]} if mark.get("ttl") == "1h" else {}
        return [{"cachePoint": {"type": "default", **ttl}}]

    def _parts(self, block: JsonObject) -> list[JsonObject]:
        kind = block["type"]
        if kind == "text":
            return [{"text": block["text"]}]
        media = self._media(kind, block) if kind in ("image", "document") else None
        if media is not None:
            return [media]
        chat = parts_of([{**block, "cache_control": None}], self._target, self._notes)
        return [{"text": part["text"]} for part in chat if part["type"] == "text"]

    def _media(self, kind: str, block: JsonObject) -> JsonObject | None:
        """Return an image or a file that is in the request; None for what is not, or is text."""
        source = object_of(block.get("source"))
        data = source.get("data") if source.get("type") == "base64" else source.get("url")
        is_inside = source.get("type") == "base64" or text_of(data).startswith("data:")
        if not is_inside or not isinstance(data, str):
            return None
        declared = data[5:].partition(",")[0].partition(";")[0] if data.startswith("data:") else ""
        clean = clean_base64(data)
        media_type = sniffed_type(clean) or declared or text_of(source.get("media_type"))
        if kind == "document":
            return self._document(block, media_type, clean)
        if not self._target.profile.takes_images:
            return None
        return {"image": {"format": _IMAGES.get(media_type, "png"), "source": {"bytes": clean}}}

    def _document(self, block: JsonObject, media_type: str, data: str) -> JsonObject | None:
        if media_type.startswith("text/"):
            return None
        self._documents += 1
        title = " ".join(_UNFIT.sub(" ", text_of(block.get("title"))).split())[:NAME_CHARS].strip()
        name = f"{title or 'document'} {self._documents}"
        format_ = _DOCUMENTS.get(media_type, "pdf")
        document: JsonObject = {"format": format_, "name": name, "source": {"bytes": data}}
        if context := text_of(block.get("context")):
            document["context"] = context
        return {"document": document}


def with_words(parts: list[JsonObject]) -> list[JsonObject]:
    """Return the parts of a user's message, which has words where it has documents."""
    has_documents = any("document" in part for part in parts)
    if not has_documents or any("text" in part for part in parts):
        return parts
    return [*parts, {"text": ATTACHED}]
