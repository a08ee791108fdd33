"""The provider role as a whole."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.world.chat_streams import context
from tests.world.gemini import target
from tests.world.gemini_cases import chunk
from ucr.dialects.gemini.provider import GeminiProvider
from ucr.dialects.gemini.stream import GeminiStreamDecoder
from ucr.dialects.gemini.tap import GeminiTap
from ucr.dialects.roles import Canonical, Request

PROVIDER = GeminiProvider()
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}


def request(raw: bytes = b"{}", *, stream: bool = False) -> Request:
    return Request("gemini", raw, {}, "asked", stream, {})


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_of_the_same_dialect_passes_in_its_own_bytes(stream: bool) -> None:
    sent = PROVIDER.build_same(request(b'{"contents": [ ]}', stream=stream), target("gemini-x"))
    assert sent.body == b'{"contents": [ ]}'
    action = "streamGenerateContent?alt=sse" if stream else "generateContent"
    assert sent.path == f"/v1beta/models/gemini-x:{action}"
    assert (sent.context.model_asked, sent.context.model_used) == ("asked", "gemini-x")


def test_each_part_of_the_role_is_there() -> None:
    assert PROVIDER.name == "gemini"
    assert PROVIDER.build(Canonical(ASK), request(), target()).path.endswith(":generateContent")
    assert PROVIDER.build_count(replace(request(), body=ASK), target()).path.endswith(":countTokens")
    assert isinstance(PROVIDER.decoder(context()), GeminiStreamDecoder)
    assert isinstance(PROVIDER.tap(context(), strict=False), GeminiTap)
    body = json.dumps(chunk({"text": "a"}, finish="STOP")).encode()
    assert PROVIDER.decode_reply(body, context()).stop_reason == "end_turn"
    assert PROVIDER.pass_reply(body, context())[1].stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("body", "type_", "retry_after_s"),
    [
        pytest.param(
            b'{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED",'
            b'"details":[{"@type":"x/RetryInfo","retryDelay":"34.07s"}]}}',
            "rate_limit_error",
            35,
            id="edge-168",
        ),
        pytest.param(
            b'[{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}]',
            "rate_limit_error",
            None,
            id="edge-169",
        ),
    ],
)
def test_a_refusal_is_read(body: bytes, type_: str, retry_after_s: int | None) -> None:
    error = PROVIDER.decode_error(429, {}, body, context())
    assert (error.type, error.retry_after_s) == (type_, retry_after_s)


def test_a_refused_key_is_the_routers_own() -> None:
    body = b'{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}'
    assert PROVIDER.decode_error(400, {}, body, context()).fault == "auth"
