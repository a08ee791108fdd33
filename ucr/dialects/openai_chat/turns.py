"""The turns of a conversation, with every tool call beside its result.

Chat completions want each call answered directly after the message that made it. Clients put results
elsewhere: after text, after a system turn, in a second user turn, twice, or (interrupted, compacted) nowhere.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

from ucr import jsontext
from ucr.bridges.blocks import RESULTS, in_words
from ucr.dialects.openai_chat.media import text_part
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import blocks_of, objects_of, text_of
from ucr.dialects.tool_ids import to_upstream
from ucr.jsontext import JsonObject, RawJson

ROLES = ("system", "user", "assistant")
BILLING_PREFIX = "x-anthropic-billing-header:"
"""How Claude Code's first system block begins; its hash varies and would spoil every prompt cache."""

SERVER_BLOCKS = ("server_tool_use", "mcp_tool_use", "fallback")


Blocks: TypeAlias = tuple[JsonObject, ...]


class Turn(msgspec.Struct, frozen=True):
    """One turn. An assistant turn has its calls and the result block of each, by the ids of the provider.

    A long conversation has hundreds of turns, and a Struct is made ten times as fast as a frozen dataclass.
    """

    role: str
    blocks: Blocks
    calls: dict[str, JsonObject] = msgspec.field(default_factory=dict)
    results: dict[str, JsonObject] = msgspec.field(default_factory=dict)


def call_id(block: JsonObject, key: str) -> str:
    """Return the provider's id of a call that a block names under `key`; "" when there is none."""
    given = block.get(key)
    return to_upstream(given) if isinstance(given, str) else ""


def system_blocks(body: JsonObject) -> list[JsonObject]:
    """Return the blocks of the system prompt, without Claude Code's billing line."""
    given = body.get("system")
    if isinstance(given, str):
        return [{"type": "text", "text": given}] if is_said(given) else []
    return [
        block
        for block in (blocks_of(given) if given else ())
        if block["type"] == "text" and is_said(block["text"])
    ]


def is_said(text: str) -> bool:
    """True for a text of the system prompt that is neither blank nor Claude Code's billing line."""
    begun = text.lstrip()
    return bool(begun) and not begun.startswith(BILLING_PREFIX)


def read_turns(messages: object) -> list[Turn]:
    """Return the turns that say anything; assistant turns in a row are one, as the Messages API reads them."""
    turns: list[Turn] = []
    for message in objects_of(messages):
        role = message.get("role")
        blocks = tuple(blocks_of(message.get("content")))
        if not blocks or not isinstance(role, str) or role not in ROLES:
            continue
        if role == "assistant" and turns and turns[-1].role == "assistant":
            turns[-1] = Turn(role, turns[-1].blocks + blocks)
        else:
            turns.append(Turn(role, blocks))
    return turns


def paired(turns: Iterable[Turn], notes: Notes) -> list[Turn]:
    """Return turns with results moved to their calls; a result without a call becomes words of the user."""
    out: list[Turn] = []
    last = Turn("assistant", ())
    for turn in turns:
        if turn.role == "assistant":
            last = _with_calls(turn, notes)
            out.append(last)
        elif "tool_result" not in [block["type"] for block in turn.blocks]:
            out.append(turn)
        elif rest := tuple(_unclaimed(turn.blocks, last.calls, last.results, notes)):
            out.append(Turn(turn.role, rest))
    return out


def _with_calls(turn: Turn, notes: Notes) -> Turn:
    """Find the calls of a turn by their ids at the provider; a repeated id counts once.

    Calls that Anthropic's servers ran are left out, together with their results; of the web those become words.
    """
    calls: dict[str, JsonObject] = {}
    has_servers = False
    for block in turn.blocks:
        kind = block["type"]
        if kind == "tool_use":
            if text_of(block.get("name")) and (id_ := call_id(block, "id")):
                calls.setdefault(id_, block)
        elif kind != "text" and _is_servers(kind):
            has_servers = True
    if not has_servers:
        return Turn(turn.role, turn.blocks, calls)
    blocks = [_in_words(block) if block["type"] in RESULTS else block for block in turn.blocks]
    if any(was is not made for was, made in zip(turn.blocks, blocks, strict=True)):
        notes.add("what an earlier web tool found was passed as text")
    else:
        notes.dropped("server_tool_history")
    return Turn(turn.role, tuple([block for block in blocks if not _is_servers(block["type"])]), calls)


def _in_words(result: JsonObject) -> JsonObject:
    return text_part(in_words(result))


def _unclaimed(
    blocks: Blocks, calls: Mapping[str, JsonObject], results: dict[str, JsonObject], notes: Notes
) -> Iterable[JsonObject]:
    """Yield what is no result of `calls`, and put the first result of each call into `results`."""
    for block in blocks:
        if block["type"] != "tool_result":
            yield block
            continue
        id_ = call_id(block, "tool_use_id")
        if id_ not in calls:
            notes.add("a tool result without its call was passed as text")
            yield from _as_words(block)
        elif id_ in results:
            notes.add("dropped a second result of one tool call")
        else:
            results[id_] = block


def _as_words(result: JsonObject) -> list[JsonObject]:
    blocks = blocks_of(result.get("content"))
    return [text_part("[result of an earlier tool call]"), *blocks] if blocks else []


def _is_servers(kind: str) -> bool:
    return kind in SERVER_BLOCKS or kind.endswith("_tool_result")


def input_object(value: object) -> object:
    """Return a call's input as an object, with every number as it was."""
    match value:
        case dict() | RawJson():
            return value
        case str():
            return RawJson(jsontext.object_text(value))
        case None:
            return {}
        case _:
            return {"_raw": value}
