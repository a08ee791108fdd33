"""Fields of a Gemini request, which may be written as JSON or as the API's own definition writes them.

`systemInstruction` is `system_instruction` too, for Google's servers take both; the official SDK for Python mixes
them.
"""

import re
from typing import Any

from ucr.jsontext import JsonObject

_UPPER = re.compile(r"(?<!^)([A-Z])")


def snake(name: str) -> str:
    """Return a name in its other spelling."""
    return _UPPER.sub(lambda letter: f"_{letter[1].lower()}", name)


def field(value: JsonObject, name: str) -> Any:
    """Return the value of a field in either spelling; None when it is not there."""
    found = value.get(name)
    return value.get(snake(name)) if found is None else found


def known(value: JsonObject, names: frozenset[str]) -> list[str]:
    """Return the fields that say something and are none of these, in the order of their names."""
    both = names | {snake(name) for name in names}
    return sorted(key for key, said in value.items() if key not in both and said not in (None, [], {}, ""))
