"""Functions that stand for the tools which Anthropic defines by type and the client runs.

A client that offers `bash_20250124` runs what it is asked with these arguments; a model of another provider
must be told them. The arguments are those of the Anthropic API reference, "Computer use tool", "Bash tool",
"Text editor tool" and "Memory tool".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ucr.jsontext import JsonObject


def _text(description: str) -> JsonObject:
    return {"type": "string", "description": description}


def _whole(description: str) -> JsonObject:
    return {"type": "integer", "description": description}


def _numbers(description: str, count: int) -> JsonObject:
    return {
        "type": "array",
        "items": {"type": "integer"},
        "minItems": count,
        "maxItems": count,
        "description": description,
    }


def _choice(description: str, words: str) -> JsonObject:
    return {"type": "string", "enum": words.split(), "description": description}


def _function(description: str, properties: JsonObject, required: tuple[str, ...] = ()) -> JsonObject:
    return {
        "description": description,
        "parameters": {"type": "object", "properties": properties, "required": list(required)},
    }


_PLACES: Mapping[str, Any] = MappingProxyType(
    {
        "insert_line": _whole("The line after which text is inserted; 0 is the beginning."),
        "insert_text": _text("The text to insert."),
        "view_range": _numbers("First and last line to view; -1 is the end.", 2),
        "file_text": _text("The whole content of a file to create."),
        "old_str": _text("The text to replace; it must occur exactly once."),
        "new_str": _text("The text to put in its place."),
    }
)

NATIVE: Mapping[str, JsonObject] = MappingProxyType(
    {
        "bash": _function(
            "Run a command in a persistent bash session.",
            {"command": _text("The command to run."), "restart": {"type": "boolean"}},
        ),
        "text_editor": _function(
            "View, create and edit text files.",
            {
                "command": _choice("What to do.", "view create str_replace insert undo_edit"),
                "path": _text("The absolute path of the file or directory."),
                **_PLACES,
            },
            ("command", "path"),
        ),
        "memory": _function(
            "Keep and read notes in the directory /memories across conversations.",
            {
                "command": _choice("What to do.", "view create str_replace insert delete rename"),
                "path": _text("The path, beginning with /memories."),
                "old_path": _text("The path to rename from."),
                "new_path": _text("The path to rename to."),
                **_PLACES,
            },
            ("command",),
        ),
        "computer": _function(
            "Use a computer by its screen, mouse and keyboard.",
            {
                "action": _choice(
                    "What to do.",
                    "screenshot key type mouse_move left_click right_click middle_click double_click"
                    " triple_click left_click_drag left_mouse_down left_mouse_up scroll hold_key wait"
                    " cursor_position zoom",
                ),
                "coordinate": _numbers("The x and y of the point.", 2),
                "start_coordinate": _numbers("The x and y where a drag starts.", 2),
                "text": _text("The text to type, or the keys to press."),
                "scroll_direction": _choice("Where to scroll.", "up down left right"),
                "scroll_amount": _whole("How far to scroll, in clicks."),
                "duration": {"type": "number", "description": "How long to hold or wait, in seconds."},
                "region": _numbers("The x and y of two corners to zoom into.", 4),
            },
            ("action",),
        ),
    }
)


def native_function(tool_type: str) -> JsonObject | None:
    """Return description and parameters for a dated tool type such as `bash_20250124`; None for others."""
    family, _, date = tool_type.rpartition("_")
    return NATIVE.get(family) if date.isdecimal() else None
