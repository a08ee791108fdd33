"""A Gemini request translated into the canonical body."""

from typing import Any

from ucr.dialects.gemini.client_config import config_of, instruction, options
from ucr.dialects.gemini.client_contents import Contents
from ucr.dialects.gemini.client_shape import field, known
from ucr.dialects.gemini.client_tools import choose, tools
from ucr.dialects.openai_chat.client_shape import array, object_, text, wrong
from ucr.dialects.openai_chat.notes import name as noted
from ucr.dialects.roles import Canonical
from ucr.jsontext import JsonObject

_READ = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"})
_QUIET = frozenset({"labels", "safetySettings"})
"""Fields that do not change what another provider answers: it has its own rules of safety."""


def canonical(body: JsonObject, model: str, *, stream: bool) -> Canonical:
    """Translate a request; raise `ApiError` 400 for what is malformed and for what cannot be said.

    The notes name no value of the client's.
    """
    notes: list[str] = []
    if field(body, "cachedContent"):
        raise wrong("cachedContent", "this provider has no access to Google's cached contents")
    contents = Contents(notes)
    for index, content in enumerate(contents_of(body)):
        contents.read(content, f"contents[{index}]")
    if not contents.turns:
        raise wrong("contents", "no content has any text, file, call or response")
    config = config_of(body)
    offered, choice = choose(body, tools(body, notes))
    system = [*_system(field(body, "systemInstruction")), *instruction(config, notes)]
    made: JsonObject = {
        "model": model,
        **({"system": system} if system else {}),
        "messages": contents.turns,
        **({"tools": offered} if offered else {}),
        **({"tool_choice": choice} if choice else {}),
        **options(config, notes),
        **({"stream": True} if stream else {}),
    }
    notes += [f"dropped {noted(key)}" for key in known(body, _READ | _QUIET)]
    return Canonical(made, tuple(dict.fromkeys(notes)))


def contents_of(body: JsonObject) -> list[Any]:
    """Return the contents; raise `ApiError` 400 when there are none."""
    found = array(body.get("contents"), "contents") if "contents" in body else []
    if not found:
        raise wrong("contents", "expected at least one content")
    return found


def _system(given: Any) -> list[JsonObject]:
    if given is None:
        return []
    path = "systemInstruction"
    if isinstance(given, str):
        parts: list[Any] = [{"text": given}]
    else:
        found = object_(given, path).get("parts")
        parts = array([] if found is None else found, f"{path}.parts")
    texts = [
        text(object_(part, f"{path}.parts[{index}]").get("text", ""), f"{path}.parts[{index}].text")
        for index, part in enumerate(parts)
    ]
    return [{"type": "text", "text": words} for words in texts if words.strip()]
