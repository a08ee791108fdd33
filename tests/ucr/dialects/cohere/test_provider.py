"""The provider role as a whole."""

import json

import pytest

from tests.world.chat import user
from tests.world.chat_streams import context
from tests.world.cohere import target
from ucr.dialects.cohere.provider import CohereProvider
from ucr.dialects.cohere.stream import CohereStreamDecoder
from ucr.dialects.roles import Canonical, Request

PROVIDER = CohereProvider()


def test_each_part_of_the_role_is_there() -> None:
    assert PROVIDER.name == "cohere"
    ask = {"messages": [user("hi")]}
    request = Request("anthropic", b"{}", ask, "asked", False, {})
    assert PROVIDER.build(Canonical(ask), request, target()).path == "/v2/chat"
    assert isinstance(PROVIDER.decoder(context()), CohereStreamDecoder)
    body = {"id": "1", "message": {"content": [{"type": "text", "text": "a"}]}, "finish_reason": "COMPLETE"}
    assert PROVIDER.decode_reply(json.dumps(body).encode(), context()).stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("status", "message", "type_", "fault"),
    [
        (401, "invalid api token", "permission_error", "auth"),
        (498, "invalid token", "permission_error", "auth"),
        (422, "message must be at least 1 token long", "invalid_request_error", "request"),
        (429, "trial key limited to 10 calls a minute", "rate_limit_error", "rate_limit"),
        (503, "unavailable", "overloaded_error", "overload"),
        (400, "too many tokens: the prompt is too long", "invalid_request_error", "overflow"),
    ],
)
def test_a_refusal_is_read(status: int, message: str, type_: str, fault: str) -> None:
    error = PROVIDER.decode_error(status, {}, json.dumps({"message": message}).encode(), context())
    assert (error.type, error.fault) == (type_, fault)
    assert message in error.message
