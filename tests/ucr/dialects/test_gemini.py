"""The whole path in memory with a Gemini upstream."""

import json
from typing import Any

import pytest

from tests.world import answers
from tests.world.check_anthropic_stream import check
from tests.world.router import config_of, open_router, provider
from ucr.secret import Secret

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES = "/v1/messages"
TURN: dict[str, Any] = {"role": "user", "content": "hi"}
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": [TURN]}
TOOL = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
KEYED = {"auth": "x-goog-api-key", "api_keys": (Secret("AIza-secret-key-1"),)}


async def test_a_message_is_translated_both_ways(autojump_clock: object) -> None:
    up = provider("up", "gemini", **KEYED)
    async with open_router(config_of(up), up=answers.says(200, answers.gemini_reply())) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.json()["content"] == [{"type": "text", "text": "hello"}]
    assert heard.json()["usage"] == {"input_tokens": 11, "output_tokens": 7}
    assert heard.json()["model"] == "claude-x"
    (seen,) = world.upstreams["up"].requests
    assert seen.path == "/v1beta/models/up-model:generateContent"
    assert seen.header("x-goog-api-key") == "AIza-secret-key-1"
    assert seen.json() == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"maxOutputTokens": 50},
    }


async def test_a_stream_is_translated_into_the_exact_grammar(autojump_clock: object) -> None:
    handler = answers.streams(answers.gemini_text("Hel", "lo"))
    async with open_router(config_of(provider("up", "gemini")), up=handler) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert check([(event["type"], event) for event in heard.events()]) == []
    assert heard.events()[-2]["usage"] == {"input_tokens": 11, "output_tokens": 7}
    assert world.upstreams["up"].requests[0].path == "/v1beta/models/up-model:streamGenerateContent?alt=sse"
    line = world.finished[0]
    assert (line["input_tokens"], line["output_tokens"], line["stop_reason"]) == (11, 7, "end_turn")


async def test_an_openai_client_reaches_a_gemini_provider(autojump_clock: object) -> None:
    handler = answers.streams(answers.gemini_text("Hel", "lo"))
    async with open_router(config_of(provider("up", "gemini")), up=handler) as world:
        heard = await world.ask("/v1/chat/completions", {"model": "gpt-x", "messages": [TURN], "stream": True})
    pieces = [event["choices"][0]["delta"].get("content") for event in heard.events()]
    assert "".join(piece for piece in pieces if piece) == "Hello"
    assert heard.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("name", [pytest.param("edge-103", id="edge-103")])
async def test_a_signature_goes_to_the_client_and_comes_back(name: str, autojump_clock: object) -> None:
    call = {"functionCall": {"name": "f", "args": {"a": "x"}}, "thoughtSignature": "SIG"}
    handlers = (
        answers.says(200, answers.gemini_chunk(call, finish="STOP")),
        answers.says(200, answers.gemini_reply()),
    )
    async with open_router(config_of(provider("up", "gemini")), up=handlers) as world:
        first = await world.ask(MESSAGES, {**ASK, "tools": [TOOL]})
        blocks = first.json()["content"]
        result = {"type": "tool_result", "tool_use_id": blocks[-1]["id"], "content": "sunny"}
        turns = [TURN, {"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]
        await world.ask(MESSAGES, {**ASK, "messages": turns, "tools": [TOOL]})
    assert first.json()["stop_reason"] == "tool_use"
    sent = world.upstreams["up"].requests[1].json()["contents"]  # type: ignore[index]
    assert sent[1]["parts"][0]["thoughtSignature"] == "SIG"
    assert sent[1]["parts"][0]["functionCall"]["args"] == {"a": "x"}


FAILED = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(answers.says(503, FAILED), id="a-status"),
        pytest.param(answers.says(200, FAILED), id="a-body"),
        pytest.param(answers.streams([b"data: " + json.dumps(FAILED).encode() + b"\n\n"]), id="a-stream"),
        pytest.param(
            answers.streams([b"data: " + json.dumps(answers.gemini_chunk(finish="OTHER")).encode() + b"\n\n"]),
            id="an-empty-answer",
        ),
    ],
)
async def test_a_failure_before_any_content_goes_to_the_next_candidate(
    handler: Any, autojump_clock: object
) -> None:
    config = config_of(provider("first", "gemini"), provider("second", "gemini"))
    good = answers.streams(answers.gemini_text("hello"))
    async with open_router(config, first=handler, second=good) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert heard.headers["x-ucr-provider"] == "second"
    assert heard.is_complete


async def test_a_refused_key_is_told_as_the_routers_own(autojump_clock: object) -> None:
    refused = {
        "error": {"code": 400, "message": "API key not valid. AIza-secret-key-1", "status": "INVALID_ARGUMENT"}
    }
    up = provider("up", "gemini", **KEYED)
    async with open_router(config_of(up), up=answers.says(400, refused)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["error"]["type"]) == (403, "permission_error")
    assert b"secret" not in heard.body
    assert "secret" not in json.dumps(world.lines)
