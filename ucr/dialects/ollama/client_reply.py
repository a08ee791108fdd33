"""A whole answer in Ollama's shape."""

from ucr.dialects.ollama.client_words import Words, call, ending
from ucr.events import Reply, Text, Thinking, ToolUse


def encode(reply: Reply, words: Words) -> bytes:
    """Write an answer. Opaque blocks and citations have no word in this dialect and are left out."""
    uses = [block for block in reply.content if isinstance(block, ToolUse)]
    return words.line(
        "".join(block.text for block in reply.content if isinstance(block, Text)),
        thinking="".join(block.thinking for block in reply.content if isinstance(block, Thinking)),
        calls=[call(use.id, use.name, use.input_json, index) for index, use in enumerate(uses)],
        **ending(reply.stop_reason, reply.usage),
    ).rstrip()
