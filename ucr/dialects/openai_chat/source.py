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
        return [] if is_blank(content) else [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    blocks: list[JsonObject] = []
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind and isinstance(kind, str) and not (kind == "text" and is_blank(block.get("text"))):
            blocks.append(block)
    return blocks


def is_blank(text: object) -> bool:
    """True for what is no text or only white space; looks no further than to the first letter."""
    return not isinstance(text, str) or not text or text.isspace()
