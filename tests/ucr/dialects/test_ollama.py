"""The whole path in memory with an Ollama upstream."""

import json
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


CHAT: dict[str, Any] = {"model": "qwen3", "messages": [TURN]}
GOOD = [
    pytest.param("anthropic", answers.streams(answers.anthropic_text("Hel", "lo")), id="anthropic"),
    pytest.param("openai-chat", answers.streams(answers.chat_text("Hel", "lo")), id="openai-chat"),
    pytest.param("gemini", answers.streams(answers.gemini_text("Hel", "lo")), id="gemini"),
    pytest.param("ollama", streams(line("Hel"), line("lo"), end()), id="ollama"),
]


def lines_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(text) for text in body.splitlines()]


@pytest.mark.parametrize(("dialect", "handler"), GOOD)
async def test_an_ollama_client_streams_from_every_provider(
    dialect: str, handler: Any, autojump_clock: object
) -> None:
    async with open_router(config_of(provider("up", dialect)), up=handler) as world:
        heard = await world.ask("/api/chat", CHAT)
    assert heard.headers["content-type"] == "application/x-ndjson"
    said = lines_of(heard.body)
    assert "".join(value["message"]["content"] for value in said) == "Hello"
    assert {value["model"] for value in said} == {"qwen3"}
    assert [value["done"] for value in said][-2:] == [False, True]
    assert (said[-1]["prompt_eval_count"], said[-1]["eval_count"]) == (11, 7)


async def test_an_ollama_client_gets_a_whole_answer(autojump_clock: object) -> None:
    upstream = answers.says(200, answers.anthropic_reply())
    async with open_router(config_of(provider("up", "anthropic")), up=upstream) as world:
        heard = await world.ask("/api/chat", {**CHAT, "stream": False})
        made = await world.ask("/api/generate", {"model": "m", "prompt": "hi", "stream": False})
    assert heard.json()["message"] == {"role": "assistant", "content": "hello"}
    assert (made.json()["response"], made.json()["done_reason"]) == ("hello", "stop")
    assert world.finished[0]["dialect"] == "ollama"


async def test_what_passes_to_ollama_is_untouched_but_for_the_name(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "ollama")), up=answers.says(200, end("hello"))) as world:
        await world.ask("/api/chat", {**CHAT, "stream": False, "keep_alive": -1})
        await world.ask("/api/generate", {"model": "m", "prompt": "hi", "stream": False})
    passed, made = world.upstreams["up"].requests
    assert passed.json() == {**CHAT, "stream": False, "keep_alive": -1, "model": "up-model"}
    assert (made.path, made.json()) == (  # type: ignore[comparison-overlap]
        "/api/chat",
        {"model": "up-model", "messages": [TURN], "stream": False},
    )


async def test_an_error_is_told_in_ollamas_words(autojump_clock: object) -> None:
    refused = answers.says(404, {"type": "error", "error": {"type": "not_found_error", "message": "no such"}})
    async with open_router(config_of(provider("up", "anthropic")), up=refused) as world:
        heard = await world.ask("/api/chat", CHAT)
        lost = await world.ask("/api/nothing", CHAT)
        wrong = await world.ask("/api/chat", {"model": "m", "messages": 1})
    assert (heard.status, heard.json()) == (404, {"error": "no such"})
    assert (lost.status, set(lost.json())) == (404, {"error"})
    assert (wrong.status, wrong.json()["error"].partition(":")[0]) == (400, "messages")


async def test_a_stream_that_breaks_ends_in_an_error_line(autojump_clock: object) -> None:
    broken = answers.cut_off(answers.anthropic_text("Hel", "lo")[:4])
    async with open_router(config_of(provider("up", "anthropic")), up=broken) as world:
        heard = await world.ask("/api/chat", CHAT)
    assert set(lines_of(heard.body)[-1]) == {"error"}


async def test_models_and_version_are_told_in_ollamas_shape(autojump_clock: object) -> None:
    up = provider("up", "anthropic", models=("claude-x",), default_model="claude-x")
    async with open_router(config_of(up), up=answers.never()) as world:
        tags = await world.ask("/api/tags", method="GET")
        version = await world.ask("/api/version", method="GET")
    assert {entry["model"] for entry in tags.json()["models"]} == {"up/claude-x", "claude-x"}
    assert isinstance(version.json()["version"], str)
