"""Providers that speak Responses, through the whole router."""

from typing import Any

import pytest

from tests.world import answers
from tests.world.router import config_of, open_router, provider

pytestmark = pytest.mark.usefixtures("both_lanes")

RESPONSES = provider("up", "openai-responses")
HI = [{"role": "user", "content": "hi"}]
ASKED: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": HI}
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {}}}


async def test_an_anthropic_client_is_answered() -> None:
    async with open_router(config_of(RESPONSES), up=answers.says(200, answers.responses_reply())) as world:
        heard = await world.ask("/v1/messages", ASKED)
        (seen,) = world.upstreams["up"].requests
    assert (heard.status, seen.path) == (200, "/v1/responses")
    assert heard.json()["content"] == [{"type": "text", "text": "hello"}]
    assert heard.json()["model"] == "claude-x"


async def test_a_stream_is_a_stream() -> None:
    streams = answers.streams(answers.responses_text("he", "llo"))
    async with open_router(config_of(RESPONSES), up=streams) as world:
        heard = await world.ask("/v1/messages", {**ASKED, "stream": True})
        chat = await world.ask("/v1/chat/completions", {"model": "x", "messages": HI, "stream": True})
    deltas = [event["delta"]["text"] for event in heard.events() if event["type"] == "content_block_delta"]
    assert deltas == ["he", "llo"]
    assert heard.events()[-1] == {"type": "message_stop"}
    assert chat.events()[-1]["choices"][0]["finish_reason"] == "stop"


async def test_encrypted_reasoning_comes_back_to_its_provider_and_to_no_other() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_abcd", "name": "look", "arguments": "{}"}
    reply = answers.responses_reply() | {"output": [SEALED, call]}
    other = provider("other", "openai-responses")
    both = {"up": answers.says(200, reply), "other": answers.says(200, answers.responses_reply())}
    config = config_of(RESPONSES, other)
    async with open_router(config, **both) as world:
        asked = {**ASKED, "model": "up/m", "tools": [TOOL], "thinking": {"type": "adaptive"}}
        content = (await world.ask("/v1/messages", asked)).json()["content"]
        result = {"type": "tool_result", "tool_use_id": "call_abcd", "content": "seen"}
        turns = [*HI, {"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
        await world.ask("/v1/messages", {**asked, "messages": turns})
        await world.ask("/v1/messages", {**asked, "model": "other/m", "messages": turns})
        (_, second), (third,) = (world.upstreams[name].requests for name in ("up", "other"))
    assert [block["type"] for block in content] == ["thinking", "tool_use"]
    sent: Any = second.json()
    assert [item["type"] for item in sent["input"]] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert sent["input"][1] == SEALED
    assert (sent["store"], sent["include"]) == (False, ["reasoning.encrypted_content"])
    assert b"gAAA" not in third.body


async def test_an_error_in_the_stream_goes_to_the_next_candidate() -> None:
    failing = answers.streams(
        [
            answers.responses_event("response.created", response={"id": "r"}),
            answers.responses_event("error", error={"code": "server_error", "message": "sorry"}),
        ]
    )
    config = config_of(RESPONSES, provider("next", "anthropic"))
    async with open_router(config, up=failing, next=answers.streams(answers.anthropic_text("ok"))) as world:
        heard = await world.ask("/v1/messages", {**ASKED, "stream": True})
    assert heard.headers["x-ucr-provider"] == "next"
    assert [event["delta"]["text"] for event in heard.events() if event["type"] == "content_block_delta"] == [
        "ok"
    ]
