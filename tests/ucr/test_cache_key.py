import json
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from tests.world.router import provider
from ucr.cache_key import CANONICAL_BYTES, PLANS_LIMIT, VOLATILE, Keys, canonical
from ucr.dialects import registry
from ucr.dialects.roles import Request
from ucr.routing import Candidate

KEYS = Keys(b"s" * 32)
CHOICES = (Candidate(provider("up", "anthropic"), "claude-x", "default"),)
CLIENTS = registry.clients(lambda: 0.0)

ANTHROPIC: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "and now?"},
    ],
    "tools": [{"name": "look", "description": "Look.", "input_schema": {"type": "object", "properties": {}}}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 5,
    "stop_sequences": ["stop"],
    "service_tier": "auto",
    "container": "c",
    "context_management": {"edits": []},
    "output_config": {"effort": "low"},
    "mcp_servers": [],
    "a_field_of_tomorrow": 1,
}
CHAT: dict[str, Any] = {
    "model": "gpt-x",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
    "max_tokens": 50,
    "max_completion_tokens": 60,
    "temperature": 1,
    "top_p": 0.5,
    "n": 1,
    "seed": 7,
    "stop": ["stop"],
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "logit_bias": {"50": 1},
    "logprobs": True,
    "top_logprobs": 2,
    "response_format": {"type": "text"},
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning_effort": "low",
    "verbosity": "low",
    "modalities": ["text"],
    "prediction": {"type": "content", "content": "x"},
    "service_tier": "auto",
    "stream_options": {"include_usage": True},
    "web_search_options": {},
    "a_field_of_tomorrow": 1,
}
BODIES = {"anthropic": ANTHROPIC, "openai-chat": CHAT}


def request(dialect: str, body: dict[str, Any], **changes: Any) -> Request:
    raw = json.dumps(body).encode()
    made = Request(dialect, raw, body, str(body.get("model")), bool(body.get("stream")), {})
    return structs.replace(made, **changes)


def key(asked: Request, client: str = "", choices: tuple[Candidate, ...] = CHOICES) -> bytes:
    return KEYS.of(asked, choices, client)


def changed(value: Any) -> list[Any]:
    """Return values that differ from this one in one place each, in every place that it has."""
    if isinstance(value, dict):
        inner = [{**value, name: other} for name in value for other in changed(value[name])]
        left_out = [{key: value[key] for key in value if key != name} for name in value]
        return [*inner, *left_out, {**value, "another": 1}]
    if isinstance(value, list):
        inner = [
            [*value[:at], other, *value[at + 1 :]] for at in range(len(value)) for other in changed(value[at])
        ]
        left_out = [value[:at] + value[at + 1 :] for at in range(len(value))]
        turned = [value[::-1]] if len(value) > 1 else []
        return [*inner, *left_out, *turned, [*value, "another"]]
    if isinstance(value, bool):
        return [not value, int(value)]
    if isinstance(value, int | float):
        return [value + 1, str(value), None]
    return [f"{value}x", f" {value}", [value]]


@pytest.mark.parametrize("dialect", BODIES)
def test_a_change_of_any_field_is_a_miss(dialect: str) -> None:
    bodies = [BODIES[dialect], *changed(BODIES[dialect])]
    keys = [key(request(dialect, body)) for body in bodies]
    assert len(bodies) > 90
    assert len(set(keys)) == len(keys)
    assert {len(one) for one in keys} == {32}


@pytest.mark.parametrize("dialect", BODIES)
def test_the_same_said_in_other_bytes_is_a_hit(dialect: str) -> None:
    body = BODIES[dialect]
    plain = request(dialect, body)
    turned = json.loads(json.dumps(body), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    spaced = structs.replace(plain, raw=json.dumps(body, indent=4).encode(), body=turned)
    assert key(spaced) == key(plain)


@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for dialect in BODIES for name in sorted(VOLATILE[dialect])]
)
def test_who_asks_and_how_it_is_filed_changes_nothing(dialect: str, name: str) -> None:
    value = {"user_id": "somebody"} if name == "metadata" else False if name == "stream" else "x"
    assert key(request(dialect, {**BODIES[dialect], name: value})) == key(request(dialect, BODIES[dialect]))


@pytest.mark.parametrize("dialect", BODIES)
def test_a_request_that_a_client_really_sends_has_a_key(dialect: str) -> None:
    raw = json.dumps(BODIES[dialect]).encode()
    assert key(CLIENTS[dialect].parse(raw, {})) == key(request(dialect, BODIES[dialect]))


ASKED = request("anthropic", ANTHROPIC)
OTHER = provider("other", "anthropic")


