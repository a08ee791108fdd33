"""The images of a canonical request, and words in their place. Pure."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from ucr import jsontext
from ucr.jsontext import JsonObject

PROMPT = (
    "Describe this image for somebody who cannot see it and has to work with it. Say what it shows and how it is laid "
    "out, and repeat all text in it word for word. Answer with the description alone."
)


def images_of(body: JsonObject) -> list[JsonObject]:
    """Return the image blocks of all turns, those in results of tools and in documents too, each image once."""
    found: dict[bytes, JsonObject] = {}
    for turn in _turns(body):
        for image in _images(turn.get("content")):
            found.setdefault(digest_of(image), image)
    return list(found.values())


def digest_of(image: JsonObject, key: bytes = b"") -> bytes:
    """Return the digest of what an image block shows."""
    return hashlib.blake2b(jsontext.dumps(image.get("source")), digest_size=32, key=key).digest()


def with_words(body: JsonObject, words: Callable[[JsonObject], str]) -> JsonObject:
    """Return a request in which texts stand for images."""
    turns = [{**turn, "content": _replaced(turn.get("content"), words)} for turn in _turns(body)]
    return {**body, "messages": turns}


def question(image: JsonObject, max_tokens: int) -> JsonObject:
    """Return the canonical request that asks what an image shows."""
    plain = {"type": "image", "source": image.get("source")}
    content = [plain, {"type": "text", "text": PROMPT}]
    return {"max_tokens": max_tokens, "messages": [{"role": "user", "content": content}]}


def _turns(body: JsonObject) -> list[JsonObject]:
    turns = body.get("messages")
    return [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []


def _images(content: Any) -> Iterator[JsonObject]:
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict):
            if block.get("type") == "image":
                yield block
            else:
                yield from _images(block.get("content"))
                yield from _images(_inner(block))


def _inner(block: JsonObject) -> Any:
    source = block.get("source")
    return source.get("content") if block.get("type") == "document" and isinstance(source, dict) else None


def _replaced(content: Any, words: Callable[[JsonObject], str]) -> Any:
    if not isinstance(content, list):
        return content
    return [_words_for(block, words) if isinstance(block, dict) else block for block in content]


def _words_for(block: JsonObject, words: Callable[[JsonObject], str]) -> JsonObject:
    if block.get("type") == "image":
        return {"type": "text", "text": words(block)}
    if isinstance(block.get("content"), list):
        return {**block, "content": _replaced(block["content"], words)}
    if isinstance(inner := _inner(block), list):
        return {**block, "source": {**block["source"], "content": _replaced(inner, words)}}
    return block
