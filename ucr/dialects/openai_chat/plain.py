"""Plain chunks, as nearly all of a stream are: text, reasoning, calls, a finish reason, counters.

How this works: msgspec reads a chunk into the types below in half the time that it takes to make its
dictionaries, and leaves out whatever has no name here. The types are strict, so that they do the checks: a chunk
with an error, with several choices, with parts instead of text, or whatever else needs to be looked at does not
fit, and is read from its dictionaries. What fits, those would read in the same way; only in what has no name
here is an infinite number, or very deep nesting, overlooked.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct
from msgspec.json import Decoder

from ucr.dialects.openai_chat.usage import PlainUsage
from ucr.events import TextDelta, ThinkingDelta

Kind: TypeAlias = type[TextDelta] | type[ThinkingDelta]


class PlainFunction(Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: str | None = None


class PlainCall(Struct, frozen=True, gc=False):
    """A call, or a piece of one."""

    index: int | None = None
    id: str | None = None
    function: PlainFunction | None = None
    custom: None = None
    extra_content: None = None


class PlainDelta(Struct, frozen=True, gc=False):
    """What a chunk adds to the answer."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[PlainCall] | None = None
    refusal: Literal[""] | None = None
    reasoning_details: tuple[()] | None = None
    function_call: None = None
    extra_content: None = None


class PlainChoice(Struct, frozen=True, gc=False):
    delta: PlainDelta
    finish_reason: str | None = None
    index: Literal[0] | None = 0
    error: None = None
    object: None = None


class PlainChunk(Struct, frozen=True, gc=False):
    """A chunk with one choice, or with none."""

    choices: Annotated[list[PlainChoice], Meta(max_length=1)]
    id: str = ""
    usage: PlainUsage | None = None
    error: None = None
    object: Literal["chat.completion.chunk", "chat.completion", ""] | None = None
    x_groq: None = None


_DECODER = Decoder(PlainChunk)


def plain_chunk(data: bytes) -> PlainChunk | None:
    """Read a plain chunk; None for whatever is none. What is not UTF-8 is none, either."""
    try:
        return _DECODER.decode(data)
    except (ValueError, RecursionError):
        return None


def lone_arguments(chunk: PlainChunk) -> tuple[int | None, str] | None:
    """Return a call's index and a piece of its arguments if a chunk says nothing else, else None."""
    if chunk.usage or not chunk.choices or chunk.choices[0].finish_reason:
        return None
    delta = chunk.choices[0].delta
    calls = delta.tool_calls
    if calls is None or len(calls) != 1 or delta.content or delta.reasoning_content or delta.reasoning:
        return None
    call, function = calls[0], calls[0].function
    if function is None or not function.arguments or call.id or function.name:
        return None
    return call.index, function.arguments
