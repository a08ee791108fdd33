"""The model's name in JSON text, changed in place so that every other byte stays as it was.

How this works: an unescaped `"model":"…"` can only be a key with its value, since inside a string its quotes
would be escaped; all of them are found, at any depth. They are looked for from the end, because `rfind` is twice
as fast as `find` or an expression, and mostly finds the only one, at the beginning. When there is one, it is the
one. When there are more (a tool's input may have a `model` of its own), each key found is given a name that occurs
nowhere else and the text is parsed: those that turn up in the right object are the ones to change, duplicates
included. A parser of our own, walking every byte of a long conversation, was slower and no more exact.
"""

import re

from ucr import jsontext

_VALUE = rb'(?P<colon>\s*:\s*)(?P<value>"(?:[^"\\]|\\.)*+")'
_KEY = b'"model"'
_PLAIN = re.compile(_KEY + _VALUE)
_SPELT = re.compile(rb'"(?:m|\\u006[dD])(?:o|\\u006[fF])(?:d|\\u0064)(?:e|\\u0065)(?:l|\\u006[cC])"' + _VALUE)
_BACKSLASH = 0x5C
_ESCAPED_LETTER = b"\\u006"
"""How each letter of the key begins when it is escaped: text without it needs only the quick expression."""


def renamed(text: bytes, model: str, inside: str | None = None) -> bytes | None:
    """Return JSON text with another model's name: at its top, or in the object under the key `inside`.

    None when there is no such name to change. The caller knows that `text` is an object. When the text holds a
    single `model` that is a string it is changed wherever it stands.
    """
    found = _spelt(text) if text.rfind(_ESCAPED_LETTER) >= 0 else _plain(text)
    if len(found) > 1:
        found = _in_place(text, found, inside)
    if not found:
        return None
    return _replaced(text, found, _KEY, jsontext.dumps(model))


def _spelt(text: bytes) -> list[re.Match[bytes]]:
    """Find the keys in whatever way their letters are written."""
    return [match for match in _SPELT.finditer(text) if text[match.start() - 1] != _BACKSLASH]


def _plain(text: bytes) -> list[re.Match[bytes]]:
    """Find the keys that are written as they are."""
    found: list[re.Match[bytes]] = []
    at = text.rfind(_KEY)
    while at >= 0:
        match = _PLAIN.match(text, at)
        if match is not None and text[at - 1] != _BACKSLASH:
            found.append(match)
        at = text.rfind(_KEY, 0, at)
    return found[::-1]


def _in_place(text: bytes, found: list[re.Match[bytes]], inside: str | None) -> list[re.Match[bytes]]:
    """Keep the matches that are keys of the object meant."""
    mark = _unused(text)
    marked = jsontext.loads(_marked(text, found, mark))
    place = marked if inside is None else marked.get(inside) if isinstance(marked, dict) else None
    if not isinstance(place, dict):
        return []
    return [match for number, match in enumerate(found) if f"{mark}{number}" in place]


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
    parts, end = [], 0
    for match in found:
        parts += [text[end : match.start()], key, match["colon"], value]
        end = match.end()
    return b"".join([*parts, text[end:]])
