"""The order of an assistant's blocks, packed into one opaque field of a chat message.

How this works: a chat message has one text, one reasoning text and a list of calls; a canonical message is a
sequence of blocks, and a model that signed its thinking checks that sequence. So the answer carries, beside
`reasoning_content`, a `reasoning_signature` that says how the texts were cut and ordered and holds the
signatures. A client that sends both fields back, as it does with the reasoning fields of other providers,
gives back the exact sequence; nothing is kept here. A text that was edited no longer fits its length: the
thinking then goes first, or, if it was itself edited, away.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from ucr.dialects import envelope
from ucr.jsontext import JsonObject

FIELD = "reasoning_signature"
_OWNER = "openai-chat-client"

Entry: TypeAlias = (
    tuple[Literal["thinking"], int, str]
    | tuple[Literal["redacted"], str]
    | tuple[Literal["text"], int]
    | tuple[Literal["call"]]
)
"""One block: thinking (length in characters, signature), redacted data, text (length), or a call."""


def pack(entries: Sequence[Entry]) -> str | None:
    """Write the order of a message's blocks; None without signed thinking, which alone needs to come back."""
    if not any(entry[0] == "redacted" or (entry[0] == "thinking" and entry[2]) for entry in entries):
        return None
    return envelope.seal(_OWNER, {"blocks": [list(entry) for entry in entries]})


def restore(
    packed: object, reasoning: str, texts: list[JsonObject], calls: list[JsonObject]
) -> list[JsonObject] | None:
    """Return the blocks in the order that `packed` says, thinking first where that no longer fits.

    None when the field is not ours, was damaged, or the reasoning text is not what it was.
    """
    entries = _entries(packed)
    if entries is None or sum(_length(entry, "thinking") for entry in entries) != len(reasoning):
        return None
    text = "".join(block["text"] for block in texts)
    if sum(_length(entry, "text") for entry in entries) == len(text) and len(calls) == sum(
        entry[0] == "call" for entry in entries
    ):
        return _interleaved(entries, reasoning, text, calls)
    return [
        *_interleaved([e for e in entries if e[0] in ("thinking", "redacted")], reasoning, "", []),
        *texts,
        *calls,
    ]


def _entries(packed: object) -> list[list[Any]] | None:
    opened = envelope.unseal(packed)
    if opened is None or opened.provider != _OWNER:
        return None
    entries = opened.state.get("blocks")
    return entries if isinstance(entries, list) and all(map(_is_entry, entries)) else None


def _is_entry(entry: object) -> bool:
    match entry:
        case ["thinking", int(length), str()] | ["text", int(length)]:
            return length >= 0
        case ["redacted", str()] | ["call"]:
            return True
        case _:
            return False


def _length(entry: list[Any], kind: str) -> int:
    return int(entry[1]) if entry[0] == kind else 0


def _interleaved(
    entries: list[list[Any]], reasoning: str, text: str, calls: list[JsonObject]
) -> list[JsonObject]:
    blocks: list[JsonObject] = []
    thought = said = 0
    waiting = iter(calls)
    for entry in entries:
        match entry:
            case ["thinking", length, signature]:
                part, thought = reasoning[thought : thought + length], thought + length
                if signature:
                    blocks.append({"type": "thinking", "thinking": part, "signature": signature})
            case ["redacted", data]:
                blocks.append({"type": "redacted_thinking", "data": data})
            case ["text", length]:
                part, said = text[said : said + length], said + length
                if part.strip():
                    blocks.append({"type": "text", "text": part})
            case _:
                blocks.append(next(waiting))
    return blocks
