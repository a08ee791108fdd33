"""The fields of `Quirks` as keys of a provider: kinds from their types, sentences from the docstring."""

import re
from collections.abc import Mapping
from dataclasses import fields
from inspect import cleandoc
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ucr.catalogue import Quirks
from ucr.config.kinds import Choice, Flag, Kind, Listing, Number, Text

_ENTRY = re.compile(r"^([a-z0-9_]+(?:, [a-z0-9_]+)*)\n((?:^    .+\n?)+)", re.MULTILINE)


_WORDS = Listing(Text(r"[^=]+=[^=]*", "a model (or pattern), `=`, and words"), "`MODEL=words`")
_NUMBERS = Listing(Text(r"[^=]+=[0-9]+", "a model (or pattern), `=`, and a number"), "`MODEL=number`")
_PER_MODEL: Mapping[str, Kind] = MappingProxyType(
    {
        "model_efforts": _WORDS,
        "model_inputs": _WORDS,
        "model_context_windows": _NUMBERS,
        "model_output_tokens": _NUMBERS,
    }
)


def quirk_keys() -> tuple[str, ...]:
    """Return the names of all quirks, in their order."""
    return tuple(field.name for field in fields(Quirks))


def quirk_kind(key: str) -> Kind:
    """Return what a quirk may be set to."""
    return _PER_MODEL.get(key) or _kind(get_type_hints(Quirks)[key])


def quirk_sentence(key: str) -> str:
    """Return what the catalogue says of a quirk, or words made of its name where it says nothing."""
    for names, text in _ENTRY.findall(cleandoc(Quirks.__doc__ or "")):
        if key in names.split(", "):
            words = " ".join(text.split())
            return words[0].upper() + words[1:]
    return f"Whether the provider knows {key.replace('_', ' ')}."


def _kind(hint: Any) -> Kind:
    if get_origin(hint) is Literal:
        return Choice(get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        return _kind(next(arg for arg in get_args(hint) if arg is not type(None)))
    if get_origin(hint) is tuple:
        return Listing(Text(), "texts")
    if hint is bool:
        return Flag()
    return Number(0, 10**9, is_whole=True) if hint is int else Text()
