import json

import pytest

from tests.world.chat_streams import context
from tests.world.ollama import target
from ucr.dialects.ollama.provider import OllamaProvider
from ucr.dialects.ollama.stream import OllamaStreamDecoder
from ucr.dialects.ollama.tap import OllamaTap
from ucr.dialects.roles import Request

RAW = b'{"messages": [{"role": "user", "content": "hi"}], "model": "asked", "keep_alive": -1}'


def test_a_request_of_the_same_dialect_passes_with_another_name() -> None:
    request = Request("ollama", RAW, {}, "asked", True, {})
    sent = OllamaProvider().build_same(request, target("llama3.2"))
    assert sent.body == RAW.replace(b"asked", b"llama3.2")
    assert (sent.path, sent.context.model_asked) == ("/api/chat", "asked")
    assert OllamaProvider().build_same(request, target("asked")).body is RAW


@pytest.mark.parametrize(
    ("status", "type_", "fault"),
    [
        (400, "invalid_request_error", "request"),
        (404, "not_found_error", "model"),
        (502, "api_error", "gateway"),
    ],
)
def test_a_refusal_is_read(status: int, type_: str, fault: str) -> None:
    error = OllamaProvider().decode_error(status, {}, json.dumps({"error": "no"}).encode(), context())
    assert (error.type, error.fault, error.message) == (type_, fault, "no")


def test_streams_are_read_and_watched() -> None:
    assert isinstance(OllamaProvider().decoder(context()), OllamaStreamDecoder)
    assert isinstance(OllamaProvider().tap(context(), strict=False), OllamaTap)
