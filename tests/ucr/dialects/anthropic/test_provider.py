import json
from typing import Any

import pytest

from tests.world.anthropic_requests import CALL, RESULT, TEXT, assistant, request, target, user
from tests.world.anthropic_streams import FIXTURES, context, named
from ucr.dialects import envelope
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.anthropic.decode import MessageDecoder
from ucr.dialects.anthropic.provider import AnthropicProvider
from ucr.dialects.anthropic.tap import MessageTap
from ucr.dialects.roles import Canonical, Summary
from ucr.errors import UpstreamError
from ucr.events import Usage

PROVIDER = AnthropicProvider()
BODY: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 9000, "messages": [user(TEXT)]}
OURS = {"type": "thinking", "thinking": "x", "signature": envelope.seal("deepseek", {})}
CLAUDES = {"type": "thinking", "thinking": "", "signature": "EqQBCgIYAg"}


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("https://api.anthropic.com", "/v1/messages"),
        ("https://api.anthropic.com/", "/v1/messages"),
        ("http://127.0.0.1:9/anthropic", "/v1/messages"),
        ("http://127.0.0.1:9/v1", "/messages"),
        ("http://127.0.0.1:9/v1/", "/messages"),
    ],
)
def test_a_version_in_the_path_is_never_doubled(base_url: str, path: str) -> None:
    there = target("m", base_url)
    assert PROVIDER.build_same(request(BODY), there).path == path
    assert PROVIDER.build_count(request(BODY), there).path == f"{path}/count_tokens"
    assert PROVIDER.build(Canonical(BODY), request(BODY), there).path == path


@pytest.mark.parametrize("model", [pytest.param("claude-opus-5-5", id="edge-101")])
def test_a_request_for_the_same_model_passes_byte_for_byte(model: str) -> None:
    raw = b'{ "model":"claude-opus-5-5",\n"max_tokens":9.0e3, "future":{"x":[1.10]}, "messages":[]}'
    body = {**BODY, "messages": [user(TEXT), assistant(CLAUDES, CALL), user(RESULT)], "temperature": 0.5}
    built = PROVIDER.build_same(request(body, raw=raw), target(model))
    assert built.body is raw
    assert built.notes == ()


@pytest.mark.parametrize(
    "used",
    [
        pytest.param("claude-opus-5-5-20261001", id="edge-150"),
        pytest.param("deepseek-v4-pro", id="edge-193"),
    ],
)
def test_only_the_models_name_is_changed_in_the_bytes(used: str) -> None:
    raw = b'{ "metadata":{"model":"m"} ,"model" : "claude-opus-5-5","future":1.10}'
    body = {**BODY, "metadata": {"model": "m"}}
    built = PROVIDER.build_same(request(body, raw=raw), target(used))
    assert built.body == raw.replace(b"claude-opus-5-5", used.encode())
    assert (built.context.model_asked, built.context.model_used) == ("claude-opus-5-5", used)


@pytest.mark.parametrize("model", [pytest.param("claude-opus-5-5", id="edge-97")])
def test_our_own_thinking_never_reaches_a_claude(model: str) -> None:
    body = {**BODY, "messages": [user(TEXT), assistant(OURS, CLAUDES, TEXT)]}
    built = PROVIDER.build_same(request(body), target(model))
    assert json.loads(built.body) == {**BODY, "messages": [user(TEXT), assistant(CLAUDES, TEXT)]}


@pytest.mark.parametrize("text", [pytest.param("ucr1. is a prefix", id="edge-99")])
def test_words_that_look_like_our_signature_change_nothing(text: str) -> None:
    body = {**BODY, "messages": [user({"type": "text", "text": text})]}
    sent = request(body)
    assert PROVIDER.build_same(sent, target("claude-opus-5-5")).body is sent.raw


def test_another_family_gets_a_body_of_its_own_and_a_note() -> None:
    body = {**BODY, "thinking": {"type": "adaptive"}}
    built = PROVIDER.build_same(request(body), target("claude-haiku-4-5"))
    assert json.loads(built.body) == {
        **BODY,
        "model": "claude-haiku-4-5",
        "thinking": {"type": "enabled", "budget_tokens": 5400},
    }
    assert built.notes == ("thinking adapted to haiku 4.5",)


