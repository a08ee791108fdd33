"""Providers and clients that speak Responses, through the whole router."""

import json
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.quirks import Quirks
from ucr.stress.upstream import Answer, SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

RESPONSES = provider("up", "openai-responses")
HI = [{"role": "user", "content": "hi"}]
MESSAGES: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": HI}
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {}}}


async def test_an_anthropic_client_is_answered() -> None:
    async with open_router(config_of(RESPONSES), up=answers.says(200, answers.responses_reply())) as world:
        heard = await world.ask("/v1/messages", MESSAGES)
        (seen,) = world.upstreams["up"].requests
    assert (heard.status, seen.path) == (200, "/v1/responses")
    assert heard.json()["content"] == [{"type": "text", "text": "hello"}]
    assert heard.json()["model"] == "claude-x"


async def test_a_stream_is_a_stream() -> None:
    streams = answers.streams(answers.responses_text("he", "llo"))
    async with open_router(config_of(RESPONSES), up=streams) as world:
        heard = await world.ask("/v1/messages", {**MESSAGES, "stream": True})
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
        question = {**MESSAGES, "model": "up/m", "tools": [TOOL], "thinking": {"type": "adaptive"}}
        content = (await world.ask("/v1/messages", question)).json()["content"]
        result = {"type": "tool_result", "tool_use_id": "call_abcd", "content": "seen"}
        turns = [*HI, {"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
        await world.ask("/v1/messages", {**question, "messages": turns})
        await world.ask("/v1/messages", {**question, "model": "other/m", "messages": turns})
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
        heard = await world.ask("/v1/messages", {**MESSAGES, "stream": True})
    assert heard.headers["x-ucr-provider"] == "next"
    assert [event["delta"]["text"] for event in heard.events() if event["type"] == "content_block_delta"] == [
        "ok"
    ]


def asked(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": "hi", **fields}


def provider_of(dialect: str) -> Any:
    return provider("up", dialect)


ANSWERS: dict[str, Any] = {
    "anthropic": (answers.anthropic_reply(), answers.anthropic_text("he", "llo")),
    "openai-chat": (answers.chat_reply(), answers.chat_text("he", "llo")),
    "openai-responses": (answers.responses_reply(), answers.responses_text("he", "llo")),
}


@pytest.mark.parametrize("dialect", ANSWERS)
async def test_a_responses_client_is_answered_by_every_provider(dialect: str) -> None:
    reply, _ = ANSWERS[dialect]
    async with open_router(config_of(provider_of(dialect)), up=answers.says(200, reply)) as world:
        heard = await world.ask("/v1/responses", asked())
    assert heard.status == 200
    assert heard.json()["output"][0]["content"][0]["text"] == "hello"
    assert (heard.json()["model"], heard.json()["usage"]["output_tokens"]) == ("m", 7)
    assert heard.headers["x-request-id"] == heard.headers["request-id"]
    assert world.finished[0]["dialect"] == "openai-responses"


@pytest.mark.parametrize("dialect", ANSWERS)
async def test_a_responses_client_gets_a_stream_from_every_provider(dialect: str) -> None:
    _, pieces = ANSWERS[dialect]
    async with open_router(config_of(provider_of(dialect)), up=answers.streams(pieces)) as world:
        heard = await world.ask("/v1/responses", asked(stream=True))
    assert heard.headers["content-type"] == "text/event-stream"
    assert [event["delta"] for event in heard.events() if event["type"].endswith("text.delta")] == ["he", "llo"]
    last = heard.events()[-1]
    assert (last["type"], last["response"]["model"]) == ("response.completed", "m")
    assert world.finished[0]["output_tokens"] == 7


@pytest.mark.parametrize("dialect", [pytest.param(name, id=f"edge-154-{name}") for name in ANSWERS])
async def test_an_answer_that_is_not_streamed_although_asked_is_streamed_to_the_client(dialect: str) -> None:
    reply, _ = ANSWERS[dialect]
    async with open_router(config_of(provider_of(dialect)), up=answers.says(200, reply)) as world:
        heard = await world.ask("/v1/responses", asked(stream=True))
    assert [event["type"] for event in heard.events()][:2] == ["response.created", "response.in_progress"]
    assert heard.events()[-1]["response"]["output"][0]["content"][0]["text"] == "hello"


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_a_conversation_that_is_kept_elsewhere_is_refused(dialect: str) -> None:
    async with open_router(config_of(provider_of(dialect)), up=answers.never()) as world:
        heard = await world.ask("/v1/responses", asked(previous_response_id="resp_1"))
    assert (heard.status, heard.json()["error"]["param"]) == (400, "previous_response_id")


async def test_a_stream_that_is_cut_ends_in_a_failed_response() -> None:
    pieces = answers.anthropic_text("he", "llo")[:3]
    async with open_router(config_of(provider_of("anthropic")), up=answers.cut_off(pieces)) as world:
        heard = await world.ask("/v1/responses", asked(stream=True))
    assert [event["type"] for event in heard.events()][-2:] == ["error", "response.failed"]


async def test_reasoning_of_claude_comes_back_to_claude_and_goes_to_no_one_else() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "EqQB"}
    said = answers.anthropic_reply() | {"content": [thinking, {"type": "text", "text": "hello"}]}
    config = config_of(provider("up", "anthropic"), provider("other", "openai-responses"))
    both = {"up": answers.says(200, said), "other": answers.says(200, answers.responses_reply())}
    async with open_router(config, **both) as world:
        fields: dict[str, Any] = {"reasoning": {"effort": "high", "summary": "auto"}}
        first = await world.ask("/v1/responses", asked(**fields, model="up/claude-opus-5"))
        turns = [
            {"role": "user", "content": "hi"},
            *first.json()["output"],
            {"role": "user", "content": "and?"},
        ]
        await world.ask("/v1/responses", asked(**fields, model="up/claude-opus-5", input=turns))
        await world.ask("/v1/responses", asked(**fields, model="other/m", input=turns))
        (_, second), (third,) = (world.upstreams[name].requests for name in ("up", "other"))
    assert [item["type"] for item in first.json()["output"]] == ["reasoning", "message"]
    sent: Any = second.json()
    assert sent["messages"][1]["content"][0] == thinking
    assert b"ucr1." not in third.body


@pytest.mark.parametrize("silent_s", [pytest.param(180.0, id="edge-60")])
async def test_a_long_silence_is_filled_with_comments(silent_s: float, autojump_clock: object) -> None:
    slow = answers.streams(answers.responses_text("hello"), first_s=silent_s)
    async with open_router(config_of(provider_of("openai-responses")), up=slow) as world:
        heard = await world.ask("/v1/responses", asked(stream=True))
    assert heard.body.startswith(b": ping\n\n")
    assert heard.events()[-1]["type"] == "response.completed"


async def test_a_whole_answer_after_a_long_silence_has_its_beginning(autojump_clock: object) -> None:
    async def slow(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, (*answers.JSON, ("transfer-encoding", "chunked")))
        await trio.sleep(50)
        await answer.send(json.dumps(answers.anthropic_reply()).encode())
        await answer.finish()

    async with open_router(config_of(provider_of("anthropic")), up=slow) as world:
        heard = await world.ask("/v1/responses", asked(stream=True))
    assert heard.events()[0]["type"] == "response.created"


async def test_a_model_that_refuses_tools_on_chat_completions_is_asked_for_responses() -> None:
    up = provider("up", "openai-chat", quirks=Quirks(responses_models=("up-*",)))
    both = (answers.says(200, answers.responses_reply()), answers.says(200, answers.chat_reply()))
    async with open_router(config_of(up), up=both) as world:
        with_tools = await world.ask("/v1/messages", {**MESSAGES, "tools": [TOOL]})
        without = await world.ask("/v1/messages", MESSAGES)
        seen = [request.path for request in world.upstreams["up"].requests]
    assert [heard.json()["content"][0]["text"] for heard in (with_tools, without)] == ["hello", "hello"]
    assert seen == ["/v1/responses", "/v1/chat/completions"]


async def test_the_limits_of_a_provider_reach_a_client_of_the_other_protocol() -> None:
    headers = (*answers.JSON, ("x-ratelimit-remaining-requests", "7"))
    reply = answers.says(200, answers.chat_reply(), headers)
    async with open_router(config_of(provider_of("openai-chat")), up=reply) as world:
        heard = await world.ask("/v1/responses", asked())
    assert heard.headers["x-ratelimit-remaining-requests"] == "7"


@pytest.mark.parametrize("dialect", [pytest.param(name, id=f"edge-154-{name}") for name in ANSWERS])
async def test_an_answer_that_is_streamed_although_not_asked_is_whole_for_the_client(dialect: str) -> None:
    _, pieces = ANSWERS[dialect]
    async with open_router(config_of(provider_of(dialect)), up=answers.streams(pieces)) as world:
        heard = await world.ask("/v1/responses", asked())
    assert heard.json()["output"][0]["content"][0]["text"] == "hello"
