"""The parts of a Responses message as content blocks: text, images and files."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr.dialects.openai_chat import client_parts as chat
from ucr.dialects.openai_chat.client_shape import array, name, wrong
from ucr.jsontext import JsonObject


def blocks(content: Any, path: str, readers: Mapping[str, chat.Reader]) -> list[JsonObject]:
    """Return the content of a message as blocks; `readers` are for the parts that its role may have."""
    return chat.blocks(content, path, frozenset(readers), readers)


def output_content(output: Any, path: str) -> str | list[JsonObject] | None:
    """Return what a tool answered: its text as it is, blocks, or None for nothing at all."""
    if isinstance(output, str) or output is None:
        return output or None
    return blocks(array(output, path), path, USER) or None


def _image(part: JsonObject, path: str) -> JsonObject:
    if part.get("image_url") is None:
        raise wrong(path, "only images sent as image_url can be translated for this provider")
    return chat.image_block(part, path)


def _file(part: JsonObject, path: str) -> JsonObject:
    if part.get("file_url") is None:
        return chat.file_block(part, path)
    title = part.get("filename")
    named = {"title": title} if isinstance(title, str) and title else {}
    url = name(part["file_url"], f"{path}.file_url")
    return {"type": "document", "source": {"type": "url", "url": url}, **named}


_TEXTS: Mapping[str, chat.Reader] = MappingProxyType({"input_text": chat.text_block, "text": chat.text_block})
SYSTEM: Mapping[str, chat.Reader] = _TEXTS
USER: Mapping[str, chat.Reader] = MappingProxyType(
    {**_TEXTS, "input_image": _image, "input_file": _file, "input_audio": chat.audio_block}
)
ASSISTANT: Mapping[str, chat.Reader] = MappingProxyType(
    {**_TEXTS, "output_text": chat.text_block, "refusal": chat.refusal_block}
)
