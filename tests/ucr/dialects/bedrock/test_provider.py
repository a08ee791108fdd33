import pytest

from tests.world.bedrock import CLAUDE, about, target
from tests.world.chat import user
from ucr.dialects.bedrock.provider import BedrockProvider
from ucr.dialects.roles import Canonical, Request

BODY = {"messages": [user("a")]}
REQUEST = Request("anthropic", b"", BODY, "claude-x", False, {})


def test_it_does_what_a_provider_dialect_does() -> None:
    dialect = BedrockProvider()
    assert dialect.build(Canonical(BODY), REQUEST, target(CLAUDE)).path.endswith("/converse")
    assert dialect.build_count(REQUEST, target(CLAUDE)).path.endswith("/count-tokens")
    assert dialect.decoder(about()).close()
    body = b'{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"end_turn"}'
    assert dialect.decode_reply(body, about()).stop_reason == "end_turn"
    error = dialect.decode_error(429, {"x-amzn-errortype": "ThrottlingException"}, b'{"message":"no"}', about())
    assert (error.type, error.message) == ("rate_limit_error", "no")


def test_nothing_passes_through_in_it() -> None:
    with pytest.raises(TypeError, match="no client speaks bedrock"):
        BedrockProvider().build_same(REQUEST, target(CLAUDE))
