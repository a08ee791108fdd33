"""The headers in which GitHub Copilot is told who speaks and whether there are images.

A question of the user is a premium request, what follows in its loop of tools is not; a conversation in which the
model has spoken already counts as the agent's. An image must be announced.
"""

from ucr.dialects.openai_chat.source import objects_of
from ucr.dialects.roles import HeaderList, Target

_AGENT = frozenset({"assistant", "tool", "function_call", "function_call_output"})
_IMAGES = frozenset({"image_url", "input_image"})


def initiator_headers(turns: object, target: Target) -> HeaderList:
    """Return the headers for the messages of a chat or the items of Responses; none for other providers."""
    if not target.quirks.initiator:
        return ()
    found = objects_of(turns)
    speaks = {turn.get("role") or turn.get("type") for turn in found}
    headers: HeaderList = (("x-initiator", "user" if _AGENT.isdisjoint(speaks) else "agent"),)
    parts = [part for turn in found for part in objects_of(turn.get("content"))]
    if any(part.get("type") in _IMAGES for part in parts):
        return (*headers, ("copilot-vision-request", "true"))
    return headers
