"""A conversation as one prompt: models on Replicate take a text, and not messages.

One question is itself the prompt. Of a longer conversation each turn is introduced by who speaks, and the prompt ends
where the assistant is to go on.
"""

from ucr.dialects.openai_chat.content import SEPARATOR
from ucr.dialects.openai_chat.media import texts_of
from ucr.dialects.openai_chat.source import text_of
from ucr.jsontext import JsonObject

SPEAKERS = (("user", "User"), ("assistant", "Assistant"))
GOES_ON = "Assistant:"


def parted(messages: list[JsonObject]) -> tuple[str, str]:
    """Return the system prompt and the prompt of chat messages."""
    system = SEPARATOR.join(_text(one) for one in messages if one["role"] == "system")
    turns = [one for one in messages if one["role"] != "system"]
    if len(turns) == 1 and turns[0]["role"] == "user":
        return system, _text(turns[0])
    named = dict(SPEAKERS)
    said = [f"{named.get(turn['role'], 'User')}: {_text(turn)}" for turn in turns]
    if turns and turns[-1]["role"] != "assistant":
        said.append(GOES_ON)
    return system, SEPARATOR.join(said)


def _text(message: JsonObject) -> str:
    content = message.get("content")
    return SEPARATOR.join(texts_of(content)) if isinstance(content, list) else text_of(content)
