"""A system prompt that is known is written once, and as one that is not."""

import json
import tracemalloc
from typing import Any

import pytest
from msgspec.structs import replace

from tests.world.chat import target
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.openai_chat.build import build
from ucr.dialects.openai_chat.known_prompt import known_prompt
from ucr.dialects.openai_chat.turns import BILLING_PREFIX
from ucr.dialects.roles import Request
from ucr.jsontext import JsonObject

LONG = 'long \u00e9 \\ " \n' * 500


def text(words: str, **fields: Any) -> JsonObject:
    return {"type": "text", "text": words, **fields}


def raw(blocks: list[JsonObject], **fields: Any) -> bytes:
    turns = [{"role": "user", "content": "q"}]
    return json.dumps({"model": "m", "max_tokens": 9, "messages": turns, "system": blocks, **fields}).encode()


BLOCKS = {
    "one": [text(LONG)],
    "billing": [text(f"{BILLING_PREFIX} x"), text("You are"), text(LONG)],
    "marked": [text("a"), text(LONG, cache_control={"type": "ephemeral"})],
    "blank": [text(" " * 3000), text(f" {BILLING_PREFIX} {LONG}")],
}
SCHEMA = {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {}}}}}


@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("fields", [{}, {"output_config": SCHEMA}], ids=["plain", "schema"])
@pytest.mark.parametrize("leading", [False, True])
@pytest.mark.parametrize(
    "quirks", [{}, {"system_role": "user"}, {"cache_control": True}, {"response_format": "none"}], ids=str
)
def test_a_known_prompt_is_written_as_others(
    blocks: list[JsonObject], fields: JsonObject, leading: bool, quirks: dict[str, Any]
) -> None:
    client, place = AnthropicClient(), target(**quirks)
    turns = [{"role": "system", "content": "s"}] * leading + [{"role": "user", "content": "q"}]
    body = raw(blocks, **fields, messages=turns)
    fresh = AnthropicClient().parse(raw(blocks, **fields, messages=turns), {})
    expected = build(AnthropicClient().canonical(fresh), _without(fresh), place)
    for _ in range(3):
        request = client.parse(body, {})
        assert request.prompt is not None
        made = build(client.canonical(request), request, place)
        assert (json.loads(made.body), made.notes) == (json.loads(expected.body), expected.notes)


def _without(request: Request) -> Request:
    return replace(request, prompt=None, toolset=None, beginning=None)


def test_it_is_written_once_for_each_target() -> None:
    client, one, two = AnthropicClient(), target(), target()
    first, second = (client.parse(raw(BLOCKS["one"], top_k=k), {}) for k in (1, 2))
    made = known_prompt(first, first.body, one)
    assert made is not None
    assert known_prompt(second, second.body, one) is made
    assert known_prompt(second, second.body, two) is not made
    assert known_prompt(second, {"system": list(second.body["system"])}, one) is None


def test_it_takes_no_more_room_than_it_needs() -> None:
    request, place = AnthropicClient().parse(raw(BLOCKS["one"]), {}), target()
    assert known_prompt(request, request.body, target()) is not None
    tracemalloc.start()
    made = known_prompt(request, request.body, place)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made is not None
    assert len(made.text) < kept < len(made.text) + 2000
