"""The arguments of a tool call while their JSON arrives in pieces.

How this works: providers mark the end of a call in many ways or not at all, but a JSON object ends where its
braces do. A scanner follows the nesting piece by piece, looking only at what can change it: quotes, braces
and brackets outside strings, quotes and backslashes inside. It finds the end; it does not validate.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from ucr import jsontext
from ucr.jsontext import JsonError

_OUTSIDE = re.compile(r'["{}\[\]]')
_INSIDE = re.compile(r'["\\]')
_CLOSERS: Mapping[str, str] = MappingProxyType({"{": "}", "[": "]"})


class Arguments:
    """Collects pieces; knows whether they are an object so far, and whether it has ended."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._taken = 0
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
        self._pieces.append(piece[: self._scan(piece)] if self.is_object else piece)

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
        if self.is_complete or self._in_string or not self._open:
            return ""
        closers = "".join(reversed(self._open))
        try:
            return closers if isinstance(jsontext.loads_text(self.text + closers), dict) else ""
        except JsonError:
            return ""

    def _scan(self, piece: str) -> int:
        """Follow the nesting through a piece; return how much of it belongs to the object."""
        place = int(self._is_escaped and piece != "")
        self._is_escaped = self._is_escaped and piece == ""
        while (match := (_INSIDE if self._in_string else _OUTSIDE).search(piece, place)) is not None:
            place = match.end()
            match match.group():
                case '"':
                    self._in_string = not self._in_string
                case "\\":
                    self._is_escaped = place == len(piece)
                    place += 1
                case "{" | "[" as opener:
                    self._open.append(_CLOSERS[opener])
                case _:
                    self._open.pop()
                    if not self._open:
                        self.is_complete = True
                        return place
        return len(piece)
