"""The checks of a probe: what is asked, and what is made of the answer. Pure.

Each check is one request of a client of Messages. What a model says is no fault of its provider: where it does not do
what it was asked for, the verdict is `unclear`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ucr.jsontext import JsonObject
from ucr.probe.grammar import faults_of

Verdict = Literal["works", "lacks", "fails", "unclear"]
"""`lacks`: it says that it cannot; `fails`: it answers wrongly, or not at all."""

RED_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mP4z8BAEmIY1TCqYfhqAACQ+f8B8u7oVwAAAABJRU5E"
    "rkJggg=="
)
"""A red square of 16 by 16 dots."""
_REFUSED = frozenset({400, 404, 405, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Heard:
    """What came: `body` of a whole answer, `events` of a stream. `status` 0 is no answer, and `words` why."""

    status: int
    body: JsonObject
    events: tuple[JsonObject, ...] = ()
    words: str = ""

    @property
    def blocks(self) -> tuple[JsonObject, ...]:
        """The blocks of a whole answer."""
        content = self.body.get("content")
        return tuple(block for block in content if isinstance(block, dict)) if isinstance(content, list) else ()

    @property
    def text(self) -> str:
        """What a whole answer says."""
        return "".join(str(block.get("text", "")) for block in self.blocks if block.get("type") == "text")

    def kinds(self, type_: str) -> int:
        """Return how many blocks of a kind there are."""
        return sum(block.get("type") == type_ for block in self.blocks)

    @property
    def error(self) -> str:
        """The words of an error."""
        error = self.body.get("error")
        words = str(error.get("message")) if isinstance(error, dict) else self.words or "without words"
        return f"{self.status}: {words}"[:200] if self.status else words[:200]


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a check, and what was seen. `is_refused`: the provider says that it cannot."""

    verdict: Verdict
    words: str
    is_refused: bool = False


Judge = Callable[[Heard], Seen]


@dataclass(frozen=True, slots=True)
class Check:
    """One request, and who judges the answer. One that `leaves` goes away after the first event."""

    name: str
    body: Mapping[str, object]
    judge: Judge
    path: str = "/v1/messages"
    leaves: bool = False


def _asked(text: object, **more: object) -> Mapping[str, object]:
    return MappingProxyType({"max_tokens": 256, "messages": [{"role": "user", "content": text}], **more})


def _failed(heard: Heard) -> Seen:
    is_refused = heard.status in _REFUSED
    return Seen("lacks" if is_refused else "fails", heard.error, is_refused)


def _text(heard: Heard) -> Seen:
    if heard.status != 200:
        return Seen("fails", heard.error)
    if not heard.body.get("stop_reason"):
        return Seen("fails", "an answer without a stop_reason")
    return Seen("works", repr(heard.text[:40])) if heard.text else Seen("fails", "an answer without text")


def _usage(heard: Heard) -> Seen:
    if heard.status != 200:
        return _failed(heard)
    usage = heard.body.get("usage")
    counted = usage if isinstance(usage, dict) else {}
    read, wrote = counted.get("input_tokens"), counted.get("output_tokens")
    words = f"{read} to read, {wrote} written"
    return Seen("works" if read and wrote else "lacks", words)


def _stream(heard: Heard) -> Seen:
    if heard.status != 200:
        return Seen("fails", heard.error)
    faults = faults_of(heard.events)
    if faults:
        return Seen("fails", "; ".join(faults)[:300])
    deltas = sum(event.get("type") == "content_block_delta" for event in heard.events)
    return Seen("works", f"{len(heard.events)} events, {deltas} pieces")


def _tool(heard: Heard) -> Seen:
    if heard.status != 200:
        return _failed(heard)
    uses = [block for block in heard.blocks if block.get("type") == "tool_use"]
    if not uses:
        return Seen("lacks", "no tool was called, though one had to be")
    given = uses[0].get("input")
    if not isinstance(given, dict) or uses[0].get("name") != "weather" or not uses[0].get("id"):
        return Seen("fails", f"a call that is none: {str(uses[0])[:120]}")
    if heard.body.get("stop_reason") != "tool_use":
        return Seen("fails", f"stop_reason is {heard.body.get('stop_reason')!r}")
    return Seen("works" if isinstance(given.get("city"), str) else "unclear", f"called with {str(given)[:80]}")


