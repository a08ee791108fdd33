"""Tools as a provider gets them, written once for all requests that bring the same tools."""

from collections.abc import Mapping

from msgspec import Struct

from ucr.dialects.openai_chat.names import provider_names
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.tools import Tools, read_tools, written_tools
from ucr.dialects.roles import Request, Target
from ucr.jsontext import JsonObject, RawItems, dumps


class KnownTools(Struct, frozen=True):
    """The tools that are offered, their names, which all fit, and their JSON."""

    tools: Tools
    names: Mapping[str, str]
    written: RawItems


def known_tools(request: Request, body: JsonObject, target: Target) -> KnownTools | None:
    """Return the tools of a canonical body if they are those of many requests, and nothing is to be noted of them."""
    toolset = request.toolset
    if toolset is None or body.get("tools") is not toolset.tools:
        return None
    made = toolset.made(target)
    if made is None:
        made = _made(toolset.tools, target) or False
        toolset.keep(target, made)
    return made if isinstance(made, KnownTools) else None


def _made(listed: list[JsonObject], target: Target) -> KnownTools | None:
    notes = Notes()
    tools = read_tools({"tools": listed}, target, notes)
    names = provider_names(set(tools))
    written = dumps(written_tools(tools, names, target, notes))[1:-1]
    has_short_names = any(short != name for name, short in names.items())
    return None if notes.phrases or has_short_names else KnownTools(tools, names, RawItems(written))
