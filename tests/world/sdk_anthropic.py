"""Asks the router with the `anthropic` SDK of whatever generation is importable; a program of its own.

    python sdk_anthropic.py BASE_URL TARGET...

One line goes out for each target and feature: both, and `pass` or what was wrong. Nothing of the project is imported,
so that it runs where nothing but the SDK is installed.
"""

import sys
from collections.abc import Callable
from typing import Any

import anthropic

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "look", "description": "Look at a city.", "input_schema": SCHEMA}
RESULT = "rain, 12°"
Json = dict[str, Any]


class Asker:
    """One SDK client that asks one target."""

    def __init__(self, base_url: str, target: str) -> None:
        self._client = anthropic.Anthropic(api_key="any", base_url=base_url, max_retries=0, timeout=20)
        self._target = target

    def fields(self, scene: str, **more: Any) -> Json:
        messages = [{"role": "user", "content": f"SCENE={scene}"}]
        return {"model": self._target, "max_tokens": 4096, "messages": messages, **more}

    def create(self, fields: Json) -> Any:
        return self._client.messages.create(**fields)

    def stream(self, fields: Json) -> Any:
        with self._client.messages.stream(**fields) as events:
            return events.get_final_message()

    def check(self, message: Any, text: str, reason: str = "end_turn") -> None:
        said = "".join(block.text for block in message.content if block.type == "text")
        assert said == text, message.content
        assert message.model == self._target, message.model
        assert message.stop_reason == reason, message.stop_reason
        assert (message.usage.input_tokens, message.usage.output_tokens) == (100, 20), message.usage


def whole(asker: Asker) -> None:
    asker.check(asker.create(asker.fields("plain")), "Hello there.")


def stream(asker: Asker) -> None:
    asker.check(asker.stream(asker.fields("plain")), "Hello there.")


def tools(asker: Asker) -> None:
    _tools(asker, "tools", [{"city": "Köln"}])


def parallel_tools(asker: Asker) -> None:
    _tools(asker, "parallel-tools", [{"city": "Köln"}, {"city": 'Rome "∞" \\ 1'}])


def thinking(asker: Asker) -> None:
    wanted = {"type": "enabled", "budget_tokens": 2048}
    called = _tools(asker, "thinking", [{"city": "Köln"}], thinking=wanted)
    assert called.content[0].type == "thinking", called.content
    assert called.content[0].thinking == "I see two cities.", called.content


def _tools(asker: Asker, scene: str, inputs: list[Json], **more: Any) -> Any:
    """Call, whole and in a stream, and give the results back to the streamed answer."""
    for ask in (asker.create, asker.stream):
        fields = asker.fields(scene, tools=[TOOL], **more)
        called = ask(fields)
        asker.check(called, "Let me look.", "tool_use")
        uses = [block for block in called.content if block.type == "tool_use"]
        assert [block.input for block in uses] == inputs, uses
    results = [{"type": "tool_result", "tool_use_id": use.id, "content": RESULT} for use in uses]
    turns = [{"role": "assistant", "content": called.content}, {"role": "user", "content": results}]
    asker.check(asker.stream({**fields, "messages": [*fields["messages"], *turns]}), f"{len(uses)} results.")
    return called


def image(asker: Asker) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "SCENE=image"}]
    asker.check(asker.create(asker.fields("", messages=[{"role": "user", "content": content}])), "1 image.")


def error_before(asker: Asker) -> None:
    for ask in (asker.create, asker.stream):
        try:
            answer = ask(asker.fields("error-before"))
        except anthropic.BadRequestError as error:
            assert "this is what the provider said" in str(error), error
        else:
            raise AssertionError(answer)


def error_in_the_stream(asker: Asker) -> None:
    try:
        answer = asker.stream(asker.fields("error-in-stream"))
    except anthropic.APIStatusError as error:
        assert "this is what the provider said" in str(error), error
    else:
        raise AssertionError(answer)


FEATURES: tuple[Callable[[Asker], None], ...] = (
    whole,
    stream,
    tools,
    parallel_tools,
    thinking,
    image,
    error_before,
    error_in_the_stream,
)


def main(base_url: str, targets: list[str]) -> int:
    """Return 1 when a cell failed."""
    failures = 0
    print(f"anthropic {anthropic.__version__}", flush=True)
    for target in targets:
        asker = Asker(base_url, target)
        for feature in FEATURES:
            verdict = "pass"
            try:
                feature(asker)
            except Exception as wrong:
                failures += 1
                verdict = f"FAIL: {wrong!r}"[:600].replace("\n", " ")
            print(f"{target} {feature.__name__} {verdict}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
