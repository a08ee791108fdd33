"""The turns of a conversation, put into the order and form that the Messages API insists on.

Only for conversations that the router translated or sends to another model than the one asked for: a Claude
checks that what stood before its thinking is unchanged, so turns of its own client are not touched. Functions
return the turns they were given when there is nothing to change.
"""

from collections.abc import Callable

from ucr.bridges.blocks import RESULTS, is_own
from ucr.dialects import envelope
from ucr.jsontext import JsonObject

Turns = list[JsonObject]

_THINKING = ("thinking", "redacted_thinking")
_OPENING = "(the conversation begins with an answer)"


def has_own(turns: Turns) -> bool:
    """True when a turn has what only UCR understands: thinking that it signed, or the result of a tool that it ran."""
    for turn in turns:
        content = turn["content"]
        if isinstance(content, list):
            for block in content:
                kind = block["type"]
                if (kind in _THINKING and _is_own(block)) or (kind in RESULTS and is_own(block)):
                    return True
    return False


def without_own_thinking(turns: Turns) -> Turns:
    """Leave out the thinking that UCR signed, with its signature; a turn of nothing else goes with it."""
    return _without_blocks(turns, _is_own)


def without_unsigned_thinking(turns: Turns) -> Turns:
    """Leave out the thinking that no Claude signed."""
    return _without_blocks(turns, _is_unsigned)


def without_thinking(turns: Turns) -> Turns:
    """Leave out all thinking: to leave out a part of it would make the rest invalid."""
    return _without_blocks(turns, lambda block: block["type"] in _THINKING)


def without_redacted(turns: Turns) -> Turns:
    """Leave out the thinking that only a Claude can read."""
    return _without_blocks(turns, lambda block: block["type"] == "redacted_thinking")


def without_empty(turns: Turns) -> Turns:
    """Leave out blank texts, which the API refuses, and the turns that are empty without them."""
    return [full for turn in turns if (full := _filled(turn)) is not None]


def with_reminders(turns: Turns, takes_system: bool) -> Turns:
    """Write system turns as reminders from the user: all, or those that stand where the API takes none.

    A system turn may follow a user's and must be the last or be followed by the assistant's.
    """
    return [
        turn
        if turn["role"] != "system" or (takes_system and _may_stand(turns, position))
        else {"role": "user", "content": [_reminder(block) for block in blocks(turn)]}
        for position, turn in enumerate(turns)
    ]


def opened_by_user(turns: Turns) -> Turns:
    """Put a few words of the user's before a conversation that begins with the assistant."""
    if not turns or turns[0]["role"] != "assistant":
        return turns
    return [{"role": "user", "content": _OPENING}, *turns]


def trimmed(turns: Turns) -> Turns:
    """Cut white space at the end of a last turn of the assistant, which the API refuses there."""
    if not turns or turns[-1]["role"] != "assistant":
        return turns
    *earlier, last = blocks(turns[-1])
    if last["type"] != "text":
        return turns
    return [*turns[:-1], {**turns[-1], "content": [*earlier, {**last, "text": last["text"].rstrip()}]}]


def blocks(turn: JsonObject) -> list[JsonObject]:
    """Return a turn's content as blocks; a string is one text."""
    content = turn["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _without_blocks(turns: Turns, is_out: Callable[[JsonObject], bool]) -> Turns:
    if not _have(turns, is_out):
        return turns
    kept = [
        {**turn, "content": [b for b in blocks(turn) if b["type"] not in _THINKING or not is_out(b)]}
        if isinstance(turn["content"], list)
        else turn
        for turn in turns
    ]
    return [turn for turn, was in zip(kept, turns, strict=True) if turn["content"] or not was["content"]]


def _have(turns: Turns, is_out: Callable[[JsonObject], bool]) -> bool:
    """True when there is thinking of a kind; most conversations have none, and are walked for every request."""
    for turn in turns:
        content = turn["content"]
        if isinstance(content, list):
            for block in content:
                if block["type"] in _THINKING and is_out(block):
                    return True
    return False


def _is_own(block: JsonObject) -> bool:
    return envelope.is_ours(block.get("signature"))


def _is_unsigned(block: JsonObject) -> bool:
    if block["type"] == "redacted_thinking":
        return False
    return not block.get("signature") or envelope.is_ours(block["signature"])


def _filled(turn: JsonObject) -> JsonObject | None:
    content = [_with_filled_result(block) for block in blocks(turn) if not _is_blank(block)]
    return {**turn, "content": content} if content else None


def _is_blank(block: JsonObject) -> bool:
    return bool(block["type"] == "text" and not block["text"].strip())


def _with_filled_result(block: JsonObject) -> JsonObject:
    content = block.get("content")
    if block["type"] != "tool_result" or not isinstance(content, list):
        return block
    return {**block, "content": [part for part in content if not _is_blank(part)]}


def _may_stand(turns: Turns, position: int) -> bool:
    if position == 0 or turns[position - 1]["role"] != "user":
        return False
    return position + 1 == len(turns) or turns[position + 1]["role"] == "assistant"


def _reminder(block: JsonObject) -> JsonObject:
    if block["type"] != "text":
        return block
    return {**block, "text": f"<system-reminder>\n{block['text']}\n</system-reminder>"}
