"""`${VAR}` in the values of the configuration file.

A value that was filled in remembers how it stands in the file: that, and not what came from the environment,
is what messages show.
"""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unresolved(ValueError):
    """A value names something that the environment does not hold; the message is the remedy."""


class Filled(str):
    """A text whose references were replaced; `written` is the text of the file."""

    __slots__ = ("written",)
    written: str


def fill(text: str, environ: Mapping[str, str]) -> str:
    """Replace every `${VAR}`; `$${` stands for `${` itself. Raise `Unresolved` that names the variable."""
    if "${" not in text:
        return text
    filled = Filled(_REFERENCE.sub(lambda match: _value(match, environ), text))
    filled.written = text
    return filled


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    name = match.group(1)
    if name is None:
        return "${"
    if not _NAME.fullmatch(name):
        raise Unresolved(f"{name!r} is no name of a variable; write ${{NAME}}, or $${{ for the text itself")
    if name not in environ:
        raise Unresolved(f"the variable {name} is not set; set it in the environment, or write the value here")
    return environ[name]


def fill_tree(value: object, environ: Mapping[str, str]) -> object:
    """Fill every text in a value, however deep; raise `Unresolved` for the first that cannot be."""
    if isinstance(value, str):
        return fill(value, environ)
    if isinstance(value, list):
        return [fill_tree(item, environ) for item in value]
    if isinstance(value, dict):
        return {key: fill_tree(item, environ) for key, item in value.items()}
    return value
