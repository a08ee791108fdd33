"""A request as a coding agent sends it: long instructions, many tools with their schemas, and a talk with their results.

It has the shape of Claude Code's requests and their size, about 80 kB, and none of its words.
"""

from typing import Any

TOOLS = 20
TURNS = 6
BETAS = "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14"
RULE = (
    "Read a file before it is changed, keep to the style of what is around, and say in the end what was done. "
)
LINE = "    12→def count(ships: list[str]) -> int:  # the keeper counts what passes\n"


def asked(mark: str, orders: str, *, stream: bool, model: str) -> dict[str, Any]:
    """Return the body; what is asked last holds the mark and the orders."""
    last = {"type": "text", "text": f"{mark} {orders}", "cache_control": {"type": "ephemeral"}}
    return {
        "model": model,
        "max_tokens": 32_000,
        "stream": stream,
        "temperature": 1,
        "system": [
            {"type": "text", "text": "You are an agent that works on code."},
            {"type": "text", "text": RULE * 140, "cache_control": {"type": "ephemeral"}},
        ],
        "tools": [_tool(number) for number in range(TOOLS)],
        "messages": [*_talk(), {"role": "user", "content": [last]}],
        "metadata": {"user_id": '{"device_id":"d","account_uuid":"","session_id":"s"}'},
    }


def _tool(number: int) -> dict[str, Any]:
    fields = {
        f"field_{name}": {"type": "string", "description": f"What {name} is. {RULE}"}
        for name in ("path", "text", "mode")
    }
    schema = {"type": "object", "properties": fields, "required": ["field_path"], "additionalProperties": False}
    return {"name": f"Tool{number}", "description": RULE * 6, "input_schema": schema}


def _talk() -> list[dict[str, Any]]:
    """Return turns in which the agent called a tool and got its result."""
    turns: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": RULE * 4}]}]
    for number in range(TURNS):
        call = {
            "type": "tool_use",
            "id": f"toolu_{number:04}",
            "name": "Tool1",
            "input": {"field_path": f"/a/{number}"},
        }
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": LINE * 60}
        turns += [{"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, call]}]
        turns += [{"role": "user", "content": [result]}]
    turns.append({"role": "assistant", "content": [{"type": "text", "text": "That is the file."}]})
    return turns