@pytest.mark.parametrize(
    "another",
    [
        pytest.param(KEYS.of(ASKED, CHOICES, "ann"), id="client"),
        pytest.param(KEYS.of(ASKED, CHOICES, "", kind="count"), id="kind"),
        pytest.param(Keys(b"t" * 32).of(ASKED, CHOICES, ""), id="secret"),
        pytest.param(key(structs.replace(ASKED, dialect="openai-chat")), id="dialect"),
        pytest.param(key(structs.replace(ASKED, stream=True)), id="stream"),
        pytest.param(key(structs.replace(ASKED, beside="m:generateContent")), id="path"),
        pytest.param(key(structs.replace(ASKED, model="claude-y")), id="model outside the body"),
        pytest.param(key(structs.replace(ASKED, headers={"anthropic-beta": "b-1"})), id="beta"),
        pytest.param(key(structs.replace(ASKED, headers={"anthropic-version": "b-1"})), id="version"),
        pytest.param(
            key(structs.replace(ASKED, headers={"anthropic-of-tomorrow": "b-1"})), id="another header"
        ),
        pytest.param(key(structs.replace(ASKED, headers={"openai-beta": "b-1"})), id="openai beta"),
        pytest.param(key(ASKED, choices=(replace(CHOICES[0], model="claude-y"),)), id="model after mapping"),
        pytest.param(key(ASKED, choices=(replace(CHOICES[0], route="subagent"),)), id="route"),
        pytest.param(key(ASKED, choices=(replace(CHOICES[0], provider=OTHER),)), id="provider"),
        pytest.param(key(ASKED, choices=CHOICES * 2), id="fallbacks"),
        pytest.param(
            key(
                ASKED,
                choices=(
                    replace(CHOICES[0], provider=replace(CHOICES[0].provider, headers={"x-region": "eu"})),
                ),
            ),
            id="headers of the provider",
        ),
        pytest.param(
            key(
                ASKED,
                choices=(
                    replace(
                        CHOICES[0],
                        provider=replace(
                            CHOICES[0].provider, quirks=replace(CHOICES[0].provider.quirks, drop=("top_k",))
                        ),
                    ),
                ),
            ),
            id="quirks",
        ),
    ],
)
def test_whatever_else_changes_an_answer_changes_the_key(another: bytes) -> None:
    assert another != key(ASKED)


def test_a_stream_for_a_reader_that_is_spared_the_unknown_is_another_one() -> None:
    streaming = structs.replace(ASKED, stream=True)
    spared = structs.replace(streaming, headers={"user-agent": "ai-sdk/5"})
    assert key(spared) != key(streaming)
    assert key(structs.replace(spared, stream=False)) == key(ASKED)


def test_headers_that_change_no_answer_do_not_change_the_key() -> None:
    told = structs.replace(ASKED, headers={"user-agent": "x", "x-cache-key": "chosen by the client"})
    assert key(told) == key(ASKED)


def test_a_large_body_and_one_that_cannot_be_written_anew_are_taken_as_they_came() -> None:
    large = structs.replace(ASKED, raw=b" " * (CANONICAL_BYTES + 1))
    assert canonical(large) == large.raw
    long_number = structs.replace(ASKED, body={"max_tokens": 2**80})
    assert canonical(long_number) == ASKED.raw


def test_of_a_dialect_whose_bodies_are_read_in_part_every_byte_counts() -> None:
    asks = [Request("gemini", raw, {"contents": []}, "m", False, {}) for raw in (b'{"a":1}', b'{"a": 1}')]
    assert len({key(ask) for ask in asks}) == 2


def test_only_so_many_plans_are_remembered() -> None:
    keys = Keys(b"s")
    plans = [(replace(CHOICES[0], model=str(number)),) for number in range(PLANS_LIMIT + 5)]
    made = [keys.of(ASKED, plan, "") for plan in plans]
    assert repr(keys) == "<Keys of 5 plans>"
    assert [keys.of(ASKED, plan, "") for plan in plans] == made
    assert len(set(made)) == len(made)


def test_what_stands_beside_the_body_is_a_part_of_the_key() -> None:
    """The body of such a request is less than its bytes, which therefore count."""
    request = Request("gemini", b'{"contents": 1}', {"model": "m"}, "m", False, {}, beside="m:generateContent")
    others = (
        structs.replace(request, beside="n:generateContent"),
        structs.replace(request, beside="m:generateContent:array"),
        structs.replace(request, raw=b'{"contents": 2}'),
    )
    keys = {KEYS.of(one, CHOICES, "") for one in (request, *others)}
    assert len(keys) == 4
    assert canonical(request) == b'm:generateContent\n{"contents": 1}'
