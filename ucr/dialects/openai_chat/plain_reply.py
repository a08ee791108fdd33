"""Plain whole answers, as most are: one choice that holds text and nothing else, with its counters.

How this works: as for plain chunks, strict types do the checks. What fits is read here in one step, to the same
reply as the general way reads, which puts an answer together from events; what does not fit goes that way.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.json import Decoder

from ucr.dialects.openai_chat.assembly import known_id
from ucr.dialects.openai_chat.plain import PlainDelta
from ucr.dialects.openai_chat.usage import PlainUsage, plain_usage_of
from ucr.dialects.roles import Context
from ucr.events import Reply, StopReason, Text


class PlainChoice(Struct, frozen=True, gc=False):
    message: PlainDelta
    finish_reason: Literal["stop", "length"]
    index: Literal[0] | None = 0
    delta: None = None
    error: None = None
    object: None = None


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
    counted = plain_usage_of(read.usage)
    if counted is None or counted.output_tokens is None:
        return None
    reason: StopReason = "end_turn" if choice.finish_reason == "stop" else "max_tokens"
    content = (Text(message.content),)
    return Reply(known_id(read.id), context.model_asked, content, reason, counted)
