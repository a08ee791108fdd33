"""The real `ollama` package through a real router process, with an upstream in either other dialect."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import ollama
import pytest
import trio

from tests.world.process import ANTHROPIC, OPENAI, Routed, routed
from ucr.stress.failing.moves import Call, Refuse, Say
from ucr.stress.failing.scripted import asked, says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow

T = TypeVar("T")
TURN = {"role": "user", "content": "How is the harbour?"}
BOTH = pytest.mark.parametrize("model", [ANTHROPIC, OPENAI])
CALL = Call("call_east1", "get_weather", {"city": "East"})
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


async def ask(up: Routed, question: Callable[[ollama.Client], T]) -> T:
    """Ask in a thread."""

    def in_thread() -> T:
        with ollama.Client(host=up.base_url, timeout=10) as client:
            return question(client)

    return await trio.to_thread.run_sync(in_thread)


def chat(client: ollama.Client, model: str, messages: list[Any]) -> ollama.ChatResponse:
    return client.chat(model=model, messages=messages, tools=[WEATHER], options={"num_predict": 500})


def stream(client: ollama.Client, model: str) -> list[ollama.ChatResponse]:
    return list(client.chat(model=model, messages=[TURN], stream=True))


@BOTH
async def test_a_tool_is_called_and_its_result_goes_back(tmp_path: Path, model: str) -> None:
    upstream = Upstream(says(Say("Let me look.", calls=(CALL,))), says(Say("Calm today.")))
    async with routed(tmp_path, upstream) as up:
        first = await ask(up, partial(chat, model=model, messages=[TURN]))
        result = {"role": "tool", "tool_name": "get_weather", "content": "calm"}
        second = await ask(up, partial(chat, model=model, messages=[TURN, first.message, result]))
    (call,) = first.message.tool_calls or ()
    assert (call.function.name, call.function.arguments) == ("get_weather", {"city": "East"})
    assert (second.message.content, second.done_reason) == ("Calm today.", "stop")
    assert (second.prompt_eval_count, second.eval_count) == (100, 20)
    assert asked(up.upstream.requests[0])["max_tokens"] == 500


@BOTH
async def test_an_answer_streams(tmp_path: Path, model: str) -> None:
    async with routed(tmp_path, Upstream(says(Say("Calm today.")))) as up:
        parts = await ask(up, partial(stream, model=model))
    assert "".join(part.message.content or "" for part in parts) == "Calm today."
    assert parts[-1].done is True
    assert {part.model for part in parts} == {model}


async def test_text_is_generated_and_models_are_listed(tmp_path: Path) -> None:
    async with routed(tmp_path, Upstream(says(Say("Calm today.")))) as up:
        made = await ask(up, lambda client: client.generate(model=ANTHROPIC, prompt="How is it?"))
        listed = await ask(up, lambda client: client.list())
    assert made.response == "Calm today."
    assert listed.models


async def test_a_refusal_is_an_error_of_the_package(tmp_path: Path) -> None:
    refuse = Refuse(404, "not_found_error", "no such model")
    async with routed(tmp_path, Upstream(says(refuse))) as up:
        with pytest.raises(ollama.ResponseError) as caught:
            await ask(up, partial(stream, model=ANTHROPIC))
    assert caught.value.status_code == 404
    assert "no such model" in caught.value.error
