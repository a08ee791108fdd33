"""The conversation of a Gemini request: contents of alternating roles, and the parts of the system prompt.

The calls of a model's content are answered in the content right after it, by exactly as many responses; whatever
else the user says then comes behind them. A call that Gemini made bears its thought signature, which came here in
a thinking block and goes back; the first call of a turn that another model made bears Google's word that skips
the check.
"""

from collections.abc import Iterable, Mapping

from ucr.dialects.gemini.media import block_parts, is_media, text_part
from ucr.dialects.openai_chat.content import SEPARATOR, reminder
from ucr.dialects.openai_chat.messages import NO_RESULT, SKIP_SIGNATURE
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.order import OPENING
from ucr.dialects.openai_chat.past_thoughts import Thoughts, recall
from ucr.dialects.openai_chat.source import blocks_of, object_of, text_of
from ucr.dialects.openai_chat.turns import Turn, input_object, paired, read_turns, system_blocks
from ucr.dialects.roles import Target
from ucr.errors import ApiError
from ucr.jsontext import JsonObject
from ucr.quirks import matches

ENDING_SIGNATURE = "ending"
"""Under this name a thinking block keeps the signature that came on an empty part behind the text."""

OLDER_MODELS = ("gemini-1*", "gemini-2*", "gemma*", "learnlm*")
"""Models that ask for no thought signatures, and whose function responses hold no media: it follows as parts of its
own."""

_HIDDEN = frozenset({"tool_use", "thinking", "redacted_thinking"})


def write_contents(
    body: JsonObject, target: Target, names: Mapping[str, str], notes: Notes
) -> tuple[list[JsonObject], list[JsonObject]]:
    """Return the contents and the parts of the system prompt; raise `ApiError` 400 when nothing is left to say."""
    turns = paired(read_turns(body.get("messages")), notes)
    system = system_blocks(body)
    while turns and turns[0].role == "system":
        system += (block for block in turns.pop(0).blocks if block["type"] == "text")
    writer = _Writer(target, names, notes)
    for turn in turns:
        writer.write(turn)
    contents = _ended(writer.contents, notes)
    if not contents:
        raise ApiError("invalid_request_error", "messages: no message has any content for the model")
    if contents[0]["role"] == "model":
        contents.insert(0, {"role": "user", "parts": [text_part(OPENING)]})
    return contents, [text_part(block["text"]) for block in system]


def _ended(contents: list[JsonObject], notes: Notes) -> list[JsonObject]:
    """Leave out what the model would have to continue, which it cannot."""
    end = len(contents)
    while end and contents[end - 1]["role"] == "model":
        end -= 1
    if end != len(contents):
        notes.dropped("prefill")
    return contents[:end]


class _Writer:
    """Writes turn after turn into `contents`."""

    def __init__(self, target: Target, names: Mapping[str, str], notes: Notes) -> None:
        self.contents: list[JsonObject] = []
        self._target = target
        self._names = names
        self._notes = notes
        self._is_older = matches(target.model, OLDER_MODELS)

    def write(self, turn: Turn) -> None:
        match turn.role:
            case "assistant":
                self._model(turn)
            case "system":
                texts = [text_of(part.get("text")) for part in self._parts(turn.blocks)]
                words = SEPARATOR.join(text for text in texts if text)
                self._say("user", [text_part(reminder(words))] if words else [])
            case _:
                self._say("user", self._parts(turn.blocks))

    def _parts(self, blocks: Iterable[JsonObject]) -> list[JsonObject]:
        return [part for block in blocks for part in block_parts(block, self._target, self._notes)]

    def _say(self, role: str, parts: list[JsonObject]) -> None:
        if not parts:
            return
        if self.contents and self.contents[-1]["role"] == role:
            self.contents[-1]["parts"] += parts
            return
        self.contents.append({"role": role, "parts": parts})

    def _model(self, turn: Turn) -> None:
        thoughts = recall(turn.blocks, self._target.provider)
        parts = self._parts(block for block in turn.blocks if block["type"] not in _HIDDEN)
        ending = _signature(thoughts, ENDING_SIGNATURE)
        if ending and parts:
            parts.append({"text": "", "thoughtSignature": ending})
        calls = [self._call(id_, block, thoughts) for id_, block in turn.calls.items()]
        if calls and not self._is_older:
            calls[0].setdefault("thoughtSignature", SKIP_SIGNATURE)
        self._say("model", [*parts, *calls])
        if calls:
            self._answer(turn)

    def _call(self, id_: str, block: JsonObject, thoughts: Thoughts) -> JsonObject:
        called = {"id": id_, "name": self._name(block), "args": input_object(block.get("input"))}
        part: JsonObject = {"functionCall": called}
        signature = _signature(thoughts, block["id"])
        return {**part, "thoughtSignature": signature} if signature else part

    def _name(self, block: JsonObject) -> str:
        name: str = block["name"]
        return self._names.get(name, name)

    def _answer(self, turn: Turn) -> None:
        """Answer every call of a turn, and show afterwards what the responses cannot hold."""
        responses: list[JsonObject] = []
        shown: list[JsonObject] = []
        for id_, call in turn.calls.items():
            response, media = self._response(turn.results.get(id_))
            answer: JsonObject = {"id": id_, "name": self._name(call), "response": response}
            if media and not self._is_older:
                answer["parts"] = media
            elif media:
                shown += [text_part(f"From the result of {answer['name']} ({id_}):"), *media]
            responses.append({"functionResponse": answer})
        self._say("user", [*responses, *shown])

    def _response(self, result: JsonObject | None) -> tuple[JsonObject, list[JsonObject]]:
        if result is None:
            self._notes.add("a tool call without a result was answered with an error")
            return {"error": NO_RESULT}, []
        parts = self._parts(blocks_of(result.get("content")))
        key = "error" if result.get("is_error") is True else "output"
        words = SEPARATOR.join(part["text"] for part in parts if "text" in part)
        return {key: words}, [part for part in parts if is_media(part)]


def _signature(thoughts: Thoughts, key: str) -> str:
    google = object_of(object_of(thoughts.extras.get(key)).get("google"))
    return text_of(google.get("thought_signature"))
