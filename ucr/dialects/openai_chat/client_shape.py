"""What must be true of a value at its path in a chat-completions body.

Every function returns the value in its checked type, or raises `ApiError` 400 whose words begin with the path.
"""

from typing import Any

from ucr.errors import ApiError
from ucr.jsontext import JsonObject

_SHOWN_CHARS = 60


def wrong(path: str, what: str, *, code: str | None = None) -> ApiError:
    """Return the error that says what is wrong at a path."""
    return ApiError("invalid_request_error", f"{path}: {what}", param=path, code=code)


def shown(value: object) -> str:
    """Return a value as an error message may show it: short, and quoted where it is text."""
    text = repr(value) if isinstance(value, str | int | float | bool | None) else _kind(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


def _kind(value: object) -> str:
    return "an array" if isinstance(value, list) else "an object"


def text(value: Any, path: str) -> str:
    """Return a string, which may be empty."""
    if not isinstance(value, str):
        raise wrong(path, f"expected a string, not {shown(value)}")
    return value


def name(value: Any, path: str) -> str:
    """Return a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise wrong(path, f"expected a string that is not empty, not {shown(value)}")
    return value


def object_(value: Any, path: str) -> JsonObject:
    """Return an object."""
    if not isinstance(value, dict):
        raise wrong(path, f"expected an object, not {shown(value)}")
    return value


def array(value: Any, path: str) -> list[Any]:
    """Return an array, which may be empty."""
    if not isinstance(value, list):
        raise wrong(path, f"expected an array, not {shown(value)}")
    return value


def flag(value: Any, path: str) -> bool:
    """Return a boolean; null, which clients send for "not set", is False."""
    if value is not None and not isinstance(value, bool):
        raise wrong(path, f"expected true or false, not {shown(value)}")
    return bool(value)


def number(value: Any, path: str) -> float:
    """Return a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(path, f"expected a number, not {shown(value)}")
    return value


def count(value: Any, path: str) -> int:
    """Return a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise wrong(path, f"expected a whole number of at least 1, not {shown(value)}")
    return value
