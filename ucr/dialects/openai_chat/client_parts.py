"""The parts of a chat message as content blocks: text, images and files."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ucr import media
from ucr.dialects.openai_chat.client_shape import array, name, object_, shown, text, wrong
from ucr.jsontext import JsonObject

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What the Anthropic API reference allows as a base64 image's `media_type`."""

SYSTEM_PARTS = frozenset({"text"})
USER_PARTS = frozenset({"text", "image_url", "file", "input_audio"})
TOOL_PARTS = frozenset({"text", "image_url", "file"})
ASSISTANT_PARTS = frozenset({"text", "refusal"})

Reader = Callable[[JsonObject, str], JsonObject | None]
"""Makes a block of a part at a path; None for one that says nothing."""

_DATA_URL = re.compile(
    r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[\w.+-]*)*)(;base64)?,", re.ASCII | re.IGNORECASE
)
_TEXT_TYPES = re.compile(r"text/.+|application/(?:json|xml|yaml|x-yaml|toml|javascript|sql)", re.IGNORECASE)
_TEXT_NAMES = re.compile(r".+\.(?:txt|md|csv|json|xml|html?|ya?ml|toml|py|js|ts|log)", re.IGNORECASE)
_WHITESPACE = re.compile(r"\s")


def blocks(
    content: Any, path: str, kinds: frozenset[str], readers: Mapping[str, Reader] | None = None
) -> list[JsonObject]:
    """Return the content of a message as blocks; `kinds` are the parts that its role may have, `readers` for them.

    Text that is empty or blank is left out, because the Anthropic API refuses it.
    """
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    if not isinstance(content, list):
        raise wrong(path, "expected a string or an array of parts")
    found = (_block(part, f"{path}[{index}]", kinds, readers or READERS) for index, part in enumerate(content))
    return [block for block in found if block is not None]


def _block(part: Any, path: str, kinds: frozenset[str], readers: Mapping[str, Reader]) -> JsonObject | None:
    kind = object_(part, path).get("type")
    if not isinstance(kind, str) or kind not in kinds:
        raise wrong(f"{path}.type", f"expected one of {', '.join(sorted(kinds))}, not {shown(kind)}")
    block = readers[kind](part, path)
    return None if block is None else _marked(block, part)


def _marked(block: JsonObject, part: JsonObject) -> JsonObject:
    """Carry a cache breakpoint over: OpenAI's own, or the `cache_control` that routers took from Anthropic."""
    mark = part.get("cache_control")
    if isinstance(mark, dict):
        return {**block, "cache_control": mark}
    mark = part.get("prompt_cache_breakpoint")
    if not isinstance(mark, dict):
        return block
    lifetime = {"ttl": "1h"} if mark.get("ttl") == "12h" else {}
    return {**block, "cache_control": {"type": "ephemeral", **lifetime}}


def text_block(part: JsonObject, path: str) -> JsonObject | None:
    """Read a text, which may say nothing."""
    value = text(part.get("text"), f"{path}.text")
    return {"type": "text", "text": value} if value.strip() else None


def refusal_block(part: JsonObject, path: str) -> JsonObject | None:
    """Read what the assistant said when it refused."""
    value = text(part.get("refusal"), f"{path}.refusal")
    return {"type": "text", "text": value} if value.strip() else None


def audio_block(part: JsonObject, path: str) -> JsonObject | None:
    """Refuse sound."""
    raise wrong(f"{path}.type", "audio input cannot be translated for this provider; send a transcript as text")


def image_block(part: JsonObject, path: str) -> JsonObject:
    """Read an image, whose `image_url` some clients send as a plain string."""
    image, path = part.get("image_url"), f"{path}.image_url"
    if isinstance(image, dict):
        image, path = image.get("url"), f"{path}.url"
    url = name(image, path)
    if url[:5].lower() == "data:":
        return _inline_image(*_data_url(url, path), path)
    if not url.lower().startswith(("https://", "http://")):
        raise wrong(path, "expected an http(s) URL or a base64 data URL")
    return {"type": "image", "source": {"type": "url", "url": url}}


def _data_url(url: str, path: str) -> tuple[str, str]:
    """Take a data URL apart: its media type in lower case ("" for none) and its base64 text."""
    match = _DATA_URL.match(url)
    if match is None or match.group(3) is None:
        raise wrong(path, "expected a data URL of the form data:<type>;base64,<data>")
    return (match.group(1) or "").lower(), url[match.end() :]


def _inline_image(declared: str, data: str, path: str) -> JsonObject:
    data, sniffed = _base64(data, path)
    kind = sniffed or declared.replace("image/jpg", "image/jpeg")
    if kind not in IMAGE_TYPES:
        raise wrong(path, f"{shown(kind)} is not an image type that can be sent; use PNG, JPEG, GIF or WebP")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def _base64(data: str, path: str) -> tuple[str, str | None]:
    """Return clean base64 text, and its media type as the first bytes tell it.

    A wrong label and stray line breaks are common, and the Anthropic API refuses both.
    """
    if _WHITESPACE.search(data):
        data = "".join(data.split())
    head = media.head_of(data)
    if not head:
        raise wrong(path, "the data is not base64")
    return data + "=" * (-len(data) % 4), media.media_type(head)


def _file(part: JsonObject, path: str) -> JsonObject:
    return file_block(object_(part.get("file"), f"{path}.file"), f"{path}.file")


def file_block(file: JsonObject, path: str) -> JsonObject:
    """Read a file that is sent with the request."""
    if file.get("file_data") is None:
        raise wrong(path, "only files sent as file_data can be translated for this provider")
    data = name(file["file_data"], f"{path}.file_data")
    declared = ""
    if data[:5].lower() == "data:":
        declared, data = _data_url(data, f"{path}.file_data")
    title = file.get("filename") if isinstance(file.get("filename"), str) else ""
    return _document(declared, data, title or "", f"{path}.file_data")


def _document(declared: str, data: str, title: str, path: str) -> JsonObject:
    data, sniffed = _base64(data, path)
    kind = sniffed or declared
    if kind in IMAGE_TYPES:
        return _inline_image(kind, data, path)
    named = {"title": title} if title else {}
    if kind == "application/pdf":
        return {"type": "document", "source": {"type": "base64", "media_type": kind, "data": data}, **named}
    if not (_TEXT_TYPES.fullmatch(kind) or (not kind and _TEXT_NAMES.fullmatch(title))):
        raise wrong(path, f"files of type {shown(kind or 'unknown')} cannot be sent; use PDF, text or an image")
    source = {"type": "text", "media_type": "text/plain", "data": _decoded(data, path)}
    return {"type": "document", "source": source, **named}


def _decoded(data: str, path: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise wrong(path, "the data is not base64") from None


def tool_content(content: Any, path: str) -> str | list[JsonObject] | None:
    """Return what a tool answered: its text as it is, blocks, or None for nothing at all."""
    if isinstance(content, str) or content is None:
        return content or None
    return blocks(array(content, path), path, TOOL_PARTS) or None


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "text": text_block,
        "refusal": refusal_block,
        "image_url": image_block,
        "file": _file,
        "input_audio": audio_block,
    }
)
