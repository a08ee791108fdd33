"""The model's name in JSON text, changed in place so that every other byte stays as it was.

How this works: an unescaped `"model":"…"` can only be a key with its value, since inside a string its quotes
would be escaped; all of them are found, at any depth. They are looked for from the end, because `rfind` is twice
as fast as `find` or an expression, and mostly finds the only one, at the beginning. When there is one, it is the
one. When there are more (a tool's input may have a `model` of its own), each key found is given a name that occurs
nowhere else and the text is parsed: those that turn up in the right object are the ones to change, duplicates
included. A parser of our own, walking every byte of a long conversation, was slower and no more exact.
"""

import re
from dataclasses import dataclass

from ucr import jsontext

_VALUE = rb'(?P<colon>\s*:\s*)(?P<value>"(?:[^"\\]|\\.)*+")'
_BACKSLASH = 0x5C


Places = tuple[tuple[int, int], ...]
"""Where in a text, each from its start to its end; none at all stands for everywhere."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key under which a name stands: as it is written, and what finds it however its letters are written.

    `escape` is how each of its letters begins when it is escaped: text without it needs only the quick expression.
    """

    text: bytes
    plain: re.Pattern[bytes]
    spelt: re.Pattern[bytes]
    escape: bytes


def _key(name: str, escape: bytes) -> Key:
    letters = "".join(f"(?:{letter}|\\\\u(?i:{ord(letter):04x}))" for letter in name)
    plain = b'"' + name.encode() + b'"'
    return Key(plain, re.compile(plain + _VALUE), re.compile(b'"' + letters.encode() + b'"' + _VALUE), escape)


MODEL = _key("model", b"\\u006")
MODEL_VERSION = _key("modelVersion", b"\\u00")
"""What Google calls it in answers."""


def may_hold(text: bytes, key: Key) -> bool:
    """True unless a name surely stands nowhere in a text under the key."""
    return key.escape in text or bool(_plain(text, key, 0, len(text)))


def renamed(
    text: bytes, model: str, inside: str | None = None, key: Key = MODEL, places: Places = ()
) -> bytes | None:
    """Return JSON text with another model's name: at its top, or in the object under the key `inside`.

    None when there is no such name to change. The caller knows that `text` is an object. When the text holds a
    single `model` that is a string it is changed wherever it stands. `places` are the only ones where the key may be.
    """
    found: list[re.Match[bytes]] = []
    for start, end in places or ((0, len(text)),):
        if text.rfind(key.escape, start, end) >= 0:
            found = _spelt(text, key)
            break
        found += _plain(text, key, start, end)
    if len(found) > 1:
        found = _in_place(text, found, inside)
    if not found:
        return None
    return _replaced(text, found, key.text, jsontext.dumps(model))


def _spelt(text: bytes, key: Key) -> list[re.Match[bytes]]:
    """Find the keys in whatever way their letters are written."""
    return [match for match in key.spelt.finditer(text) if text[match.start() - 1] != _BACKSLASH]


def _plain(text: bytes, key: Key, start: int, end: int) -> list[re.Match[bytes]]:
    """Find the keys between two places that are written as they are."""
    found: list[re.Match[bytes]] = []
    at = text.rfind(key.text, start, end)
    while at >= 0:
        match = key.plain.match(text, at)
        if match is not None and text[at - 1] != _BACKSLASH:
            found.append(match)
        at = text.rfind(key.text, start, at)
    return found[::-1]


def _in_place(text: bytes, found: list[re.Match[bytes]], inside: str | None) -> list[re.Match[bytes]]:
    """Keep the matches that are keys of the object meant, or of the objects in a list."""
    mark = _unused(text)
    marked = jsontext.loads(_marked(text, found, mark))
    places = [
        place
        for top in (marked if isinstance(marked, list) else [marked])
        if isinstance(top, dict) and isinstance(place := top if inside is None else top.get(inside), dict)
    ]
    return [match for number, match in enumerate(found) if any(f"{mark}{number}" in place for place in places)]


def _unused(text: bytes) -> str:
    mark = "model#"
    while mark.encode() in text:
        mark += "#"
    return mark


def _marked(text: bytes, found: list[re.Match[bytes]], mark: str) -> bytes:
    parts, end = [], 0
    for number, match in enumerate(found):
        parts += [text[end : match.start()], f'"{mark}{number}":0'.encode()]
        end = match.end()
    return b"".join([*parts, text[end:]])


def _replaced(text: bytes, found: list[re.Match[bytes]], key: bytes, value: bytes) -> bytes:
    view = memoryview(text)  # of which a slice is no copy: nearly all of a long text stands behind the name
    parts: list[bytes | memoryview] = []
    end = 0
    for match in found:
        parts += (view[end : match.start()], key, match["colon"], value)
        end = match.end()
    return b"".join([*parts, view[end:]])
