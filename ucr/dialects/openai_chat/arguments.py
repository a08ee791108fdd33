"""The arguments of a tool call while their JSON arrives in pieces.

How this works: providers mark the end of a call in many ways or not at all, but a JSON object ends where its
braces do. A scanner follows the nesting, looking only at what can change it: brackets outside strings, and where
strings end. Only a piece with a closing bracket can be the last of the object, so that other pieces wait to be
scanned together with it. The scanner finds the end; it does not validate.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from ucr import jsontext
from ucr.jsontext import JsonError

_STRING = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_INSIDE = re.compile(_STRING, re.DOTALL)
_OUTSIDE = re.compile(rf'[^"{{}}\[\]]*+(?:"{_STRING}"[^"{{}}\[\]]*+)*+', re.DOTALL)
"""What changes no nesting: the rest of a string, and whatever stands between brackets, whole strings included."""

_CLOSERS: Mapping[str, str] = MappingProxyType({"{": "}", "[": "]"})


class Arguments:
    """Collects pieces; knows whether they are an object so far, and whether it has ended."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._taken = 0
        self._scanned = 0
        self._open: list[str] = []
        self._in_string = False
        self._is_escaped = False
        self._first = ""
        self.is_complete = False

    def add(self, piece: str) -> None:
        """Take the next piece. What follows the end of an object is left out: some providers send it twice."""
        if self.is_complete:
            return
        if not self._first:
            self._first = piece.lstrip()[:1]
        self._pieces.append(piece)
        if ("}" in piece or "]" in piece) and self.is_object and (surplus := self._scan()):
            self._pieces[-1] = piece[:-surplus]

    def take(self) -> str:
        """Return what was not taken yet."""
        text = "".join(self._pieces[self._taken :])
        self._taken = len(self._pieces)
        return text

    @property
    def is_object(self) -> bool:
        """True when the text begins as an object does; False also while there is none."""
        return self._first == "{"

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def ending(self) -> str:
        """Return the brackets that are missing at the end, if they alone make the text a JSON object, or ''."""
        if self.is_object and not self.is_complete:
            self._scan()
        if self.is_complete or self._in_string or not self._open:
            return ""
        closers = "".join(reversed(self._open))
        try:
            return closers if isinstance(jsontext.loads_text(self.text + closers), dict) else ""
        except JsonError:
            return ""

    def _scan(self) -> int:
        """Follow the nesting through what was not scanned yet; return how much of it follows the object."""
        text = "".join(self._pieces[self._scanned :])
        self._scanned = len(self._pieces)
        place = int(self._is_escaped and text != "")
        self._is_escaped = self._is_escaped and text == ""
        while (rest := (_INSIDE if self._in_string else _OUTSIDE).match(text, place)) is not None:
            place = rest.end() + 1
            if place > len(text):
                break
            match text[place - 1]:
                case '"':
                    self._in_string = not self._in_string
                case "\\":
                    self._is_escaped = True
                case "{" | "[" as opener:
                    self._open.append(_CLOSERS[opener])
                case _:
                    self._open.pop()
                    if not self._open:
                        self.is_complete = True
                        return len(text) - place
        return 0
