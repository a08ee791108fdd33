"""How a conversation begins, as a provider gets it: written once for all requests in which it goes on.

A beginning that became longer (see `beginnings`) is written from where it was written before.
"""

from msgspec import Struct

from ucr.dialects.beginnings import Beginning
from ucr.dialects.openai_chat.conversation import write_plain
from ucr.dialects.openai_chat.names import provider_names
from ucr.dialects.openai_chat.tools import names_called
from ucr.dialects.roles import Request, Target
from ucr.jsontext import JsonObject, RawItems, dumps


class KnownTurns(Struct, frozen=True):
    """The first `count` turns of a conversation as messages, and the names of the tools that were called in them.

    All of those fit, so that no name stands for another one.
    """

    count: int
    messages: RawItems
    called: frozenset[str]


def known_turns(request: Request, body: JsonObject, target: Target) -> KnownTurns | None:
    """Return how the conversation of a canonical body begins, if that is known and plain."""
    beginning = request.beginning
    if beginning is None or not target.profile.takes_beginnings:
        return None
    count = len(beginning.turns)
    turns = body["messages"]
    # Nearly always these are the same objects, which makes the comparison a fast one.
    if len(turns) <= count or turns[:count] != beginning.turns:
        return None
    made = beginning.made(target)
    if made is None or (isinstance(made, KnownTurns) and made.count < count):
        made = _made(beginning, target, made) or False
        beginning.keep(target, made)
    return made if isinstance(made, KnownTurns) else None


def _made(beginning: Beginning, target: Target, before: KnownTurns | None) -> KnownTurns | None:
    """Write what was not written `before`; None if there is something that is not plain in it."""
    turns = beginning.turns if before is None else beginning.turns[before.count :]
    called = names_called(turns)
    if any(short != name for name, short in provider_names(called).items()):
        return None
    messages = write_plain(turns, target, {}, is_open_end=True)
    if not messages:
        return None
    text = dumps(messages)[1:-1]
    if before is not None:
        text, called = b"%b,%b" % (before.messages.text, text), called | before.called
    return KnownTurns(len(beginning.turns), RawItems(text), frozenset(called))
