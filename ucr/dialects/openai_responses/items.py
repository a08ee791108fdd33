"""The conversation of a Responses request: one list of items, in the order in which things were said and done.

Chat completions have one text and one list of calls to a turn; here each text, each call, each result and each piece
of reasoning is an item of its own, so that the order of an assistant's blocks is kept. Reasoning goes back to the
provider that wrote it, in front of what it led to; alone at the end of a turn it would be refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from ucr import jsontext
from ucr.dialects.envelope import unseal
from ucr.dialects.openai_chat.content import SEPARATOR, error_text, reminder
from ucr.dialects.openai_chat.messages import NO_RESULT, arguments, visible
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.source import blocks_of, objects_of
from ucr.dialects.openai_chat.turns import Turn, call_id, paired, read_turns, system_blocks
from ucr.dialects.openai_responses.parts import content_of, is_marked, parts_of, text_part, texts_of
from ucr.dialects.roles import Target
from ucr.dialects.tool_ids import mint
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

CALL_ID_CHARS = 64
"""As long as the API reference lets the id of a call be; a longer one is replaced."""

STATE = "reasoning_items"
"""Where the state of a thinking block holds the items that the provider wants back."""


def write_input(
    body: JsonObject, target: Target, names: Mapping[str, str], notes: Notes, instruction: str = ""
) -> JsonObject:
    """Return `instructions` and `input`; `instruction` is appended to the system prompt.

    Raise `ApiError` 400 when nothing is left to say, and for images to a model that takes none.
    """
    turns = paired(read_turns(body.get("messages")), notes)
    system = system_blocks(body)
    while turns and turns[0].role == "system":
        system += (block for block in turns.pop(0).blocks if block["type"] == "text")
    turns = _ended(turns, target, notes)
    marks = target.profile.breakpoints and any(map(is_marked, system))
    writer = _Writer(target, names, notes, marks=marks)
    for turn in turns:
        writer.write(turn)
    if not writer.items:
        raise ApiError("invalid_request_error", "messages: no message has any content for the model")
    words = [block["text"] for block in system] + ([instruction] if instruction else [])
    if marks:
        told = [*system, *({"type": "text", "text": text} for text in words[len(system) :])]
        return {"input": [_developer(parts_of(told, target, notes, marks=True)), *writer.items]}
    return {**({"instructions": SEPARATOR.join(words)} if words else {}), "input": writer.items}


def _developer(parts: list[JsonObject]) -> JsonObject:
    """The system prompt as a message, which unlike `instructions` can hold cache breakpoints."""
    return {"type": "message", "role": "developer", "content": parts}


def _ended(turns: list[Turn], target: Target, notes: Notes) -> list[Turn]:
    """Leave out an assistant's turn at the end, which would be continued by a model that can."""
    end = len(turns)
    if target.quirks.prefill == "drop":
        while end and turns[end - 1].role == "assistant" and not turns[end - 1].calls:
            end -= 1
    if end != len(turns):
        notes.dropped("prefill")
    return turns[:end]


