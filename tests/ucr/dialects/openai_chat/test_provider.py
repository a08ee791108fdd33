import json

import pytest

from tests.world.chat import target, user
from tests.world.chat_streams import chunk, context, sse
from ucr.dialects.openai_chat.provider import OpenAIChatProvider
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.dialects.openai_chat.tap import ChatTap
from ucr.dialects.roles import Canonical, Request
from ucr.errors import UpstreamError
from ucr.events import Text

DIALECT = OpenAIChatProvider()
RAW = b'{ "model" : "asked",\n "seed": 12345678901234567890, "vendor_field": [1.0] }'


def request(raw: bytes = RAW, *, stream: bool = False) -> Request:
    body = json.loads(raw)
    return Request("openai-chat", raw, body, body["model"], stream, {"authorization": "Bearer client"})


def test_a_request_of_the_same_dialect_changes_in_nothing_but_the_model() -> None:
    outgoing = DIALECT.build_same(request(), target(model="used"))
    assert outgoing.path == "/chat/completions"
    assert outgoing.body == RAW.replace(b'"asked"', b'"used"')
    assert outgoing.headers == (("content-type", "application/json"), ("accept", "application/json"))
    assert (outgoing.context.model_asked, outgoing.context.model_used) == ("asked", "used")


def test_a_request_for_the_very_model_passes_byte_for_byte() -> None:
    assert DIALECT.build_same(request(), target(model="asked")).body is RAW


def test_a_stream_is_asked_for_as_one() -> None:
    outgoing = DIALECT.build_same(request(stream=True), target())
    assert ("accept", "text/event-stream") in outgoing.headers
    assert outgoing.context.stream is True


def test_a_clients_credentials_never_go_on() -> None:
    outgoing = DIALECT.build_same(request(), target())
    assert "authorization" not in dict(outgoing.headers)


def test_a_canonical_request_is_translated() -> None:
    canonical = Canonical({"model": "claude-x", "max_tokens": 9, "messages": [user("hi")]})
    asked = Request("anthropic", b"", canonical.body, "claude-x", False, {})
    outgoing = DIALECT.build(canonical, asked, target(model="gpt-x"))
    body = json.loads(outgoing.body)
    assert outgoing.path == "/chat/completions"
    assert (body["model"], body["messages"]) == ("gpt-x", [{"role": "user", "content": "hi"}])


def test_the_reading_side_is_that_of_the_dialect() -> None:
    about = context()
    assert isinstance(DIALECT.decoder(about), ChatStreamDecoder)
    assert isinstance(DIALECT.tap(about, strict=True), ChatTap)


REPLY = {
    "id": "c1",
    "model": "used",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
}


def test_a_whole_answer_is_read() -> None:
    reply = DIALECT.decode_reply(json.dumps(REPLY).encode(), context(stream=False))
    assert (reply.content, reply.stop_reason) == ((Text("hi"),), "end_turn")


def test_a_whole_answer_that_passes_gets_the_name_asked_for_and_its_usage_is_read() -> None:
    written, summary = DIALECT.pass_reply(json.dumps(REPLY).encode(), context(stream=False))
    assert json.loads(written) == {**REPLY, "model": "claude-asked"}
    assert (summary.usage.input_tokens, summary.usage.output_tokens) == (5, 2)


@pytest.mark.parametrize("status", [pytest.param(200, id="edge-171")])
def test_an_error_inside_a_200_is_an_error(status: int) -> None:
    body = b'{"error":{"message":"no such thing","code":404}}'
    with pytest.raises(UpstreamError):
        DIALECT.decode_reply(body, context(stream=False))
    with pytest.raises(UpstreamError):
        DIALECT.pass_reply(body, context(stream=False))


def test_a_refusal_is_read_with_its_status() -> None:
    body = b'{"error":{"message":"slow down","type":"rate_limit_error"}}'
    error = DIALECT.decode_error(429, {"retry-after": "12"}, body, context())
    assert (error.status, error.fault, error.retry_after_s) == (429, "rate_limit", 12)
    assert error.message == "slow down"


def test_a_tap_passes_chunks_with_the_name_asked_for() -> None:
    tap = DIALECT.tap(context(), strict=False)
    stream = sse({**chunk("stop", content="hi"), "model": "used"})
    assert tap.feed(stream) + tap.close() == stream.replace(b'"used"', b'"claude-asked"')
    assert tap.is_committed
    assert tap.failure is None


def test_copilot_is_told_who_speaks_whether_the_bytes_pass_or_not() -> None:
    raw = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    copilot = target("github-copilot", "m")
    assert ("x-initiator", "user") in DIALECT.build_same(request(raw), copilot).headers
    translated = DIALECT.build(Canonical({"messages": [user("hi")]}), request(raw), copilot)
    assert ("x-initiator", "user") in translated.headers
    assert "x-initiator" not in dict(DIALECT.build_same(request(raw), target(model="m")).headers)
