"""The shape of a Messages request as types, against which msgspec checks a parsed body at the speed of C.

What passes here passes `validate`, which is five times slower but knows what is wrong and where. The reverse is
not so: blocks, choices and ways of thinking that the API may have learned since do not pass here, nor do the
rarer ones. So a refusal says only that `validate` must look.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

_Name = Annotated[str, Meta(min_length=1)]
_Count = Annotated[int, Meta(ge=0)]


class _Typed(Struct, gc=False):
    type: str


class _Text(Struct, tag_field="type", tag="text", gc=False):
    text: str


class _SystemText(Struct, gc=False):
    """The one kind of block in a system prompt: alone, a tag would not be asked for."""

    type: Literal["text"]
    text: str


class _Image(Struct, tag_field="type", tag="image", gc=False):
    source: _Typed


class _Document(Struct, tag_field="type", tag="document", gc=False):
    source: _Typed
    title: str | None = None
    context: str | None = None


class _ToolUse(Struct, tag_field="type", tag="tool_use", gc=False):
    id: _Name
    name: _Name
    input: dict[str, Any]


class _Thinking(Struct, tag_field="type", tag="thinking", gc=False):
    thinking: str
    signature: str | None = None


class _RedactedThinking(Struct, tag_field="type", tag="redacted_thinking", gc=False):
    data: str


class _ToolReference(Struct, tag_field="type", tag="tool_reference", gc=False):
    pass


class _ToolResult(Struct, tag_field="type", tag="tool_result", gc=False):
    tool_use_id: _Name
    content: str | list[_Text | _Image | _Document | _ToolReference] | None = None
    is_error: bool | None = None


_Block = _Text | _Image | _Document | _ToolUse | _Thinking | _RedactedThinking | _ToolReference | _ToolResult


class _Turn(Struct, gc=False):
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]


class _Tool(Struct, gc=False):
    name: _Name
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class _Choice(Struct, gc=False):
    type: Literal["auto", "any", "none"]
    disable_parallel_tool_use: bool | None = None
    name: _Name | None = None


class _Adaptive(Struct, tag_field="type", tag="adaptive", gc=False):
    budget_tokens: _Count | None = None


class _Enabled(Struct, tag_field="type", tag="enabled", gc=False):
    budget_tokens: _Count


class _Disabled(Struct, tag_field="type", tag="disabled", gc=False):
    budget_tokens: _Count | None = None


class _Metadata(Struct, gc=False):
    user_id: str | None = None


class _OutputConfig(Struct, gc=False):
    effort: str | None = None
    format: _Typed | None = None


class _Counted(Struct, gc=False, kw_only=True):
    """A request to count tokens."""

    model: _Name
    messages: Annotated[list[_Turn], Meta(min_length=1)]
    max_tokens: _Count | None = None
    system: str | list[_SystemText] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    thinking: _Adaptive | _Enabled | _Disabled | None = None
    output_config: _OutputConfig | None = None
    metadata: _Metadata | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: _Count | None = None


class _Answered(_Counted, gc=False, kw_only=True):
    """A request for a message."""

    max_tokens: _Count


def is_plain(body: Any, *, is_count: bool = False) -> bool:
    """True when a parsed request surely has the shape that it must have; False says nothing."""
    try:
        msgspec.convert(body, _Counted if is_count else _Answered)
    except (msgspec.ValidationError, OverflowError):
        return False
    return True
