"""The conversation of a Converse request: messages of alternating roles, and the system prompt.

The calls of an assistant's message are answered in the user's message right after it, before whatever else the user
says. Thinking goes back to the model that signed it: to Claude as Claude signed it, to other models what they had sealed
here before.
"""

import re
from collections.abc import Mapping

from ucr.dialects import envelope, tool_ids
from ucr.dialects.bedrock.content import Content, with_words
from ucr.dialects.openai_chat.content import SEPARATOR, reminder
from ucr.dialects.openai_chat.messages import NO_RESULT
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.order import OPENING
from ucr.dialects.openai_chat.source import blocks_of, objects_of, text_of
from ucr.dialects.openai_chat.turns import Turn, call_id, input_object, paired, read_turns, system_blocks
from ucr.dialects.roles import Target
from ucr.errors import ApiError
from ucr.jsontext import JsonObject
from ucr.quirks import matches

NINE = ("*mistral*", "*mixtral*", "*magistral*", "*ministral*", "*devstral*")
"""Models that want ids of nine letters and digits."""

_FIT = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")


def write_messages(
    body: JsonObject,
    target: Target,
    names: Mapping[str, str],
    notes: Notes,
    *,
    is_claude: bool,
    takes_prefill: bool,
    instruction: str = "",
) -> tuple[list[JsonObject], list[JsonObject]]:
    """Return the messages and the system prompt; raise `ApiError` 400 when nothing is left to say."""
    turns = paired(read_turns(body.get("messages")), notes)
    content = Content(target, notes)
    blocks = system_blocks(body)
    while turns and turns[0].role == "system":
        blocks += (block for block in turns.pop(0).blocks if block["type"] == "text")
    system = content.parts(blocks)
    system += [{"text": instruction}] if instruction else []
    writer = _Writer(content, target, names, notes, is_claude)
    for turn in turns:
        writer.write(turn)
    messages = _ended(writer.messages, takes_prefill, notes)
    if not messages:
        raise ApiError("invalid_request_error", "messages: no message has any content for the model")
    if messages[0]["role"] == "assistant":
        messages.insert(0, {"role": "user", "content": [{"text": OPENING}]})
    return [_worded(message) for message in messages], system


def _ended(messages: list[JsonObject], takes_prefill: bool, notes: Notes) -> list[JsonObject]:
    """Leave out what the model would have to continue, if it does not; white space must not end it."""
    if not messages or messages[-1]["role"] != "assistant":
        return messages
    if not takes_prefill:
        notes.dropped("prefill")
        return messages[:-1]
    *earlier, last = messages[-1]["content"]
    if "text" in last:
        messages[-1]["content"] = [*earlier, {"text": last["text"].rstrip()}]
    return messages


def _worded(message: JsonObject) -> JsonObject:
    return {**message, "content": with_words(message["content"])} if message["role"] == "user" else message


class _Writer:
    """Writes turn after turn into `messages`."""

    def __init__(
        self, content: Content, target: Target, names: Mapping[str, str], notes: Notes, is_claude: bool
    ) -> None:
        self.messages: list[JsonObject] = []
        self._content = content
        self._provider = target.provider
        self._wants_nine = target.quirks.tool_id == "alnum9" or matches(target.model, NINE)
        self._names = names
        self._notes = notes
        self._is_claude = is_claude
        self._ids: set[str] = set()

    def write(self, turn: Turn) -> None:
        match turn.role:
            case "assistant":
                self._assistant(turn)
            case "system":
                texts = [part["text"] for part in self._content.parts(turn.blocks) if "text" in part]
                words = SEPARATOR.join(texts)
                self._say("user", [{"text": reminder(words)}] if words else [])
            case _:
                self._say("user", self._content.parts(turn.blocks))

    def _say(self, role: str, parts: list[JsonObject]) -> None:
        if not parts:
            return
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += parts
            return
        self.messages.append({"role": role, "content": parts})

    def _assistant(self, turn: Turn) -> None:
        """Write the blocks in their order: thinking stands before the calls that it led to."""
        ids = {id_: self._id(id_) for id_ in turn.calls}
        unwritten = dict(ids)
        parts: list[JsonObject] = []
        for block in turn.blocks:
            match block["type"]:
                case "thinking" | "redacted_thinking":
                    parts += self._reasoning(block)
                case "tool_use":
                    id_ = unwritten.pop(call_id(block, "id"), None)
                    if id_ is not None:
                        parts += [self._call(id_, block), *self._content.mark(block)]
                case _:
                    parts += self._content.parts([block])
        self._say("assistant", parts)
        if turn.calls:
            self._say(
                "user", [part for id_ in turn.calls for part in self._result(ids[id_], turn.results.get(id_))]
            )

    def _id(self, id_: str) -> str:
        """Return an id as Bedrock takes it, no two alike."""
        fit = tool_ids.alnum9(id_) if self._wants_nine else id_
        if not _FIT.fullmatch(fit):
            fit = tool_ids.mint(id_)
        while fit in self._ids:
            fit = tool_ids.mint(fit)
            fit = tool_ids.alnum9(fit) if self._wants_nine else fit
        self._ids.add(fit)
        return fit

    def _call(self, id_: str, block: JsonObject) -> JsonObject:
        name: str = block["name"]
        called = {
            "toolUseId": id_,
            "name": self._names.get(name, name),
            "input": input_object(block.get("input")),
        }
        return {"toolUse": called}

    def _result(self, id_: str, result: JsonObject | None) -> list[JsonObject]:
        if result is None:
            self._notes.add("a tool call without a result was answered with an error")
            return [{"toolResult": {"toolUseId": id_, "content": [{"text": NO_RESULT}], "status": "error"}}]
        content = self._content.parts(blocks_of(result.get("content")), with_marks=False)
        status = {"status": "error"} if result.get("is_error") is True else {}
        written = {"toolUseId": id_, "content": content or [{"text": ""}], **status}
        return [{"toolResult": written}, *self._content.mark(result)]

    def _reasoning(self, block: JsonObject) -> list[JsonObject]:
        if not self._is_claude:
            return self._sealed(block)
        if block["type"] == "redacted_thinking":
            return [_redacted(data)] if (data := text_of(block.get("data"))) else []
        signature = text_of(block.get("signature"))
        if not signature or envelope.is_ours(signature):
            return []
        return [_signed(text_of(block.get("thinking")), signature)]

    def _sealed(self, block: JsonObject) -> list[JsonObject]:
        """Return what this provider had sealed into a block; nothing of what another one did."""
        sealed = envelope.unseal(block.get("signature"))
        if sealed is None or sealed.provider != self._provider:
            return []
        parts: list[JsonObject] = []
        for item in objects_of(sealed.state.get("reasoning_items")):
            if signature := text_of(item.get("signature")):
                parts.append(_signed(text_of(block.get("thinking")), signature))
            if data := text_of(item.get("redactedContent")):
                parts.append(_redacted(data))
        return parts


def _signed(text: str, signature: str) -> JsonObject:
    return {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}


def _redacted(data: str) -> JsonObject:
    return {"reasoningContent": {"redactedContent": data}}