class _Writer:
    """Writes turn after turn into `items`."""

    def __init__(self, target: Target, names: Mapping[str, str], notes: Notes, *, marks: bool) -> None:
        self.items: list[JsonObject] = []
        self._target = target
        self._names = names
        self._notes = notes
        self._marks = marks

    def write(self, turn: Turn) -> None:
        match turn.role:
            case "assistant" if self._target.quirks.tools:
                self._assistant(turn)
            case "assistant":
                self._told(turn)
            case "system":
                self._system(turn)
            case _:
                self._say("user", self._content(turn.blocks))

    def _parts(self, blocks: Iterable[JsonObject]) -> list[JsonObject]:
        return parts_of(blocks, self._target, self._notes, marks=self._marks)

    def _content(self, blocks: Iterable[JsonObject]) -> str | list[JsonObject]:
        return content_of(self._parts(blocks), marks=self._marks)

    def _texts(self, blocks: Sequence[JsonObject]) -> list[str]:
        """The texts for a role that only speaks: its attachments have no place here."""
        parts = self._parts(blocks)
        texts = texts_of(parts)
        if len(texts) < len(parts):
            self._notes.dropped("attachment")
        return texts

    def _say(self, role: str, content: str | list[JsonObject]) -> None:
        if content:
            self.items.append({"type": "message", "role": role, "content": content})

    def _system(self, turn: Turn) -> None:
        """A system turn in the middle; where there is none, in the words that Claude Code itself uses."""
        text = SEPARATOR.join(self._texts(turn.blocks))
        role = self._target.profile.role
        if self._target.quirks.mid_system and role != "user":
            self._say(role, text)
        elif text:
            self._say("user", reminder(text))

    def _assistant(self, turn: Turn) -> None:
        start = len(self.items)
        for kind, group in groupby(turn.blocks, _kind):
            blocks = list(group)
            match kind:
                case "thinking":
                    self.items += _remembered(blocks, self._target.provider)
                case "tool_use":
                    self.items += self._calls(turn, blocks)
                case _:
                    self._say("assistant", SEPARATOR.join(self._texts(visible(blocks))))
        while len(self.items) > start and self.items[-1]["type"] == "reasoning":
            self.items.pop()
        for id_ in turn.calls:
            output = self._output(turn.results.get(id_))
            self.items.append({"type": "function_call_output", "call_id": _short(id_), "output": output})

    def _calls(self, turn: Turn, blocks: list[JsonObject]) -> list[JsonObject]:
        found = [(call_id(block, "id"), block) for block in blocks]
        return [self._call(id_, block) for id_, block in found if turn.calls.get(id_) is block]

    def _call(self, id_: str, block: JsonObject) -> JsonObject:
        name = self._names.get(block["name"], block["name"])
        return {
            "type": "function_call",
            "call_id": _short(id_),
            "name": name,
            "arguments": arguments(block.get("input")),
        }

    def _output(self, result: JsonObject | None) -> str | list[JsonObject]:
        if result is None:
            self._notes.add("a tool call without a result was answered with an error")
            return NO_RESULT
        blocks = blocks_of(result.get("content"))
        if blocks and is_marked(result):
            blocks[-1] = {"cache_control": result["cache_control"], **blocks[-1]}
        content = self._content(blocks)
        if result.get("is_error") is not True:
            return content
        return error_text(content) if isinstance(content, str) else [text_part("Error:"), *content]

    def _told(self, turn: Turn) -> None:
        """Tell of calls and results in words, for a provider that knows no tools."""
        texts = self._texts(visible(turn.blocks))
        answers: list[JsonObject] = []
        for id_, call in turn.calls.items():
            texts.append(f"[called {call['name']} with {arguments(call.get('input'))}]")
            output = self._output(turn.results.get(id_))
            shown = [text_part(output)] if isinstance(output, str) else output
            answers += [text_part(f"[result of {call['name']}]"), *shown]
        self._say("assistant", SEPARATOR.join(texts))
        self._say("user", content_of(answers))


def _short(id_: str) -> str:
    return id_ if len(id_) <= CALL_ID_CHARS else mint(id_)


def _kind(block: JsonObject) -> str:
    kind = block["type"]
    if kind in ("thinking", "redacted_thinking"):
        return "thinking"
    return "tool_use" if kind == "tool_use" else ""


def _remembered(blocks: Iterable[JsonObject], provider: str) -> list[JsonObject]:
    """Return the reasoning that this provider wrote and sealed; what it cannot read again stays away."""
    items: list[JsonObject] = []
    for block in blocks:
        sealed = unseal(block.get("signature"))
        if sealed is not None and sealed.provider == provider:
            items += [_reasoning(item) for item in objects_of(sealed.state.get(STATE)) if _is_sealed(item)]
    return items


def _is_sealed(item: JsonObject) -> bool:
    content: Any = item.get("encrypted_content")
    return isinstance(content, str) and bool(content)


def _reasoning(item: JsonObject) -> JsonObject:
    kept = {key: item[key] for key in ("id", "encrypted_content") if isinstance(item.get(key), str)}
    return {"type": "reasoning", **kept, "summary": objects_of(item.get("summary"))}


def state_of(item: JsonObject) -> tuple[JsonObject, int] | None:
    """Return what must be kept of a reasoning item, and about how large it is; None for one that is not sealed."""
    if not _is_sealed(item):
        return None
    kept = _reasoning(item)
    return kept, len(jsontext.dumps(kept))
