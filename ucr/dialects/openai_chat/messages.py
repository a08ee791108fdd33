"""The messages of a chat-completions request."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ucr import jsontext
from ucr.dialects.openai_chat.content import (
    SEPARATOR,
    content_of,
    error_text,
    joined,
    parts_of,
    plain_text,
    reminder,
    text_and_media,
)
from ucr.dialects.openai_chat.conversation import write_plain
from ucr.dialects.openai_chat.known_turns import KnownTurns
from ucr.dialects.openai_chat.media import text_part, texts_of
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.order import ordered
from ucr.dialects.openai_chat.past_thoughts import Thoughts, recall
from ucr.dialects.openai_chat.source import blocks_of, is_blank
from ucr.dialects.openai_chat.turns import Turn, is_said, paired, read_turns, system_blocks
from ucr.dialects.roles import Target
from ucr.dialects.tool_ids import alnum9
from ucr.errors import ApiError
from ucr.jsontext import JsonObject, RawItems, RawJson

Shown: TypeAlias = tuple[str | list[JsonObject], list[JsonObject]]
"""The content of a tool message, and the media that must follow it."""

NO_RESULT = "Error: the call was interrupted and has no result"
SKIP_SIGNATURE = "skip_thought_signature_validator"
"""Google's word for a call that another model made; its documentation of thought signatures gives it."""


def write_messages(
    body: JsonObject,
    target: Target,
    names: Mapping[str, str],
    notes: Notes,
    instruction: str = "",
    begun: KnownTurns | None = None,
    prompt: RawItems | None = None,
) -> list[Any]:
    """Return the messages; `instruction` is appended to the system prompt.

    `begun` is what is written already of the turns, and `prompt` the message of the system prompt where that is alone.

    Raise `ApiError` 400 when nothing is left to say, and for images to a model that takes none.
    """
    turns = body.get("messages")
    written = write_plain(turns if begun is None else body["messages"][begun.count :], target, names)
    leading: list[JsonObject] = []
    if written is None:
        begun = None
        written, leading = write_turns(body, target, names, notes)
    messages: list[Any] = ordered(written, target.quirks, notes)
    if begun is not None:
        messages = [begun.messages, *messages]
    if not messages:
        raise ApiError("invalid_request_error", "messages: no message has any content for the model")
    if prompt is not None and not leading and not instruction:
        return [prompt, *messages]
    content = _system(body, leading, instruction, target, notes)
    return _with_system(messages, content, target) if content else messages


def _system(
    body: JsonObject, leading: list[JsonObject], instruction: str, target: Target, notes: Notes
) -> str | list[JsonObject]:
    """Return the content of the system prompt; nothing when there is none."""
    if not leading and not instruction:
        given = body.get("system")
        if given is None or isinstance(given, str):
            return given if given and is_said(given) else ""
    system = system_blocks(body) + leading
    if instruction:
        system.append(text_part(instruction))
    plain = plain_text(system, target)
    return content_of(parts_of(system, target, notes)) if plain is None else plain


def write_turns(
    body: JsonObject, target: Target, names: Mapping[str, str], notes: Notes
) -> tuple[list[JsonObject], list[JsonObject]]:
    """Return the messages of any conversation, and the blocks of the system turns that it begins with."""
    turns = paired(read_turns(body.get("messages")), notes)
    leading: list[JsonObject] = []
    while turns and turns[0].role == "system":
        leading += (block for block in turns.pop(0).blocks if block["type"] == "text")
    writer = _Writer(target, names, notes)
    for turn in turns:
        writer.write(turn)
    return writer.messages, leading


def _with_system(messages: list[Any], content: str | list[JsonObject], target: Target) -> list[Any]:
    role = target.profile.role
    if role == "user" and messages[0]["role"] == "user":
        first = {**messages[0], "content": joined(content, messages[0]["content"])}
        return [first, *messages[1:]]
    return [{"role": role, "content": content}, *messages]


