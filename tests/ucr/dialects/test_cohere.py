"""The whole path in memory with an upstream that speaks Cohere's API."""

import json
from typing import Any

import pytest

from tests.world import answers
from tests.world.check_anthropic_stream import check
from tests.world.cohere import START, ends, event, says
from tests.world.router import config_of, open_router, provider
from ucr.secret import Secret

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES = "/v1/messages"
TURN: dict[str, Any] = {"role": "user", "content": "hi"}
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": [TURN]}
TOOL = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
UP = provider("up", "cohere", api_keys=(Secret("co-secret-key-1"),))
USAGE = {"billed_units": {"input_tokens": 1}, "tokens": {"input_tokens": 11, "output_tokens": 7}}
TEXT = {"content": [{"type": "text", "text": "hello"}]}
CALL = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"a":"x"}'}}


def whole(message: dict[str, Any], reason: str = "COMPLETE") -> dict[str, Any]:
    return {"id": "c1", "message": {"role": "assistant", **message}, "finish_reason": reason, "usage": USAGE}


def stream(*events: dict[str, Any]) -> list[bytes]:
    return [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in (START, *events)]


async def test_a_message_is_translated_both_ways(autojump_clock: object) -> None:
    async with open_router(config_of(UP), up=answers.says(200, whole(TEXT))) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.json()["content"] == [{"type": "text", "text": "hello"}]
    assert heard.json()["usage"] == {"input_tokens": 11, "output_tokens": 7}
    assert heard.json()["model"] == "claude-x"
    (seen,) = world.upstreams["up"].requests
    assert (seen.path, seen.header("authorization")) == ("/v2/chat", "Bearer co-secret-key-1")
    assert seen.json() == {"model": "up-model", "messages": [TURN], "max_tokens": 50, "stream": False}


async def test_a_stream_is_translated_into_the_exact_grammar(autojump_clock: object) -> None:
    handler = answers.streams(stream(says("Hel"), says("lo"), ends()))
    async with open_router(config_of(UP), up=handler) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert check([(one["type"], one) for one in heard.events()]) == []
    assert heard.events()[-2]["usage"] == {"input_tokens": 20, "output_tokens": 5}
    assert world.finished[0]["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("path", "ask"),
    [
        ("/v1/chat/completions", {"model": "gpt-x", "messages": [TURN]}),
        ("/v1/responses", {"model": "gpt-x", "input": "hi"}),
        ("/v1beta/models/gemini-x:generateContent", {"contents": [{"parts": [{"text": "hi"}]}]}),
    ],
)
async def test_clients_of_other_dialects_reach_it(
    path: str, ask: dict[str, Any], autojump_clock: object
) -> None:
    async with open_router(config_of(UP), up=answers.says(200, whole(TEXT))) as world:
        heard = await world.ask(path, ask)
    assert heard.status == 200
    assert b"hello" in heard.body
    assert world.upstreams["up"].requests[0].json()["messages"][-1] == TURN  # type: ignore[index]


async def test_a_tool_loop_goes_to_the_client_and_back(autojump_clock: object) -> None:
    calling = whole({"tool_plan": "I look.", "tool_calls": [CALL]}, "TOOL_CALL")
    handlers = (answers.says(200, calling), answers.says(200, whole(TEXT)))
    async with open_router(config_of(UP), up=handlers) as world:
        first = await world.ask(MESSAGES, {**ASK, "tools": [TOOL]})
        blocks = first.json()["content"]
        result = {"type": "tool_result", "tool_use_id": blocks[-1]["id"], "content": "sunny"}
        turns = [TURN, {"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]
        await world.ask(MESSAGES, {**ASK, "messages": turns, "tools": [TOOL]})
    assert first.json()["stop_reason"] == "tool_use"
    sent = world.upstreams["up"].requests[1].json()["messages"]  # type: ignore[index]
    assert sent[1] == {"role": "assistant", "tool_calls": [CALL], "tool_plan": "I look."}
    assert sent[2] == {"role": "tool", "tool_call_id": "f_1", "content": "sunny"}


async def test_a_failure_in_mid_stream_is_an_error_event(autojump_clock: object) -> None:
    handler = answers.streams(stream(says("a"), ends("ERROR", error="broken")))
    async with open_router(config_of(UP), up=handler) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": True})
    assert heard.events()[-1]["type"] == "error"
    assert heard.events()[-1]["error"]["message"] == "broken"


async def test_a_refusal_is_passed_on_in_its_words(autojump_clock: object) -> None:
    async with open_router(config_of(UP), up=answers.says(400, {"message": "bad tool"})) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["error"]["message"]) == (400, "bad tool")


async def test_thinking_reaches_who_asked_for_it(autojump_clock: object) -> None:
    thought = event("content-delta", 0, content={"thinking": "hm"})
    handler = answers.streams(stream(thought, says("a", 1), ends()))
    asked = {"type": "enabled", "budget_tokens": 1024}
    async with open_router(config_of(UP), up=handler) as world:
        heard = await world.ask(MESSAGES, {**ASK, "max_tokens": 2000, "thinking": asked, "stream": True})
    assert check([(one["type"], one) for one in heard.events()]) == []
    assert [one["content_block"]["type"] for one in heard.events() if "content_block" in one] == [
        "thinking",
        "text",
    ]
