"""Counting tokens when the provider's own count cannot be used."""

from typing import Any

import pytest

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.estimate import estimate

COUNT = "/v1/messages/count_tokens"
BODY: dict[str, Any] = {
    "model": "m",
    "system": [{"type": "text", "text": "Be brief."}],
    "tools": [{"name": "f", "description": "Does it.", "input_schema": {"type": "object"}}],
    "messages": [{"role": "user", "content": "hi"}],
}


@pytest.mark.parametrize(
    "handler",
    [
        answers.says(500, {}),
        answers.says(200, b"not json"),
        answers.says(200, {"input_tokens": "many"}),
        answers.says(200, []),
        answers.never(),
    ],
)
async def test_a_provider_that_cannot_count_costs_only_exactness(handler: Any, autojump_clock: object) -> None:
    """edge-185"""
    async with open_router(config_of(provider("up", "anthropic")), up=handler) as world:
        heard = await world.ask(COUNT, BODY)
    assert heard.json() == {"input_tokens": estimate(BODY, "anthropic")}


async def test_a_request_without_messages_cannot_be_counted(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "anthropic"))) as world:
        heard = await world.ask(COUNT, {"model": "m"})
    assert heard.status == 400
