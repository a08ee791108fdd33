"""Plain whole answers, as most are: one choice that holds text and nothing else, with its counters.

How this works: as for plain chunks, strict types do the checks. What fits is read here in one step, to the same
reply as the general way reads, which puts an answer together from events; what does not fit goes that way.
"""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import asdict

from ucr.dialects.openai_chat.assembly import known_id
from ucr.dialects.openai_chat.plain import PlainDelta
from ucr.dialects.openai_chat.usage import usage_of
from ucr.dialects.roles import Context
from ucr.events import MOST_TOKENS, Reply, StopReason, Text, Usage

_Count: TypeAlias = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class PlainChoice(Struct, frozen=True, gc=False):
    message: PlainDelta
    finish_reason: Literal["stop", "length"]
    index: Literal[0] | None = 0
    delta: None = None
    error: None = None
    object: None = None


class PlainUsage(Struct, frozen=True, gc=False):
    """Counters as most providers have them."""

    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: int | None = None
    prompt_tokens_details: dict[str, Any] | None = None
    completion_tokens_details: dict[str, Any] | None = None
    prompt_cache_hit_tokens: int | None = None


class PlainReply(Struct, frozen=True, gc=False):
    choices: Annotated[list[PlainChoice], Meta(min_length=1, max_length=1)]
    id: Annotated[str, Meta(min_length=1)]
    usage: PlainUsage
    error: None = None
    object: Literal["chat.completion", ""] | None = None
    x_groq: None = None


_DECODER = Decoder(PlainReply)


def plain_reply(body: bytes, context: Context) -> Reply | None:
    """Read a plain answer; None for whatever is none."""
    if context.quirks.split_think:
        return None
    try:
        read = _DECODER.decode(body)
    except (ValueError, RecursionError):
        return None
    choice = read.choices[0]
    message = choice.message
    if not message.content or message.reasoning_content or message.reasoning or message.tool_calls:
        return None
    reason: StopReason = "end_turn" if choice.finish_reason == "stop" else "max_tokens"
    content = (Text(message.content),)
    return Reply(known_id(read.id), context.model_asked, content, reason, _usage(read.usage))


def _usage(read: PlainUsage) -> Usage:
    has_details = read.prompt_tokens_details or read.completion_tokens_details
    if has_details or read.prompt_cache_hit_tokens is not None:
        counted = usage_of(asdict(read))
        assert counted is not None, "it has counters"
        return counted
    return Usage(input_tokens=read.prompt_tokens, output_tokens=read.completion_tokens)
