"""Reads a whole answer of Cohere's, as the chat completion that it amounts to."""

from ucr.dialects.cohere.chunks import chat_reply
from ucr.dialects.openai_chat.reply import parsed, read_value
from ucr.dialects.roles import Context
from ucr.events import Reply


def decode_reply(body: bytes, context: Context) -> Reply:
    """Read an answer; raise `UpstreamError` for an error in it and for what cannot be read."""
    return read_value(chat_reply(parsed(body, context)), body, context)
