"""The canonical body, read without trust: a value of the wrong type is the same as none."""

from ucr.jsontext import JsonObject


def object_of(value: object) -> JsonObject:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects_of(value: object) -> list[JsonObject]:
    """Return the objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """Return a text, or an empty one."""
    return value if isinstance(value, str) else ""


def blocks_of(content: object) -> list[JsonObject]:
    """Return content, a string or a list, as blocks that have a type; blank text is left out."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    return [block for block in objects_of(content) if not _is_empty(block)]


def _is_empty(block: JsonObject) -> bool:
    kind = text_of(block.get("type"))
    return not kind or (kind == "text" and not text_of(block.get("text")).strip())