def _parallel(heard: Heard) -> Seen:
    if heard.status != 200:
        return _failed(heard)
    calls = heard.kinds("tool_use")
    return Seen("works" if calls > 1 else "unclear", f"{calls} calls at once")


def _answered(heard: Heard) -> Seen:
    if heard.status != 200:
        return _failed(heard)
    return Seen("works" if heard.blocks else "fails", repr(heard.text[:40]))


def _thinking(heard: Heard) -> Seen:
    if heard.status != 200:
        return _failed(heard)
    thoughts = heard.kinds("thinking") + heard.kinds("redacted_thinking")
    return (
        Seen("works", f"{thoughts} blocks of it") if thoughts else Seen("lacks", "an answer without thinking")
    )


def _image(heard: Heard) -> Seen:
    if heard.status != 200:
        return _failed(heard)
    says = heard.text[:40]
    return Seen("works" if "red" in says.lower() else "unclear", f"of a red square it says {says!r}")


def _count(heard: Heard) -> Seen:
    tokens = heard.body.get("input_tokens")
    if heard.status != 200 or not isinstance(tokens, int) or tokens < 1:
        return Seen("fails", heard.error if heard.status != 200 else f"no number: {tokens!r}")
    return Seen("works", f"{tokens} tokens")


def _left(heard: Heard) -> Seen:
    if heard.status != 200:
        return Seen("fails", heard.error)
    return Seen("works", "left after the first event, and answered again")


def _error(heard: Heard) -> Seen:
    error = heard.body.get("error")
    if heard.status == 200:
        return Seen("unclear", "a temperature of 9 is taken")
    if 400 <= heard.status < 500 and isinstance(error, dict) and error.get("type") and error.get("message"):
        return Seen("works", heard.error)
    return Seen("fails", heard.error)


_COLOUR = "Which colour is this image? Answer with one word."


def _weather() -> JsonObject:
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"name": "weather", "description": "Tells the weather of one city.", "input_schema": city}


def _image_block() -> JsonObject:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED_PNG}}


def _with_result(content: object, question: str) -> Mapping[str, object]:
    looked = {"type": "tool_use", "id": "toolu_probe1", "name": "weather", "input": {"city": "Oslo"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_probe1", "content": content}
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": [looked]},
        {"role": "user", "content": [result]},
    ]
    return MappingProxyType({"max_tokens": 256, "messages": turns, "tools": [_weather()]})


_SAY_OK = _asked("Answer with the word ok.")
_STORY = "Count from 1 to 200 in words."
CHECKS: tuple[Check, ...] = (
    Check("text", _SAY_OK, _text),
    Check("usage", _SAY_OK, _usage),
    Check("stream order", _asked("Answer with the word ok.", stream=True), _stream),
    Check(
        "tools", _asked("How is the weather in Oslo?", tools=[_weather()], tool_choice={"type": "any"}), _tool
    ),
    Check(
        "parallel tools",
        _asked(
            "How is the weather in Oslo, in Rome and in Bern? Ask for all of them at once.", tools=[_weather()]
        ),
        _parallel,
    ),
    Check("tool results", _with_result("7 degrees, rain", "How is the weather in Oslo?"), _answered),
    Check(
        "thinking",
        _asked("What is 17 times 23?", max_tokens=2048, thinking={"type": "enabled", "budget_tokens": 1024}),
        _thinking,
    ),
    Check("images", _asked([_image_block(), {"type": "text", "text": _COLOUR}]), _image),
    Check("images in tool results", _with_result([_image_block()], f"Look, and tell me. {_COLOUR}"), _image),
    Check("count_tokens", _asked("Answer with the word ok."), _count, path="/v1/messages/count_tokens"),
    Check("cancel", _asked(_STORY, stream=True, max_tokens=1024), _left, leaves=True),
    Check("error shapes", _asked("Answer with the word ok.", temperature=9), _error),
)
NEEDED = frozenset({"text", "stream order", "cancel"})
"""Checks that whoever is to be used has to pass."""
