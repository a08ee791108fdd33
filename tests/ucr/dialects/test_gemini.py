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


GEN = "/v1beta/models/gemini-x:generateContent"
SSE = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
ARRAY = "/v1beta/models/gemini-x:streamGenerateContent"
CONTENTS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def texts(chunks: list[Any]) -> str:
    return "".join(part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"])


@pytest.mark.parametrize("path", [GEN, GEN.replace("v1beta", "v1"), GEN.replace("gemini-x", "gemini%2Dx")])
async def test_a_gemini_client_reaches_an_anthropic_provider(path: str, autojump_clock: object) -> None:
    handler = answers.says(200, answers.anthropic_reply())
    async with open_router(config_of(provider("up", "anthropic")), up=handler) as world:
        heard = await world.ask(path, CONTENTS)
    assert heard.json()["candidates"][0] == {
        "content": {"parts": [{"text": "hello"}], "role": "model"},
        "index": 0,
        "finishReason": "STOP",
    }
    assert heard.json()["usageMetadata"] == {
        "promptTokenCount": 11,
        "candidatesTokenCount": 7,
        "totalTokenCount": 18,
    }
    assert heard.json()["modelVersion"] == "gemini-x"
    assert world.upstreams["up"].requests[0].json()["messages"] == [
        TURN | {"content": [{"type": "text", "text": "hi"}]}
    ]  # type: ignore[index]
    assert (world.finished[0]["dialect"], world.finished[0]["model_asked"]) == ("gemini", "gemini-x")


@pytest.mark.parametrize(
    ("dialect", "pieces"),
    [
        ("anthropic", answers.anthropic_text("Hel", "lo")),
        ("openai-chat", answers.chat_text("Hel", "lo")),
        ("gemini", answers.gemini_text("Hel", "lo")),
    ],
)
async def test_a_gemini_client_streams_from_every_provider(
    dialect: str, pieces: list[bytes], autojump_clock: object
) -> None:
    async with open_router(config_of(provider("up", dialect)), up=answers.streams(pieces)) as world:
        heard = await world.ask(SSE, CONTENTS)
        listed = await world.ask(ARRAY, CONTENTS)
    assert heard.headers["content-type"] == "text/event-stream"
    assert texts(heard.events()) == "Hello"
    assert heard.events()[-1]["candidates"][0]["finishReason"] == "STOP"
    assert heard.events()[-1]["usageMetadata"]["promptTokenCount"] == 11
    assert listed.headers["content-type"] == "application/json"
    assert texts(listed.json()) == "Hello"
    assert {chunk["modelVersion"] for chunk in listed.json()} == {"gemini-x"}


async def test_bytes_of_the_same_dialect_pass_untouched(autojump_clock: object) -> None:
    up = provider("up", "gemini", default_model=None)
    body = {**CONTENTS, "unknownField": [1], "contents": [{"parts": [{"fileData": {"fileUri": "gs://a"}}]}]}
    pieces = answers.gemini_text("Hel", "lo")
    async with open_router(config_of(up), up=answers.streams(pieces)) as world:
        heard = await world.ask(SSE, body)
    assert heard.body == b"".join(pieces)
    (seen,) = world.upstreams["up"].requests
    assert seen.path == SSE
    assert seen.json() == body


async def test_what_only_google_takes_is_refused_for_another_provider(autojump_clock: object) -> None:
    body = {"contents": [{"parts": [{"fileData": {"fileUri": "gs://a"}}]}]}
    async with open_router(config_of(provider("up", "anthropic"))) as world:
        heard = await world.ask(GEN, body)
    assert heard.status == 400
    assert heard.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert heard.json()["error"]["message"].startswith("contents[0].parts[0].fileData.fileUri: ")


async def test_claudes_thinking_goes_to_the_client_in_a_signature_and_never_to_google(
    autojump_clock: object,
) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    reply = {**answers.anthropic_reply(), "content": [thought, use], "stop_reason": "tool_use"}
    think = {**CONTENTS, "generationConfig": {"thinkingConfig": {"thinkingBudget": 2000}}}
    first = provider("first", "anthropic", default_model="claude-opus-4-5")
    second = provider("second", "gemini", default_model="gemini-3-pro")
    handlers = (answers.says(200, reply), answers.says(200, answers.anthropic_reply()))
    async with open_router(
        config_of(first, second), first=handlers, second=answers.says(200, answers.gemini_reply())
    ) as world:
        called = (await world.ask(GEN, think)).json()["candidates"][0]["content"]
        response = {"functionResponse": {"id": "toolu_1", "name": "f", "response": {"output": "x"}}}
        turns = [*CONTENTS["contents"], called, {"role": "user", "parts": [response]}]
        await world.ask(GEN, {**think, "contents": turns})
        await world.ask(GEN.replace("gemini-x", "second/gemini-3-pro"), {**think, "contents": turns})
    sent = world.upstreams["first"].requests[1].json()["messages"]  # type: ignore[index]
    assert sent[1]["content"][0] == thought
    passed = world.upstreams["second"].requests[0].json()["contents"]  # type: ignore[index]
    assert passed[1]["parts"][0]["thoughtSignature"] == "skip_thought_signature_validator"


async def test_a_silent_stream_gets_nothing_before_its_first_words(autojump_clock: object) -> None:
    handler = answers.streams(answers.anthropic_text("Hel", "lo"), first_s=50.0, pause_s=0.1)
    async with open_router(config_of(provider("up", "anthropic")), up=handler) as world:
        heard = await world.ask(SSE, CONTENTS)
    assert heard.body.startswith(b'data: {"candidates"')
    assert b"ping" not in heard.body
    assert texts(heard.events()) == "Hello"


@pytest.mark.parametrize("path", [SSE, ARRAY])
async def test_a_stream_that_breaks_off_ends_in_an_error_of_googles_shape(
    path: str, autojump_clock: object
) -> None:
    pieces = answers.anthropic_text("Hel", "lo")[:3]
    async with open_router(config_of(provider("up", "anthropic")), up=answers.streams(pieces)) as world:
        heard = await world.ask(path, CONTENTS)
    chunks = heard.json() if path == ARRAY else heard.events()
    assert chunks[-1]["error"]["status"] == "INTERNAL"


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("POST", "/v1beta/models/m:embedContent", 404, "NOT_FOUND"),
        ("POST", "/v1beta/cachedContents", 404, "NOT_FOUND"),
        ("GET", "/v1beta/models/lost", 404, "NOT_FOUND"),
        ("PUT", "/v1beta/models/m", 405, "INVALID_ARGUMENT"),
        ("POST", GEN, 400, "INVALID_ARGUMENT"),
    ],
)
async def test_what_goes_wrong_is_said_in_googles_shape(
    method: str, path: str, status: int, name: str, autojump_clock: object
) -> None:
    async with open_router(config_of(provider("up", "anthropic"))) as world:
        heard = await world.ask(path, {} if method == "POST" else None, method=method)
    assert heard.status == status
    assert (heard.json()["error"]["code"], heard.json()["error"]["status"]) == (status, name)


