import copy
import json
from contextlib import suppress
from typing import Any, cast

import pytest

from tests.world.chat import capture
from ucr.catalogue import ROWS, row
from ucr.dialects import registry
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.roles import ProviderDialect, Request, Target
from ucr.errors import ApiError
from ucr.quirks import Quirks


def test_every_dialect_is_found_by_its_own_name() -> None:
    clients = registry.clients(lambda: 0.0)
    assert sorted(registry.PROVIDERS) == [
        "anthropic",
        "bedrock",
        "cohere",
        "gemini",
        "ollama",
        "openai-chat",
        "openai-responses",
        "replicate",
    ]
    assert sorted(clients) == ["anthropic", "gemini", "ollama", "openai-chat", "openai-responses"]
    assert all(dialect.name == name for name, dialect in registry.PROVIDERS.items())
    assert all(dialect.name == name for name, dialect in clients.items())


def test_every_provider_of_the_catalogue_has_a_dialect() -> None:
    assert {entry.dialect for entry in ROWS} <= set(registry.PROVIDERS)


def test_nobody_can_change_the_registry() -> None:
    with pytest.raises(TypeError):
        cast(Any, registry.PROVIDERS)["other"] = registry.PROVIDERS["anthropic"]


TOOLS = [{"name": "look"}]


@pytest.mark.parametrize(
    ("provider", "model", "client", "body", "spoken"),
    [
        pytest.param("openai", "gpt-5.6", "anthropic", {"tools": TOOLS}, "openai-responses", id="edge-111"),
        pytest.param(
            "openai", "gpt-5.6", "openai-chat", {"tools": TOOLS}, "openai-responses", id="edge-111-chat"
        ),
        ("openai", "gpt-5.6", "openai-chat", {"tools": TOOLS, "reasoning_effort": "none"}, "openai-chat"),
        ("openai", "gpt-5.6", "anthropic", {}, "openai-chat"),
        ("openai", "gpt-5.6", "openai-responses", {}, "openai-responses"),
        ("openai", "gpt-4o", "anthropic", {"tools": TOOLS}, "openai-chat"),
        pytest.param("github-copilot", "gpt-5.4", "anthropic", {}, "openai-responses", id="edge-191"),
        ("github-copilot", "gpt-5.4", "openai-chat", {}, "openai-responses"),
        ("github-copilot", "claude-sonnet-4.5", "anthropic", {"tools": TOOLS}, "openai-chat"),
        ("azure", "gpt-5.6", "anthropic", {"tools": TOOLS}, "openai-chat"),
        ("anthropic", "claude-opus-5", "openai-responses", {"tools": TOOLS}, "anthropic"),
    ],
)
def test_models_that_refuse_tools_in_one_protocol_are_asked_in_the_other(
    provider: str, model: str, client: str, body: Any, spoken: str
) -> None:
    known = row(provider)
    assert known is not None
    request = Request(client, b"", body, model, False, {})
    target = Target(provider, model, known.base_url, known.quirks)
    assert registry.provider_for(known.dialect, target, request).name == spoken


@pytest.mark.parametrize(
    "name", ["image_in_tool_result", "parallel-tools", "thinking_sent_back", "tool_reference"]
)
@pytest.mark.parametrize("dialect", registry.PROVIDERS.values(), ids=lambda dialect: dialect.name)
def test_a_request_stays_as_it_is_whoever_it_is_written_for(dialect: ProviderDialect, name: str) -> None:
    """What was read of a conversation is kept for the requests that go on with it."""
    client = AnthropicClient()
    request = client.parse(json.dumps({**capture(name), "model": "claude-opus-5-5"}).encode(), {})
    before = copy.deepcopy(request.body)
    for quirks in (Quirks(), Quirks(merge_turns=True, user_after_tool=False, mid_system=False)):
        target = Target("p", "m", "http://127.0.0.1:9", quirks)
        with suppress(ApiError):  # of images that a provider does not take
            dialect.build(client.canonical(request), request, target)
        assert request.body == before
