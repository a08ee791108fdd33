"""The arguments of a call that come in pieces, each with its place.

A place is a JSONPath of names and numbers (`$.a.b[0]['c d']`); a text may come in several pieces. Source:
`FunctionCall.partialArgs` of the Vertex AI reference, "Stream function call arguments".
"""

import re
from itertools import pairwise
from typing import Any

from ucr.jsontext import JsonObject

STEPS_LIMIT = 32
INDEX_LIMIT = 10_000

_STEP = re.compile(r"""\.([^.\[\]'"]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_ESCAPED = re.compile(r"\\(.)")
_MISSING = object()


class PartialArgs:
    """Puts arguments together; a piece without a place that can be read is left out."""

    def __init__(self) -> None:
        self.value: JsonObject = {}
        self._growing: str | None = None

    def add(self, piece: JsonObject) -> int:
        """Take a piece; return how many characters it holds."""
        path, value = piece.get("jsonPath"), _value(piece)
        steps = _steps(path) if isinstance(path, str) else []
        if value is _MISSING or not steps:
            return 0
        _put(self.value, steps, value, is_more=isinstance(value, str) and self._growing == path)
        self._growing = path if piece.get("willContinue") is True else None
        return len(value) if isinstance(value, str) else 1


def _value(piece: JsonObject) -> Any:
    for key in ("stringValue", "numberValue", "boolValue"):
        if key in piece:
            return piece[key]
    return None if "nullValue" in piece else _MISSING


def _steps(path: str) -> list[str | int]:
    """Read a path; an empty list for one that cannot be read."""
    steps: list[str | int] = []
    place = 1 if path.startswith("$") else len(path)
    while place < len(path) and len(steps) < STEPS_LIMIT:
        match = _STEP.match(path, place)
        if match is None:
            return []
        place = match.end()
        name, index, single, double = match.groups()
        if index is not None:
            steps.append(int(index[:9]))
        else:
            steps.append(name if name is not None else _ESCAPED.sub(r"\1", single or double or ""))
    is_sound = place == len(path) and all(isinstance(step, str) or step < INDEX_LIMIT for step in steps)
    return steps if is_sound and steps and isinstance(steps[0], str) else []


def _put(root: JsonObject, steps: list[str | int], value: Any, *, is_more: bool) -> None:
    """Set the value at a place, making what leads there; what stood there in another shape is replaced."""
    node: Any = root
    for step, following in pairwise(steps):
        inner = _get(node, step)
        wanted: type = list if isinstance(following, int) else dict
        if not isinstance(inner, wanted):
            inner = wanted()
            _set(node, step, inner)
        node = inner
    before = _get(node, steps[-1])
    _set(node, steps[-1], before + value if is_more and isinstance(before, str) else value)


def _get(node: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return node[step] if step < len(node) else None
    return node.get(step)


def _set(node: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int):
        node += [None] * (step + 1 - len(node))
    node[step] = value
