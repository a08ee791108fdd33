"""The client of the demo: one real conversation in the Anthropic dialect, streamed, with one tool call."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from actors import PoolTransport, RealNetwork
from ucr import jsontext, sse
from ucr.demo_talk import DEMO_QUESTION, DEMO_TOOLS
from ucr.jsontext import JsonError, JsonObject
from ucr.sse import SseError

ASKED_MODEL = "claude-demo"
WEATHER = "21 degrees, light wind from the north-west."
_HEADERS = (("anthropic-version", "2023-06-01"), ("x-api-key", "ucr-demo"))
_TIMEOUT_S = 60.0

Emit = Callable[[str], None]


async def hold_conversation(base_url: str, emit: Emit) -> bool:
    """Ask the demo's question through the router at `base_url`, run the tool, and ask again with its result.

    Each event is told to `emit` in one line as it arrives. True when both answers ended as they should.
    """
    messages: list[JsonObject] = [{"role": "user", "content": DEMO_QUESTION}]
    emit(f"you: {DEMO_QUESTION}")
    try:
        async with httpx.AsyncClient(
            transport=PoolTransport(RealNetwork()), base_url=base_url, headers=_HEADERS, timeout=_TIMEOUT_S
        ) as client:
            asked = await _ask(client, messages, emit)
            call = asked.tool_call
            if asked.stop_reason != "tool_use" or call is None:
                return _fail(emit, "the model did not call the tool that it was offered")
            emit(f"tool {call['name']} says: {WEATHER}")
            result = {"type": "tool_result", "tool_use_id": call["id"], "content": WEATHER}
            messages.append({"role": "assistant", "content": asked.blocks})
            messages.append({"role": "user", "content": [result]})
            told = await _ask(client, messages, emit)
    except (httpx.HTTPError, JsonError, SseError, Unfinished) as error:
        return _fail(emit, f"{type(error).__name__}: {error}")
    if told.stop_reason != "end_turn" or WEATHER not in told.text:
        return _fail(emit, "the last answer does not use what the tool said")
    emit("done: two turns, one tool call, all through the router")
    return True


class Unfinished(Exception):
    """An answer that is an error, or that stopped before its end."""


@dataclass(slots=True)
class Transcript:
    """What a stream has said so far: `take` one event after the other."""

    blocks: list[JsonObject] = field(default_factory=list)
    stop_reason: str | None = None
    is_complete: bool = False
    _partial_json: str = ""

    def take(self, event: JsonObject) -> str:
        """Add one event and return one line about it. Raise `Unfinished` for an error event."""
        kind = event.get("type")
        match event:
            case {"type": "content_block_start", "content_block": {"type": str(block_type)} as block}:
                self.blocks.append(dict(block))
                self._partial_json = ""
                return f"{kind}: {block_type} {block.get('name', '')}".rstrip()
            case {"type": "content_block_delta", "delta": {"type": str(delta_type)} as delta}:
                return f"{kind}: {self._grow(delta_type, delta)!r}"
            case {"type": "content_block_stop"}:
                self._close_block()
            case {"type": "message_delta", "delta": {"stop_reason": str(reason)}}:
                self.stop_reason = reason
                return f"{kind}: stop_reason {reason}"
            case {"type": "message_stop"}:
                self.is_complete = True
            case {"type": "error"}:
                raise Unfinished(jsontext.dumps(event).decode())
        return f"{kind}"

    def _grow(self, kind: str, delta: JsonObject) -> str:
        field_of = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
        if kind == "input_json_delta":
            piece = str(delta.get("partial_json", ""))
            self._partial_json += piece
        else:
            name = field_of.get(kind, "")
            piece = str(delta.get(name, ""))
            if name and self.blocks:
                self.blocks[-1][name] = str(self.blocks[-1].get(name, "")) + piece
        return piece

    def _close_block(self) -> None:
        if self._partial_json and self.blocks:
            self.blocks[-1]["input"] = jsontext.loads_text(self._partial_json)
        self._partial_json = ""

    @property
    def text(self) -> str:
        """The text of all text blocks."""
        return "".join(str(block.get("text", "")) for block in self.blocks if block.get("type") == "text")

    @property
    def tool_call(self) -> JsonObject | None:
        """The first call of a tool, or None."""
        return next((block for block in self.blocks if block.get("type") == "tool_use"), None)


async def _ask(client: httpx.AsyncClient, messages: list[JsonObject], emit: Emit) -> Transcript:
    body = {
        "model": ASKED_MODEL,
        "max_tokens": 1024,
        "stream": True,
        "tools": [dict(tool) for tool in DEMO_TOOLS],
        "messages": messages,
    }
    transcript, decoder = Transcript(), sse.Decoder()
    failure: Exception | None = None
    async with client.stream("POST", "/v1/messages", content=jsontext.dumps(body)) as response:
        if response.status_code != 200:
            raise Unfinished(
                f"HTTP {response.status_code}: {(await response.aread()).decode(errors='replace')}"
            )
        # The stream is read to its end even after a failure: httpx's nested generators cannot be left early on
        # Trio without a warning for each of them.
        async for data in response.aiter_raw():
            failure = failure or _take_all(transcript, decoder, data, emit)
    if failure is not None:
        raise failure
    if not transcript.is_complete:
        raise Unfinished("the stream stopped before message_stop")
    return transcript


def _take_all(transcript: Transcript, decoder: sse.Decoder, data: bytes, emit: Emit) -> Exception | None:
    """Add the events that these bytes complete; return what is wrong with them, if anything is."""
    try:
        for event in decoder.feed(data):
            value = jsontext.loads_text(event.data)
            if isinstance(value, dict):
                emit(transcript.take(value))
    except (JsonError, SseError, Unfinished) as error:
        return error
    return None


def _fail(emit: Emit, why: str) -> bool:
    emit(f"failed: {why}")
    return False
