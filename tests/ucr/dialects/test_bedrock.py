"""The whole path in memory with an upstream that is Amazon Bedrock."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.bedrock import (
    CLAUDE,
    STREAM,
    USAGE,
    bedrock,
    begins,
    chunk,
    exception,
    metadata,
    packed,
    says,
    stops,
    streams,
)
from tests.world.check_anthropic_stream import check
from tests.world.router import Heard, config_of, open_router
from ucr.secret import Secret
from ucr.stress.upstream import Handler

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
TURN: dict[str, Any] = {"role": "user", "content": "hi"}
ASK: dict[str, Any] = {"model": f"up/{CLAUDE}", "max_tokens": 50, "messages": [TURN]}
KEY = Secret("bedrock-api-key-1")
CLAUDES = bedrock("bedrock-anthropic", "up", api_keys=(KEY,))
BLOCKS = answers.anthropic_text("Hel", "lo", model="claude-sonnet-4-5-20250929")
BETAS = "claude-code-20250219,interleaved-thinking-2025-05-14,prompt-caching-scope-2026-01-05"


def text_of(heard: Heard) -> str:
    return "".join(event.get("delta", {}).get("text", "") for event in heard.events())


async def ask(
    handler: Handler, body: dict[str, Any], path: str = MESSAGES, **headers: str
) -> tuple[Heard, Any]:
    """Ask Claude on Bedrock; return the answer and what the provider saw."""
    async with open_router(config_of(CLAUDES), up=handler) as world:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        heard = await world.ask(path, body, **({"headers": given} if given else {}))
        return heard, world.upstreams["up"].requests[0]


async def test_a_client_of_anthropics_is_answered_by_claude_on_bedrock(autojump_clock: object) -> None:
    reply = answers.anthropic_reply()
    heard, seen = await ask(answers.says(200, reply), ASK)
    assert (heard.status, heard.json()["content"]) == (200, reply["content"])
    assert heard.json()["model"] == ASK["model"]
    assert (seen.path, seen.header("authorization")) == (
        "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke",
        "Bearer bedrock-api-key-1",
    )
    assert seen.json() == {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": [TURN]}
    assert not [name for name, _ in seen.headers if name.startswith("anthropic-")]


@pytest.mark.parametrize("size", [1, 50, 4096])
async def test_a_stream_is_unpacked_into_the_clients_own(size: int, autojump_clock: object) -> None:
    data = b"".join(packed(BLOCKS))
    frames = [data[at : at + size] for at in range(0, len(data), size)]
    heard, seen = await ask(streams(*frames), {**ASK, "stream": True})
    assert (heard.status, text_of(heard)) == (200, "Hello")
    assert heard.headers["content-type"].startswith("text/event-stream")
    assert check([(event["type"], event) for event in heard.events()]) == []
    assert heard.events()[0]["message"]["model"] == ASK["model"]
    assert seen.path.endswith("/invoke-with-response-stream")
    assert "stream" not in seen.json()


async def test_a_client_of_another_dialect_is_answered_likewise(autojump_clock: object) -> None:
    heard, seen = await ask(streams(*packed(BLOCKS)), {**ASK, "stream": True}, CHAT)
    assert heard.status == 200
    assert "".join(c["delta"].get("content") or "" for e in heard.events() for c in e["choices"]) == "Hello"
    assert seen.json()["anthropic_version"] == "bedrock-2023-05-31"


@pytest.mark.parametrize("edge", [pytest.param("149", id="edge-149")])
async def test_betas_that_bedrock_knows_stand_in_the_body_and_the_others_nowhere(
    edge: str, autojump_clock: object
) -> None:
    reply = answers.says(200, answers.anthropic_reply())
    mark = {"type": "ephemeral", "scope": "global"}
    content = [{"type": "text", "text": "hi", "cache_control": mark}]
    body = {**ASK, "messages": [{"role": "user", "content": content}]}
    _, seen = await ask(reply, body, anthropic_beta=BETAS)
    assert seen.json()["anthropic_beta"] == ["interleaved-thinking-2025-05-14"]
    assert seen.json()["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert seen.header("anthropic-beta") is None


@pytest.mark.parametrize("edge", [pytest.param("180", id="edge-180")])
async def test_an_exception_after_content_is_an_error_event(edge: str, autojump_clock: object) -> None:
    frames = [*packed(BLOCKS[:3]), exception("throttlingException", "Too many tokens.")]
    heard, _ = await ask(streams(*frames), {**ASK, "stream": True})
    last = heard.events()[-1]
    assert last == {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many tokens."}}


async def test_an_exception_before_content_has_a_status(autojump_clock: object) -> None:
    frames = [*packed(BLOCKS[:1]), exception("validationException", "messages: too odd")]
    heard, _ = await ask(streams(*frames), {**ASK, "stream": True})
    assert (heard.status, heard.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "messages: too odd" in heard.json()["error"]["message"]


@pytest.mark.parametrize("edge", [pytest.param("181", id="edge-181")])
@pytest.mark.parametrize("path", [MESSAGES, CHAT])
async def test_a_damaged_frame_ends_the_stream_in_an_error(
    path: str, edge: str, autojump_clock: object
) -> None:
    broken = bytearray(chunk({"type": "ping"}))
    broken[-1] ^= 1
    heard, _ = await ask(streams(*packed(BLOCKS[:3]), bytes(broken)), {**ASK, "stream": True}, path)
    assert heard.status == 200
    assert heard.events()[-1]["error"]["message"].startswith("provider 'up' ")
    assert b"[DONE]" not in heard.body


async def test_tokens_are_counted_by_bedrock(autojump_clock: object) -> None:
    body = {"model": ASK["model"], "messages": [TURN]}
    heard, seen = await ask(answers.says(200, {"inputTokens": 11}), body, f"{MESSAGES}/count_tokens")
    assert heard.json() == {"input_tokens": 11}
    assert seen.path.endswith("/count-tokens")
    counted = json.loads(base64.b64decode(seen.json()["input"]["invokeModel"]["body"]))
    assert counted["messages"] == [TURN]


async def test_a_refusal_is_told_in_bedrocks_words(autojump_clock: object) -> None:
    words = {"message": "The provided model identifier is invalid."}
    heard, _ = await ask(answers.says(400, words), ASK)
    assert (heard.status, heard.json()["error"]["message"]) == (400, words["message"])


UP = bedrock("bedrock", "up", api_keys=(KEY,))
GOOD = begins() + says("Hel") + says("lo") + stops() + metadata()


async def converse(handler: Handler, body: dict[str, Any], path: str = MESSAGES) -> tuple[Heard, Any]:
    """Ask Claude by way of Converse; return the answer and what the provider saw."""
    async with open_router(config_of(UP), up=handler) as world:
        heard = await world.ask(path, body)
        return heard, world.upstreams["up"].requests[0]


async def test_converse_answers_a_client_of_anthropics(autojump_clock: object) -> None:
    reply = {"output": {"message": {"content": [{"text": "hello"}]}}, "stopReason": "end_turn", "usage": USAGE}
    heard, seen = await converse(answers.says(200, reply, (*answers.JSON, ("x-amzn-requestid", "r-1"))), ASK)
    assert (heard.status, heard.json()["content"]) == (200, [{"type": "text", "text": "hello"}])
    assert heard.json()["usage"] | {"input_tokens": 20, "output_tokens": 5} == heard.json()["usage"]
    assert heard.headers["x-ucr-upstream-request-id"] == "r-1"
    assert seen.path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert seen.json() == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "inferenceConfig": {"maxTokens": 50},
    }


@pytest.mark.parametrize("size", [1, 50, 4096])
@pytest.mark.parametrize("path", [MESSAGES, CHAT])
async def test_a_stream_of_converse_is_translated(path: str, size: int, autojump_clock: object) -> None:
    pieces = [GOOD[at : at + size] for at in range(0, len(GOOD), size)]
    heard, seen = await converse(streams(*pieces), {**ASK, "stream": True}, path)
    assert heard.status == 200 and heard.is_complete
    assert seen.path.endswith("/converse-stream")
    if path == CHAT:
        assert "".join(c["delta"].get("content") or "" for e in heard.events() for c in e["choices"]) == "Hello"
    else:
        assert text_of(heard) == "Hello"
        assert check([(event["type"], event) for event in heard.events()]) == []


async def test_a_stream_without_its_counters_is_not_waited_for_long(autojump_clock: object) -> None:
    async def handle(_: object, answer: Any) -> None:
        await answer.head(200, STREAM)
        await answer.send(begins() + says("Hello") + stops())
        await trio.sleep_forever()

    began = trio.current_time()
    heard, _ = await converse(handle, {**ASK, "stream": True})
    assert text_of(heard) == "Hello"
    assert trio.current_time() - began < 10


@pytest.mark.parametrize(
    ("frames", "status", "type_"),
    [
        ((exception("throttlingException", "slow"),), 429, "rate_limit_error"),
        ((exception("serviceUnavailableException", "busy"),), 529, "overloaded_error"),
        ((begins(), says("a"), exception("modelStreamErrorException", "broke")), 200, "api_error"),
        ((begins(), says("a")), 200, "api_error"),
    ],
)
async def test_an_exception_of_converse_has_a_status_or_is_the_last_event(
    frames: tuple[bytes, ...], status: int, type_: str, autojump_clock: object
) -> None:
    heard, _ = await converse(streams(*frames), {**ASK, "stream": True})
    assert heard.status == status
    told = heard.json() if status != 200 else heard.events()[-1]
    assert (told["type"], told["error"]["type"]) == ("error", type_)


async def test_converse_counts_tokens(autojump_clock: object) -> None:
    body = {"model": ASK["model"], "messages": [TURN]}
    heard, seen = await converse(answers.says(200, {"inputTokens": 11}), body, f"{MESSAGES}/count_tokens")
    assert heard.json() == {"input_tokens": 11}
    assert seen.json() == {"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}}}


async def test_a_refusal_of_converse_goes_to_the_next_candidate_or_to_the_client(
    autojump_clock: object,
) -> None:
    second = replace(UP, id="second", base_url="http://second.test")
    reply = {"output": {"message": {"content": [{"text": "hello"}]}}, "stopReason": "end_turn", "usage": USAGE}
    refusal = answers.says(403, {"message": "no access"}, (*answers.JSON, ("x-amzn-errortype", "AccessDenied")))
    config = config_of(UP, second)
    async with open_router(config, up=refusal, second=answers.says(200, reply)) as world:
        heard = await world.ask(MESSAGES, {**ASK, "model": CLAUDE})
    assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "second")
