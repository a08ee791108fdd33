"""The shape of a request: what a model must be able to take to serve it."""

from collections.abc import Iterator
from typing import Any

from ucr.config.model import Provider
from ucr.jsontext import JsonObject

_IMAGES = frozenset({"image", "image_url", "input_image"})


def has_images(body: JsonObject) -> bool:
    """True when a message, or the result of a tool in one, shows an image; in any client dialect."""
    messages = body.get("messages")
    return isinstance(messages, list) and any(part.get("type") in _IMAGES for part in _parts(messages))


def _parts(items: list[Any]) -> Iterator[JsonObject]:
    """Give every part of every content list, those inside of other parts too."""
    pending = [item for item in items if isinstance(item, dict)]
    while pending:
        content = pending.pop().get("content")
        if isinstance(content, list):
            parts = [part for part in content if isinstance(part, dict)]
            yield from parts
            pending += parts


def fits(provider: Provider, model: str, body: JsonObject) -> bool:
    """True when a model of a provider can take what a request holds, as far as is known of it."""
    quirks = provider.quirks
    if body.get("tools") and not quirks.tools:
        return False
    return quirks.takes_images(model) or not has_images(body)