async def test_googles_own_error_reaches_its_clients_in_its_own_words(autojump_clock: object) -> None:
    wrong = {"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT", "details": [{"a": 1}]}}
    async with open_router(config_of(provider("up", "gemini")), up=answers.says(400, wrong)) as world:
        heard = await world.ask(GEN, CONTENTS)
    assert (heard.status, heard.json()) == (400, wrong)


@pytest.mark.parametrize(
    ("dialect", "answer"), [("anthropic", {"input_tokens": 31}), ("gemini", {"totalTokens": 31})]
)
async def test_tokens_are_counted_for_gemini_clients(
    dialect: str, answer: dict[str, int], autojump_clock: object
) -> None:
    async with open_router(config_of(provider("up", dialect)), up=answers.says(200, answer)) as world:
        heard = await world.ask("/v1beta/models/m:countTokens", CONTENTS)
        estimated = await world.ask("/v1beta/models/m:countTokens", {"generateContentRequest": CONTENTS})
    assert heard.json() == estimated.json() == {"totalTokens": 31}


async def test_models_are_listed_as_google_lists_them(autojump_clock: object) -> None:
    config = config_of(provider("up", "gemini", default_model=None, models=("gemini-x",)))
    async with open_router(config) as world:
        listed = await world.ask("/v1beta/models", method="GET")
        known = await world.ask("/v1/models/up/gemini-x", method="GET", headers={"x-goog-api-key": "any"})
    assert [entry["name"] for entry in listed.json()["models"]] == ["models/up/gemini-x", "models/gemini-x"]
    assert known.json()["name"] == "models/up/gemini-x"
