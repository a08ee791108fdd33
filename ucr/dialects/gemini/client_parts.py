"""The parts of a Gemini content as canonical blocks."""

import base64
import binascii
from typing import Any

from ucr import jsontext
from ucr.dialects.gemini.client_shape import field
from ucr.dialects.openai_chat.client_shape import object_, text, wrong
from ucr.jsontext import JsonObject

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_ALIASES = {"image/jpg": "image/jpeg"}.items()
_RESULT_KEYS = ("output", "result")


def user_block(part: JsonObject, path: str) -> JsonObject | None:
    """Return a part of the user's as a block; None for one that is blank. Raise `ApiError` 400 for others."""
    said = part.get("text")
    if said is not None:
        words = text(said, f"{path}.text")
        return {"type": "text", "text": words} if words.strip() else None
    block = media_block(part, path)
    if block is None:
        kinds = ", ".join(sorted(part)) or "nothing"
        raise wrong(path, f"this provider takes text, images and PDF files, not {kinds[:60]}")
    return block


def media_block(part: JsonObject, path: str) -> JsonObject | None:
    """Return a part with a file as a block; None for a part without one, `ApiError` 400 for a kind of no use."""
    blob = field(part, "inlineData")
    if blob is not None:
        where = f"{path}.inlineData"
        inner = object_(blob, where)
        kind = _kind(field(inner, "mimeType"), where)
        return _inline(kind, text(inner.get("data"), f"{where}.data"), where)
    linked = field(part, "fileData")
    if linked is None:
        return None
    where = f"{path}.fileData"
    inner = object_(linked, where)
    uri = text(field(inner, "fileUri"), f"{where}.fileUri")
    return _linked(_kind(field(inner, "mimeType") or "image/png", where), uri, where)


def _kind(given: Any, path: str) -> str:
    kind = text(given, f"{path}.mimeType").partition(";")[0].strip().lower()
    return dict(_ALIASES).get(kind, kind)


def _inline(kind: str, data: str, path: str) -> JsonObject:
    data = data.replace("-", "+").replace("_", "/")
    if kind in _IMAGES:
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}
    if kind == "application/pdf":
        return {"type": "document", "source": {"type": "base64", "media_type": kind, "data": data}}
    if kind.startswith("text/"):
        source = {"type": "text", "media_type": "text/plain", "data": _decoded(data, path)}
        return {"type": "document", "source": source}
    raise _refused(kind, path)


def _linked(kind: str, uri: str, path: str) -> JsonObject:
    if not uri.startswith(("https://", "http://")) or "generativelanguage.googleapis.com" in uri:
        raise wrong(f"{path}.fileUri", "this provider has no access to Google's files; send the data inline")
    if kind in _IMAGES:
        return {"type": "image", "source": {"type": "url", "url": uri}}
    if kind == "application/pdf":
        return {"type": "document", "source": {"type": "url", "url": uri}}
    raise _refused(kind, path)


def _refused(kind: str, path: str) -> Exception:
    return wrong(f"{path}.mimeType", f"this provider takes images, PDF files and texts, not {kind[:60]!r}")


def _decoded(data: str, path: str) -> str:
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise wrong(f"{path}.data", "expected base64") from None


def result_block(response: JsonObject, id_: str, path: str) -> JsonObject:
    """Return the response of a function as the result of the call with an id."""
    given = response.get("response")
    value = {} if given is None else object_(given, f"{path}.response")
    is_error = set(value) == {"error"}
    words = _words(value)
    parts = response.get("parts")
    blocks: list[JsonObject] = [{"type": "text", "text": words}] if words.strip() else []
    for index, part in enumerate(parts if isinstance(parts, list) else ()):
        where = f"{path}.parts[{index}]"
        media = media_block(object_(part, where), where)
        blocks += [] if media is None else [media]
    content: Any = blocks if len(blocks) > 1 or (blocks and blocks[0]["type"] != "text") else words
    result: JsonObject = {"type": "tool_result", "tool_use_id": id_, "content": content}
    return {**result, "is_error": True} if is_error else result


def _words(value: JsonObject) -> str:
    """Return what a response says: the only field's value where Google's own reference puts it, else all as JSON."""
    said: Any = value
    if len(value) == 1 and (key := next(iter(value))) in (*_RESULT_KEYS, "error"):
        said = value[key]
    return said if isinstance(said, str) else jsontext.dumps(said).decode()
