"""Tools, and which of them the model may or must use, in the flat shape of the Responses API."""

from collections.abc import Mapping

from ucr.dialects.openai_chat import tools as chat
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject


def write_tools(
    body: JsonObject, tools: chat.Tools, names: Mapping[str, str], target: Target, notes: Notes
) -> JsonObject:
    """Return `tools`, `tool_choice` and `parallel_tool_calls`; nothing at all when no tool is left."""
    fields = chat.write_tools(body, tools, names, target, notes)
    if "tools" in fields:
        fields["tools"] = [_flat(tool["function"]) for tool in fields["tools"]]
    choice = fields.get("tool_choice")
    if isinstance(choice, dict):
        fields["tool_choice"] = {"type": "function", "name": choice["function"]["name"]}
    return fields


def _flat(function: JsonObject) -> JsonObject:
    """A tool that does not say that it is not strict is taken for strict, and most schemas are not."""
    return {"type": "function", "strict": False, **function}