def test_fields_that_a_provider_refuses_are_left_out() -> None:
    built = PROVIDER.build_same(
        request({**BODY, "metadata": {}}), target("claude-opus-5-5", drop=("metadata",))
    )
    assert json.loads(built.body) == BODY


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, {"anthropic-version": "2023-06-01"}, id="none"),
        pytest.param(
            {
                "anthropic_version": "2026-10-21",
                "anthropic_beta": "a-2025-01-01, b-2026-01-01",
                "anthropic_future": "x",
                "x_api_key": "secret",
                "authorization": "Bearer secret",
                "user_agent": "claude-cli",
            },
            {
                "anthropic-version": "2026-10-21",
                "anthropic-beta": "a-2025-01-01, b-2026-01-01",
                "anthropic-future": "x",
            },
            id="edge-137-the-clients-version",
        ),
    ],
)
def test_headers_of_the_api_pass_and_no_others(headers: dict[str, str], expected: dict[str, str]) -> None:
    always = {"content-type": "application/json", "accept": "application/json"}
    assert dict(PROVIDER.build_same(request(BODY, **headers), target("m")).headers) == {**always, **expected}


@pytest.mark.parametrize(
    "header", [pytest.param("anthropic_version", id="edge-137"), pytest.param("anthropic_beta", id="edge-149")]
)
def test_a_request_of_another_dialect_has_the_version_that_takes_sampling(header: str) -> None:
    sent = request(BODY, **{header: "2026-10-21"})
    built = PROVIDER.build(Canonical({**BODY, "temperature": 0.5}), sent, target("claude-haiku-4-5"))
    assert dict(built.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "anthropic-version": "2023-06-01",
    }
    assert json.loads(built.body)["temperature"] == 0.5


@pytest.mark.parametrize(
    ("thinking", "is_wanted"), [({"type": "adaptive"}, True), ({"type": "disabled"}, False), (None, False)]
)
def test_thinking_is_shown_to_those_who_asked_for_it(thinking: Any, is_wanted: bool) -> None:
    built = PROVIDER.build(Canonical({**BODY, "thinking": thinking}), request(BODY), target("claude-fable-5"))
    assert built.context.thinking_wanted is is_wanted
    assert PROVIDER.build_same(request(BODY), target("claude-fable-5")).context.thinking_wanted


MESSAGE = (
    b'{"id":"msg_1","model":"claude-used","content":[{"type":"tool_use","input":{"model":"x"}}],'
    b'"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":4,"future":1}}'
)


def test_a_whole_answer_passes_with_the_name_that_was_asked_for() -> None:
    summary = Summary(Usage(3, 4), "tool_use")
    assert PROVIDER.pass_reply(MESSAGE, context(model_asked="claude-used")) == (MESSAGE, summary)
    renamed = MESSAGE.replace(b"claude-used", b"claude-asked")
    assert PROVIDER.pass_reply(MESSAGE, context()) == (renamed, summary)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(b'{"type":"error","error":{"type":"api_error","message":"m"}}', "server", id="edge-171"),
        pytest.param(b"<html></html>", "protocol", id="edge-172-html"),
        pytest.param(b"", "protocol", id="edge-172-empty"),
        pytest.param(b'{"content":', "protocol", id="edge-172-truncated"),
    ],
)
def test_a_whole_answer_that_is_none_is_an_upstream_error(body: bytes, fault: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        PROVIDER.pass_reply(body, context())
    assert caught.value.fault == fault


def test_the_other_parts_are_those_of_the_dialect() -> None:
    assert PROVIDER.name == "anthropic"
    assert isinstance(PROVIDER.decoder(context()), MessageDecoder)
    assert isinstance(PROVIDER.tap(context(), strict=True), MessageTap)
    raw = (FIXTURES / "anthropic-text" / "anthropic-text.json").read_bytes()
    assert PROVIDER.decode_reply(raw, context()).stop_reason == "end_turn"
    refused = PROVIDER.decode_error(529, {}, b'{"error":{"type":"overloaded_error","message":"m"}}', context())
    assert refused.type == "overloaded_error"


def test_a_strict_tap_leaves_out_what_is_not_documented() -> None:
    tap = PROVIDER.tap(context(model_asked="claude-used"), strict=True)
    assert tap.feed(
        named({"type": "future"}, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    ) == named({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})


@pytest.mark.parametrize("own", [None, OURS])
def test_a_conversation_that_goes_on_is_passed_on_as_a_new_one(own: Any) -> None:
    """What is known of its beginning changes nothing, wherever thinking of UCR's own comes into it."""
    client = AnthropicClient()
    turns = [user({"type": "text", "text": "w" * 2000})]
    for step in range(5):
        turns += [assistant(*([own] if own and step == 2 else []), TEXT), user(TEXT)]
        raw = json.dumps({**BODY, "messages": turns}).encode()
        for used in (BODY["model"], "claude-opus-5-5-20261001", "deepseek-v4-pro"):
            told, expected = (
                PROVIDER.build_same(one.parse(raw, {}), target(used)) for one in (client, AnthropicClient())
            )
            assert (told.body, told.notes) == (expected.body, expected.notes)
            assert (b"ucr1." in told.body) is False
