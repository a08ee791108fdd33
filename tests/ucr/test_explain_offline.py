import json

import pytest

from tests.world.router import config_of, provider
from ucr.config.model import ModelTarget
from ucr.config.rule_model import Rule, When
from ucr.errors import ApiError
from ucr.explain_offline import dialects, explanation

A, B = provider("a", "anthropic"), provider("b", "anthropic")
BODY = json.dumps({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}).encode()


async def test_a_configuration_alone_explains_a_request() -> None:
    config = config_of(A, B, rules=(Rule("ci", When(client=("ci",)), (ModelTarget("b"),)),))
    ruled = await explanation(config, BODY, {"x-claude-code-session-id": "s"}, "anthropic", "ci")
    assert (ruled["route"], ruled["client"], ruled["session"]) == ("rule:ci", "ci", "s")
    assert (await explanation(config, BODY, {}, "openai-chat", None))["route"] == "default"


async def test_what_is_no_request_is_an_error() -> None:
    with pytest.raises(ApiError):
        await explanation(config_of(A), b"{}", {}, "anthropic", None)


def test_the_protocols_are_those_of_clients() -> None:
    assert {"anthropic", "openai-chat"} <= set(dialects())
