"""What writes the items of a response, piece by piece: messages, reasoning, and calls."""

from ucr import jsontext
from ucr.dialects.openai_responses import client_reasoning, client_response
from ucr.dialects.openai_responses.client_output import Output
from ucr.dialects.openai_responses.client_tools import Origin
from ucr.events import ToolUse
from ucr.jsontext import JsonError, JsonObject


class MessageWriter:
    """Writes a message, whose parts are texts and perhaps a refusal."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._id = output.new_id("msg")
        self._parts: list[JsonObject] = []
        self._pieces: list[str] = []
        self._delta = output.deltas("response.output_text.delta")

    def open(self) -> bytes:
        return self._output.added(client_response.message(self._id, [], "in_progress"))

    def open_text(self) -> bytes:
        """Begin a text."""
        self._pieces = []
        self._delta = self._output.deltas("response.output_text.delta", **self._where(), logprobs=[])
        return self._part("added", client_response.text_part(""))

    def delta(self, piece: str) -> bytes:
        """Write a piece of the text."""
        self._pieces.append(piece)
        return self._delta(piece)

    def close_text(self) -> bytes:
        """End the text."""
        text = "".join(self._pieces)
        told = self._output.event("response.output_text.done", **self._where(), text=text, logprobs=[])
        return told + self._end_part(client_response.text_part(text))

    def refuse(self, words: str) -> bytes:
        """Write a refusal."""
        where = self._where()
        begun = self._part("added", client_response.refusal_part(""))
        piece = self._output.event("response.refusal.delta", **where, delta=words)
        told = self._output.event("response.refusal.done", **where, refusal=words)
        return begun + piece + told + self._end_part(client_response.refusal_part(words))

    def close(self, *, is_whole: bool) -> bytes:
        """End the message."""
        status = "completed" if is_whole else "incomplete"
        return self._output.done(client_response.message(self._id, self._parts, status))

    def _where(self) -> JsonObject:
        return {
            "item_id": self._id,
            "output_index": len(self._output.items),
            "content_index": len(self._parts),
        }

    def _part(self, verb: str, part: JsonObject) -> bytes:
        return self._output.event(f"response.content_part.{verb}", **self._where(), part=part)

    def _end_part(self, part: JsonObject) -> bytes:
        written = self._part("done", part)
        self._parts.append(part)
        return written


class ReasoningWriter:
    """Writes thinking as an item, whose summary begins with its first word."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._id = output.new_id("rs")
        self._where: JsonObject = {
            "item_id": self._id,
            "output_index": len(output.items),
            "summary_index": 0,
        }
        self._pieces: list[str] = []
        self._delta = output.deltas("response.reasoning_summary_text.delta", **self._where)
        self.signature = ""

    def open(self) -> bytes:
        return self._output.added(client_response.reasoning(self._id, "", None))

    def delta(self, piece: str) -> bytes:
        """Write a piece of the thinking."""
        begun = b"" if self._pieces else self._part("added", "")
        self._pieces.append(piece)
        return begun + self._delta(piece)

    def close(self) -> bytes:
        """End the item; what its provider wants back goes with it."""
        text = "".join(self._pieces)
        told = b""
        if text:
            told = self._output.event("response.reasoning_summary_text.done", **self._where, text=text)
            told += self._part("done", text)
        return told + self.close_with(text, client_reasoning.seal_thinking(text, self.signature))

    def close_with(self, text: str, encrypted: str | None) -> bytes:
        """End the item with what is encrypted in it."""
        return self._output.done(client_response.reasoning(self._id, text, encrypted))

    def _part(self, verb: str, text: str) -> bytes:
        part = client_response.summary_part(text)
        return self._output.event(f"response.reasoning_summary_part.{verb}", **self._where, part=part)


class CallWriter:
    """Writes a call: of a function piece by piece, of a custom tool, whose text is in JSON, at its end."""

    def __init__(self, output: Output, use: ToolUse, origin: Origin) -> None:
        self._output = output
        self._use = use
        self._origin = origin
        self._id = output.new_id("ctc" if origin.is_custom else "fc")
        self._pieces: list[str] = []
        self._where: JsonObject = {"item_id": self._id, "output_index": len(output.items)}
        verb = "custom_tool_call_input" if origin.is_custom else "function_call_arguments"
        self._kind = f"response.{verb}"
        self._delta = output.deltas(f"{self._kind}.delta", **self._where)

    def open(self) -> bytes:
        return self._output.added(self._item("", "in_progress"))

    def delta(self, piece: str) -> bytes:
        """Write a piece of the arguments."""
        self._pieces.append(piece)
        if not self._origin.is_custom:
            return self._delta(piece)
        self._output.hold(len(piece))
        return b""

    def close(self) -> bytes:
        """End the call; one that came without pieces has the arguments with which it opened."""
        given = "".join(self._pieces)
        begun = b""
        if not given:
            given = self._use.input_json or "{}"
            begun = b"" if self._origin.is_custom else self._delta(given)
        if self._origin.is_custom:
            given = _free_text(given)
            told = self._delta(given) + self._output.event(f"{self._kind}.done", **self._where, input=given)
        else:
            name = self._origin.name
            told = self._output.event(f"{self._kind}.done", **self._where, name=name, arguments=given)
        return begun + told + self._output.done(self._item(given, "completed"))

    def _item(self, given: str, status: str) -> JsonObject:
        return client_response.call(self._id, self._use, self._origin, given, status)


class SearchWriter:
    """Writes a search of the web that ran at the provider, or at the router: what was searched for."""

    def __init__(self, output: Output, given: object) -> None:
        self._output = output
        self._id = output.new_id("ws")
        self._where: JsonObject = {"item_id": self._id, "output_index": len(output.items)}
        self._given = given
        self._pieces: list[str] = []

    def open(self) -> bytes:
        begun = self._output.added(client_response.search(self._id, None, "in_progress"))
        return begun + self._output.event("response.web_search_call.in_progress", **self._where)

    def delta(self, piece: str) -> bytes:
        """Take a piece of the arguments, which are told at the end."""
        self._output.hold(len(piece))
        self._pieces.append(piece)
        return b""

    def close(self) -> bytes:
        """End the search."""
        searching = self._output.event("response.web_search_call.searching", **self._where)
        completed = self._output.event("response.web_search_call.completed", **self._where)
        done = self._output.done(client_response.search(self._id, self._query(), "completed"))
        return searching + completed + done

    def _query(self) -> str:
        given = self._given
        if self._pieces:
            try:
                given = jsontext.loads_text("".join(self._pieces))
            except JsonError:
                given = None
        query = given.get("query") if isinstance(given, dict) else None
        return query if isinstance(query, str) else ""


def _free_text(arguments: str) -> str:
    """Return the text that stands as `input` in the arguments of a custom tool; what is no such object is it itself."""
    try:
        value = jsontext.loads_text(arguments)
    except JsonError:
        return arguments
    given = value.get("input") if isinstance(value, dict) else None
    return given if isinstance(given, str) else arguments
