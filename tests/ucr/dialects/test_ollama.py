"""The whole path in memory with an Ollama upstream."""

from typing import Any

import pytest

from tests.world import answers
from tests.world.check_anthropic_stream import check
from tests.world.ollama import calling, end, line, streams
from tests.world.router import config_of, open_router, provider

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES = "/v1/messages"
TURN: dict[str, Any] = {"role": "user", "content": "hi"}
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": [TURN]}
TOOL = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}


async def test_a_message_is_translated_both_ways(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "ollama")), up=answers.says(200, end("hello"))) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.json()["content"] == [{"type": "text", "text": "hello"}]
    assert heard.json()["usage"] == {"input_tokens": 11, "output_tokens": 7}
    assert heard.json()["model"] == "claude-x"
    (seen,) = world.upstreams["up"].requests
    assert seen.path == "/api/chat"
    assert seen.json() == {
        "model": "up-model",
        "messages": [TURN],
        "stream": False,
        "options": {"num_predict": 50},
    }


async def test_a_stream_is_translated_into_the_exact_grammar(autojump_clock: object) -> None:
    handler = streams(line("Hel"), line("lo"), calling("f", a="x"), end())
    async with open_router(config_of(provider("up", "ollama")), up=handler) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True, "tools": [TOOL]})
    assert check([(event["type"], event) for event in heard.events()]) == []
    assert heard.events()[-2]["delta"]["stop_reason"] == "tool_use"
    finished = world.finished[0]
    assert (finished["input_tokens"], finished["output_tokens"]) == (11, 7)


async def test_an_openai_client_reaches_an_ollama_provider(autojump_clock: object) -> None:
    handler = streams(line("Hel"), end("lo"))
    async with open_router(config_of(provider("up", "ollama")), up=handler) as world:
        heard = await world.ask("/v1/chat/completions", {"model": "gpt-x", "messages": [TURN], "stream": True})
    pieces = [event["choices"][0]["delta"].get("content") for event in heard.events()]
    assert "".join(piece for piece in pieces if piece) == "Hello"


async def test_lines_that_nobody_asked_for_become_one_answer(autojump_clock: object) -> None:
    handler = streams(line("Hel"), end("lo"))
    async with open_router(config_of(provider("up", "ollama")), up=handler) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.json()["content"] == [{"type": "text", "text": "Hello"}]


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(answers.says(503, {"error": "server busy"}), id="a-status"),
        pytest.param(answers.says(200, {"error": "server busy"}), id="a-body"),
        pytest.param(streams({"error": "server busy"}), id="a-stream"),
        pytest.param(streams(line()), id="an-end-that-is-missing"),
    ],
)
async def test_a_failure_before_any_content_goes_to_the_next_candidate(
    handler: Any, autojump_clock: object
) -> None:
    config = config_of(provider("first", "ollama"), provider("second", "ollama"))
    async with open_router(config, first=handler, second=streams(end("hello"))) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert heard.headers["x-ucr-provider"] == "second"
    assert heard.is_complete
