"""The grammar of an Anthropic stream: what is wrong with the events of one. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ucr import jsontext
from ucr.jsontext import JsonError, JsonObject

DELTAS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": frozenset({"text_delta", "citations_delta"}),
        "thinking": frozenset({"thinking_delta", "signature_delta"}),
        "redacted_thinking": frozenset(),
        "tool_use": frozenset({"input_json_delta"}),
    }
)
"""What may come in each kind of block; of other kinds nothing is known."""


class Grammar:
    """Takes one event after the other; `faults` is what was wrong so far."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._state = "start"
        self._open: str | None = None
        self._index = 0
        self._input = ""

    def take(self, event: JsonObject) -> None:
        """Look at the next event."""
        type_ = event.get("type")
        if type_ == "ping":
            return
        if type_ == "error":
            self._fault(f"an error in the stream: {_message(event)}")
        elif type_ == "message_start":
            self._expect("start", type_)
            self._state = "content"
        elif type_ == "content_block_start":
            self._block_start(event)
        elif type_ == "content_block_delta":
            self._block_delta(event)
        elif type_ == "content_block_stop":
            self._block_stop(event)
        elif type_ == "message_delta":
            self._message_delta(event)
        elif type_ == "message_stop":
            self._expect("closing", type_)
            self._state = "end"
        else:
            self._fault(f"an event of a kind that is not known: {type_!r}")

    def close(self) -> None:
        """The stream is at its end."""
        if self._state != "end":
            self._fault("it ends without message_stop")

    def _block_start(self, event: JsonObject) -> None:
        self._expect("content", "content_block_start")
        if self._open is not None:
            self._fault(f"block {event.get('index')} begins while another is open")
        if event.get("index") != self._index:
            self._fault(f"block {event.get('index')} where {self._index} is next")
        block = event.get("content_block")
        self._open = str(block.get("type")) if isinstance(block, dict) else "nothing"
        self._input = ""

    def _block_delta(self, event: JsonObject) -> None:
        delta = event.get("delta")
        kind = delta.get("type") if isinstance(delta, dict) else None
        if self._open is None:
            self._fault(f"{kind} outside of a block")
        elif event.get("index") != self._index:
            self._fault(f"{kind} for block {event.get('index')} while {self._index} is open")
        elif self._open in DELTAS and kind not in DELTAS[self._open]:
            self._fault(f"{kind} in a block of {self._open}")
        elif kind == "input_json_delta" and isinstance(delta, dict):
            self._input += str(delta.get("partial_json", ""))

    def _block_stop(self, event: JsonObject) -> None:
        if self._open is None or event.get("index") != self._index:
            self._fault(f"block {event.get('index')} ends and was not open")
        if self._open == "tool_use" and self._input:
            try:
                is_object = isinstance(jsontext.loads(self._input.encode()), dict)
            except JsonError:
                is_object = False
            if not is_object:
                self._fault("the input of a tool is no JSON object")
        self._open = None
        self._index += 1

    def _message_delta(self, event: JsonObject) -> None:
        if self._open is not None:
            self._fault("message_delta while a block is open")
        if self._state not in ("content", "closing"):
            self._fault(f"message_delta at the {self._state}")
        self._state = "closing"
        delta = event.get("delta")
        if not isinstance(delta, dict) or not delta.get("stop_reason"):
            self._fault("message_delta without a stop_reason")

    def _expect(self, state: str, type_: str) -> None:
        if self._state != state:
            self._fault(f"{type_} at the {self._state}")

    def _fault(self, words: str) -> None:
        self.faults.append(words[:200])


def faults_of(events: Iterable[JsonObject]) -> list[str]:
    """Return what is wrong with a whole stream; nothing when it is right."""
    grammar = Grammar()
    for event in events:
        grammar.take(event)
    grammar.close()
    return grammar.faults


def blocks_of(events: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Give the blocks as they begin."""
    for event in events:
        block = event.get("content_block")
        if event.get("type") == "content_block_start" and isinstance(block, dict):
            yield block


def _message(event: JsonObject) -> str:
    error = event.get("error")
    return str(error.get("message")) if isinstance(error, dict) else "without words"
