import json
from typing import Any

import pytest

from tests.world.chat import target, user
from tests.world.chat_streams import context
from ucr.dialects.envelope import seal
from ucr.dialects.openai_responses.provider import OpenAIResponsesProvider
from ucr.dialects.openai_responses.stream import ResponsesStreamDecoder
from ucr.dialects.openai_responses.tap import ResponsesTap
from ucr.dialects.roles import Canonical, Request
from ucr.errors import UpstreamError
from ucr.events import Text

DIALECT = OpenAIResponsesProvider()
RAW = b'{ "model" : "asked",\n "seed": 12345678901234567890, "vendor_field": [1.0], "input": "hi" }'


def request(raw: bytes = RAW, *, stream: bool = False) -> Request:
    body = json.loads(raw)
    return Request("openai-responses", raw, body, body["model"], stream, {"authorization": "Bearer client"})


def test_a_request_of_the_same_dialect_changes_in_nothing_but_the_model() -> None:
    outgoing = DIALECT.build_same(request(stream=True), target(model="used"))
    assert outgoing.path == "/responses"
    assert outgoing.body == RAW.replace(b'"asked"', b'"used"')
    assert outgoing.headers == (("content-type", "application/json"), ("accept", "text/event-stream"))
    assert (outgoing.context.model_asked, outgoing.context.model_used) == ("asked", "used")


def test_a_request_for_the_very_model_passes_byte_for_byte() -> None:
    assert DIALECT.build_same(request(), target(model="asked")).body is RAW


def test_reasoning_that_was_translated_goes_to_no_provider_of_the_dialect() -> None:
    ours = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal("x", {"a": 1})}
    theirs = {**ours, "encrypted_content": "gAAA"}
    said: dict[str, Any] = {"type": "message", "role": "user", "content": "ucr1. is a prefix"}
    raw = json.dumps({"model": "asked", "input": [said, ours, theirs]}).encode()
    outgoing = DIALECT.build_same(request(raw), target(model="used"))
    assert json.loads(outgoing.body) == {"model": "used", "input": [said, theirs]}
    assert outgoing.notes == ("dropped reasoning of another provider",)
    plain = json.dumps({"model": "used", "input": [said, theirs]}).encode()
    assert DIALECT.build_same(request(plain), target(model="used")).body is not None
    assert DIALECT.build_same(request(plain), target(model="used")).notes == ()


def test_a_canonical_request_is_translated() -> None:
    canonical = Canonical({"model": "claude-x", "max_tokens": 90, "messages": [user("hi")]})
    asked = Request("anthropic", b"", canonical.body, "claude-x", False, {})
    body = json.loads(DIALECT.build(canonical, asked, target(model="gpt-x")).body)
    assert (body["model"], body["input"][0]["content"]) == ("gpt-x", "hi")


def test_the_reading_side_is_that_of_the_dialect() -> None:
    about = context()
    assert isinstance(DIALECT.decoder(about), ResponsesStreamDecoder)
    assert isinstance(DIALECT.tap(about, strict=True), ResponsesTap)
    whole = b'{"id":"r","status":"completed","output":[{"type":"message","content":[{"text":"x"}]}]}'
    assert DIALECT.decode_reply(whole, about).content == (Text("x"),)
    assert DIALECT.pass_reply(whole, about)[1].stop_reason == "end_turn"
    error = DIALECT.decode_error(429, {}, b'{"error":{"message":"slow"}}', about)
    assert isinstance(error, UpstreamError)
    assert error.type == "rate_limit_error"


@pytest.mark.parametrize("name", ["openai-responses"])
def test_it_has_its_name(name: str) -> None:
    assert DIALECT.name == name


def test_copilot_is_told_who_speaks_whether_the_bytes_pass_or_not() -> None:
    raw = b'{"model": "m", "input": [{"role": "user", "content": "hi"}]}'
    copilot = target("github-copilot", "m")
    assert ("x-initiator", "user") in DIALECT.build_same(request(raw), copilot).headers
    translated = DIALECT.build(Canonical({"messages": [user("hi")]}), request(raw), copilot)
    assert ("x-initiator", "user") in translated.headers
    assert "x-initiator" not in dict(DIALECT.build_same(request(raw), target(model="m")).headers)
