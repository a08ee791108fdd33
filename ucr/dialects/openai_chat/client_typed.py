"""The part of a chat-completions request that every provider asks for, as types.

msgspec checks a parsed body against them at the speed of C. What passes needs no second look; what does not is
looked at field by field by `client_request`, which knows the words for what is wrong, or finds that it is right.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

_Name = Annotated[str, Meta(min_length=1)]


class _Message(Struct, gc=False):
    role: _Name
    content: str | list[dict[str, Any]] | None = None


class _StreamOptions(Struct, gc=False):
    include_usage: bool | None = None


class _Body(Struct, gc=False):
    model: _Name
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None


def is_plain(body: Any) -> bool:
    """True when a parsed request surely has the shape that it must have; False says nothing."""
    try:
        msgspec.convert(body, _Body)
    except msgspec.ValidationError:
        return False
    return True