class _Writer:
    """Writes turn after turn into `messages`."""

    def __init__(self, target: Target, names: Mapping[str, str], notes: Notes) -> None:
        self.messages: list[JsonObject] = []
        self._target = target
        self._quirks = target.quirks
        self._names = names
        self._notes = notes

    def write(self, turn: Turn) -> None:
        match turn.role:
            case "assistant":
                self._assistant(turn)
            case "system":
                self._system(turn)
            case _:
                self._say("user", self._content(turn.blocks))

    def _parts(self, blocks: Iterable[JsonObject]) -> list[JsonObject]:
        return parts_of(blocks, self._target, self._notes)

    def _content(self, blocks: Sequence[JsonObject]) -> str | list[JsonObject]:
        plain = plain_text(blocks, self._target)
        return content_of(self._parts(blocks)) if plain is None else plain

    def _texts(self, blocks: Iterable[JsonObject]) -> list[JsonObject]:
        """The parts for a role that only speaks: its attachments have no place in chat completions."""
        parts = self._parts(blocks)
        texts = [part for part in parts if part["type"] == "text"]
        if len(texts) < len(parts):
            self._notes.dropped("attachment")
        return texts

    def _say(self, role: str, content: str | list[JsonObject]) -> None:
        if content:
            self.messages.append({"role": role, "content": content})

    def _system(self, turn: Turn) -> None:
        """A system turn in the middle; where there is none, in the words that Claude Code itself uses."""
        parts = self._texts(turn.blocks)
        role = self._target.profile.role
        if self._quirks.mid_system and role != "user":
            self._say(role, content_of(parts))
        elif parts:
            self._say("user", reminder(SEPARATOR.join(texts_of(parts))))

    def _assistant(self, turn: Turn) -> None:
        if not self._quirks.tools:
            self._told(turn)
            return
        thoughts = recall(turn.blocks, self._target.provider)
        calls = [self._call(id_, block, thoughts) for id_, block in turn.calls.items()]
        content = self._spoken(turn, thoughts)
        if not content and not calls:
            return
        message: JsonObject = {"role": "assistant", "content": content or None}
        if calls:
            self._sign(calls)
            message["tool_calls"] = calls
        if self._quirks.reasoning_history != "drop":
            message.update(self._remembered(thoughts, is_needed=bool(calls) or self._follows_tool()))
        self.messages.append(message)
        self._results(turn)

    def _follows_tool(self) -> bool:
        return bool(self.messages) and self.messages[-1]["role"] == "tool"

    def _spoken(self, turn: Turn, thoughts: Thoughts) -> str | list[JsonObject]:
        """The visible content: text that citations cut into blocks is put together as it was."""
        blocks = visible(turn.blocks)
        plain = None if thoughts.chunks else plain_text(blocks, self._target)
        if plain is not None:
            return plain
        parts = self._texts(blocks)
        if thoughts.chunks and self._quirks.reasoning_history == "thinking_chunks" and (parts or turn.calls):
            return [*thoughts.chunks, *parts]
        return content_of(parts)

    def _remembered(self, thoughts: Thoughts, *, is_needed: bool) -> JsonObject:
        match self._quirks.reasoning_history:
            case "reasoning_content":
                if thoughts.text is None:
                    is_missed = is_needed and self._quirks.reasoning_required
                    return {"reasoning_content": ""} if is_missed else {}
                return {"reasoning_content": thoughts.text}
            case "reasoning_details" if thoughts.details:
                return {"reasoning_details": list(thoughts.details)}
            case _:
                return {}

    def _call(self, id_: str, block: JsonObject, thoughts: Thoughts) -> JsonObject:
        name = self._names.get(block["name"], block["name"])
        function = {"name": name, "arguments": arguments(block.get("input"))}
        call: JsonObject = {"id": self._id(id_), "type": "function", "function": function}
        if thoughts.extras and (extra := thoughts.extras.get(block["id"])) is not None:
            call["extra_content"] = extra
        return call

    def _sign(self, calls: list[JsonObject]) -> None:
        """Of parallel calls only the first bears a signature."""
        if self._quirks.thought_signatures:
            calls[0].setdefault("extra_content", {"google": {"thought_signature": SKIP_SIGNATURE}})

    def _id(self, id_: str) -> str:
        return alnum9(id_) if self._quirks.tool_id == "alnum9" else id_

    def _results(self, turn: Turn) -> None:
        """Answer every call of a turn, and show afterwards what a tool message cannot carry."""
        shown: list[JsonObject] = []
        for id_, call in turn.calls.items():
            content, media = self._result(turn.results.get(id_))
            self.messages.append({"role": "tool", "tool_call_id": self._id(id_), "content": content})
            if media:
                shown += [text_part(f"From the result of {call['name']} ({self._id(id_)}):"), *media]
        if shown:
            self._say("user", content_of(shown))

    def _result(self, result: JsonObject | None) -> Shown:
        if result is None:
            self._notes.add("a tool call without a result was answered with an error")
            return NO_RESULT, []
        given = result.get("content")
        content: str | list[JsonObject]
        media: list[JsonObject] = []
        if isinstance(given, str) and not self._target.profile.caches:
            content = "" if is_blank(given) else given
        else:
            content, media = self._shown(result, blocks_of(given))
        if result.get("is_error") is True:
            content = error_text(content) if isinstance(content, str) else joined("Error:", content)
        return content, media

    def _shown(self, result: JsonObject, blocks: list[JsonObject]) -> Shown:
        if self._target.profile.caches and "cache_control" in result and blocks:
            blocks[-1] = {"cache_control": result["cache_control"], **blocks[-1]}
        plain = plain_text(blocks, self._target)
        return text_and_media(self._parts(blocks)) if plain is None else (plain, [])

    def _told(self, turn: Turn) -> None:
        """Tell of calls and results in words, for a provider that knows no tools."""
        parts = self._texts(visible(turn.blocks))
        answers: list[JsonObject] = []
        for id_, call in turn.calls.items():
            parts.append(text_part(f"[called {call['name']} with {arguments(call.get('input'))}]"))
            content, media = self._result(turn.results.get(id_))
            answers += [text_part(f"[result of {call['name']}]"), *_content_parts(content), *media]
        self._say("assistant", content_of(parts))
        self._say("user", content_of(answers))


def _content_parts(content: str | list[JsonObject]) -> list[JsonObject]:
    if isinstance(content, list):
        return content
    return [text_part(content)] if content else []


def visible(blocks: Iterable[JsonObject]) -> list[JsonObject]:
    """Leave out thinking and calls, and join the pieces that citations made of one text."""
    shown: list[JsonObject] = []
    for block in blocks:
        kind = block["type"]
        if kind == "tool_use" or kind == "thinking" or kind == "redacted_thinking":
            continue
        if shown and kind == shown[-1]["type"] == "text" and _is_cited(block, shown[-1]):
            shown[-1] = {**shown[-1], **block, "text": shown[-1]["text"] + block["text"]}
        else:
            shown.append(block)
    return shown


def _is_cited(*blocks: JsonObject) -> bool:
    return any(block.get("citations") for block in blocks)


def arguments(value: object) -> str:
    """Return a call's input as the text of a JSON object, with every number as it was."""
    if isinstance(value, dict):
        return jsontext.dumps(value).decode()
    match value:
        case RawJson():
            return value.text
        case str():
            return jsontext.object_text(value)
        case None:
            return "{}"
        case _:
            return jsontext.dumps({"_raw": value}).decode()
