"""The system prompt as a provider gets it, written once for all requests that bring the same one."""

from ucr.dialects.openai_chat.content import plain_text
from ucr.dialects.openai_chat.turns import system_blocks
from ucr.dialects.roles import Request, Target
from ucr.jsontext import JsonObject, RawItems, dumps_to_keep


def known_prompt(request: Request, body: JsonObject, target: Target) -> RawItems | None:
    """Return the message of the system prompt of a canonical body, if it is that of many requests and text alone."""
    prompt = request.prompt
    if prompt is None or body.get("system") is not prompt.blocks or target.profile.role == "user":
        return None
    made = prompt.made(target)
    if made is None:
        made = _made(body, target) or False
        prompt.keep(target, made)
    return made if isinstance(made, RawItems) else None


def _made(body: JsonObject, target: Target) -> RawItems | None:
    content = plain_text(system_blocks(body), target)
    message = {"role": target.profile.role, "content": content}
    return RawItems(dumps_to_keep(message)) if content else None
