"""JSON text in and out, exact and bounded.

How this works: msgspec reads, orjson writes, and a value that both accept is one that everybody accepts. What is
nested too deeply, and integers of more than 64 bits, are only found by writing the value again, which is the
fastest walk through it (about a third of the time that reading took, where looking for brackets and for long runs
of digits in the text took longer than reading). Whatever one of the two refuses is read once more, slower: orjson
finds the words for what is wrong, and the standard library's parser reads what orjson would not or not exactly:
escaped lone surrogates (which some clients send; they become U+FFFD) and long integers (which become floats).
"""

import json
import math
from typing import Any, TypeAlias

import msgspec
import orjson

from ucr.rests import LARGE_BYTES, rest

JsonObject: TypeAlias = dict[str, Any]

COMMAS_LIMIT = 1_000_000
"""More commas than this would stall the loop while they are parsed; counted before parsing."""

BRACKETS_LIMIT = 1_000_000
"""More arrays and objects than this, which need no commas between them, would take hundreds of megabytes."""

MENDED_LIMIT = 250_000
"""Commas and brackets of a text with lone surrogates, whose strings are mended one by one."""

DEPTH_LIMIT = 254
"""The nesting that orjson writes; what is deeper could be read but not passed on."""

_NUL = "\\u0000"
_TOO_DEEP = f"JSON is nested more than {DEPTH_LIMIT} levels deep"


class JsonError(ValueError):
    """The text is not JSON that UCR accepts; the message says what and where."""


class RawJson:
    """Text that is JSON already and is written as it is."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class RawItems:
    """Text of several values with commas between them: written in a list, they are so many of its items.

    In UTF-8: one letter beyond ASCII makes a string of Python's take up to four bytes for each of its characters.
    """

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text


def loads(data: bytes) -> Any:
    """Parse one JSON value; raise `JsonError` for anything else, and for what is too deep or too wide."""
    length = len(data)
    if length > COMMAS_LIMIT:
        _check_width(data)
    try:
        value = msgspec.json.decode(data)
        if length >= LARGE_BYTES:
            rest(length)
        orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return _loads_carefully(data)
    if length >= LARGE_BYTES:
        rest(length)
    return value


def is_utf_8(data: bytes) -> bool:
    """True when bytes are the text of something."""
    try:
        return data.isascii() or data.decode() is not None
    except UnicodeDecodeError:
        return False


def _check_width(data: bytes) -> None:
    """Refuse what would take long to parse, or much memory; both are bounded by a few kinds of bytes.

    Counting goes in strides: it is fast where there is little to count, and ends early where there is much.
    """
    commas = brackets = 0
    for start in range(0, len(data), COMMAS_LIMIT):
        end = start + COMMAS_LIMIT
        commas += data.count(b",", start, end)
        brackets += data.count(b"[", start, end) + data.count(b"{", start, end)
        if commas > COMMAS_LIMIT:
            raise JsonError(f"more than {COMMAS_LIMIT:,} commas: split the request")
        if brackets > BRACKETS_LIMIT:
            raise JsonError(f"more than {BRACKETS_LIMIT:,} brackets: split the request")


def loads_text(text: str) -> Any:
    """Parse one JSON value from text, which may hold lone surrogates."""
    return loads(text.encode("utf-8", "replace"))


def _loads_carefully(data: bytes) -> Any:
    """Parse what the quick way refused, or say what is wrong with it."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg:
            raise JsonError(_TOO_DEEP) from None
        if "surrogate" not in error.msg:
            raise JsonError(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
        if data.count(b",") + data.count(b"[") + data.count(b"{") > MENDED_LIMIT:
            raise JsonError(f"lone surrogates beside more than {MENDED_LIMIT:,} commas and brackets") from None
    else:
        _check_depth(value)
    return _loads_exactly(data)


def _check_depth(value: Any) -> None:
    try:
        orjson.dumps(value)
    except TypeError:
        raise JsonError(_TOO_DEEP) from None


def _loads_exactly(data: bytes) -> Any:
    try:
        value = json.loads(data.decode(), parse_constant=_refuse_constant, parse_int=_int, parse_float=_float)
    except UnicodeDecodeError:
        raise JsonError("the text is not UTF-8") from None
    except RecursionError:
        raise JsonError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    return _mended(value, DEPTH_LIMIT)


def _refuse_constant(name: str) -> Any:
    raise JsonError(f"{name} is not a JSON value")


def _int(digits: str) -> int:
    if len(digits) > 400:
        raise JsonError(f"a number of {len(digits)} digits is too long")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if value in (math.inf, -math.inf):
        raise JsonError(f"the number {digits[:40]} is too large")
    return value


def _mended(value: Any, depth: int) -> Any:
    """Replace lone surrogates, which UTF-8 cannot carry, by U+FFFD; refuse more than `depth` levels."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        raise JsonError(_TOO_DEEP)
    if isinstance(value, list):
        return [_mended(item, depth - 1) for item in value]
    return {_mended(key, depth): _mended(item, depth - 1) for key, item in value.items()}


def dumps(value: Any) -> bytes:
    """Write compact UTF-8 JSON; `RawJson` values are written as they are."""
    try:
        return orjson.dumps(value, default=_fragment)
    except TypeError:
        text = json.dumps(_spread(value), ensure_ascii=False, separators=(",", ":"), default=_parsed)
        return text.encode("utf-8", "replace")


def dumps_to_keep(value: Any) -> bytes:
    """Write what is kept for long: what `dumps` gives takes all the room that orjson wrote it in, up to ten times its size."""
    return bytes(memoryview(dumps(value)))


def dumps_sorted(value: Any) -> bytes | None:
    """Write JSON with the names of objects in order; None for a value that orjson does not write."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None


def dumps_text(text: str) -> bytes:
    """Write a string as `dumps` does, in half the time: this is done for every token."""
    try:
        return orjson.dumps(text)
    except TypeError:
        return dumps(text)


def split_text(text: str, pieces: tuple[str, ...], between: bytes) -> bytes:
    """Write the pieces of a text, each as `dumps` does, with these bytes between them.

    They are written as one string with a NUL between them, whose escape is then replaced. It is looked up in the
    text that neither a NUL nor what looks like its escape is there.
    """
    if "\0" in text or _NUL in text:
        return between.join(map(dumps, pieces))
    return dumps_text("\0".join(pieces)).replace(_NUL.encode(), b'"%b"' % between)


def _fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, RawJson | RawItems):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _parsed(value: Any) -> Any:
    if isinstance(value, RawJson):
        return json.loads(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _spread(value: Any) -> Any:
    """Put the values of `RawItems` into their list, one by one; they stand in a member of an object, or nowhere."""
    if not isinstance(value, dict):
        return value
    return {name: _items(member) if isinstance(member, list) else member for name, member in value.items()}


def _items(listed: list[Any]) -> list[Any]:
    spread: list[Any] = []
    for item in listed:
        spread += json.loads(b"[%b]" % item.text) if isinstance(item, RawItems) else [item]
    return spread


def object_text(text: str) -> str:
    """Return `text` if it is the JSON of an object, `{}` for nothing at all, else a wrapped `_raw` object.

    `""`, `null` and `"null"` are what providers send for a call without arguments; some send the object
    coded twice, as JSON in a JSON string.
    """
    if text.strip() in ("", "null", '"null"', '""'):
        return "{}"
    value = _value(text)
    if isinstance(value, dict):
        return text
    if isinstance(value, str) and isinstance(_value(value), dict):
        return value
    return dumps({"_raw": text}).decode()


def _value(text: str) -> Any:
    try:
        return loads_text(text)
    except JsonError:
        return None
