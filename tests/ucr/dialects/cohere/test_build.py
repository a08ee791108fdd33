"""Requests: the recorded ones, what is worded otherwise than in chat completions, and what is told instead."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.world.chat import CAPTURES, TESTS, WEATHER, assistant, call, capture, result, said, text, user
from tests.world.cohere import built, outgoing, target

RECORDED = TESTS / "fixtures" / "cohere"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
REASONING = target("command-a-reasoning-08-2025")


def recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((RECORDED / name).read_bytes())
    return body


def test_a_recorded_conversation_is_what_would_have_been_sent() -> None:
    sent = recorded("tool-choice-auto/02.request.json")
    id_ = sent["messages"][1]["tool_calls"][0]["id"]
    turns = [
        user("What's the weather in Paris?"),
        assistant(call(id_, city="Paris")),
        user(result(id_, "Sunny, 22C in Paris")),
    ]
    tool = {
        "name": "get_weather",
        "description": "Get the current weather for a city.",
        "input_schema": sent["tools"][0]["function"]["parameters"],
    }
    assert built({"messages": turns, "tools": [tool]}, target(sent["model"])) == sent


def test_a_recorded_choice_is_what_would_have_been_sent() -> None:
    sent = recorded("tool-choice-required/01.request.json")
    function = sent["tools"][0]["function"]
    tool = {**WEATHER, "description": function["description"], "input_schema": function["parameters"]}
    body = {"messages": [user("What's the weather in Paris?")], "tools": [tool], "tool_choice": {"type": "any"}}
    assert built(body, target(sent["model"])) == sent


def test_what_is_said_beside_calls_is_the_plan() -> None:
    turns = [user("hi"), assistant(text("I look."), call("c1", city="x")), user(result("c1", "ok"))]
    assert built({"messages": turns, "tools": [WEATHER]})["messages"][1] == {
        "role": "assistant",
        "tool_calls": [said("c1", arguments='{"city":"x"}')],
        "tool_plan": "I look.",
    }


def test_a_failed_call_and_a_missing_result_are_told() -> None:
    turns = [
        user("hi"),
        assistant(call("c1"), call("c2")),
        user(result("c1", "boom", is_error=True)),
    ]
    sent = outgoing({"messages": turns, "tools": [WEATHER]})
    answers = [turn["content"] for turn in json.loads(sent.body)["messages"][2:]]
    assert answers == ["Error: boom", "Error: the call was interrupted and has no result"]
    assert sent.notes == ("a tool call without a result was answered with an error",)


def test_the_system_prompt_stands_first_and_later_ones_are_the_users() -> None:
    turns = [user("hi"), assistant("yes"), {"role": "system", "content": "new rule"}, user("go")]
    sent = built({"system": "be kind", "messages": turns})["messages"]
    assert sent[0] == {"role": "system", "content": "be kind"}
    assert [turn["role"] for turn in sent] == ["system", "user", "assistant", "user", "user"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"temperature": 0.2}, {"temperature": 0.2}),
        ({"top_p": 1.0}, {"p": 0.99}),
        ({"top_p": 0.0}, {"p": 0.01}),
        ({"top_k": 40}, {"k": 40}),
        ({"top_k": 1000}, {"k": 500}),
        ({"stop_sequences": ["a", "b", "c", "d", "e"]}, {"stop_sequences": ["a", "b", "c", "d", "e"]}),
    ],
)
def test_sampling_has_other_names_and_bounds(given: dict[str, Any], sent: dict[str, Any]) -> None:
    body = built({"messages": [user("hi")], **given})
    known = {"temperature", "p", "k", "stop_sequences", "top_p", "top_k", "stop"}
    assert {key: body[key] for key in body.keys() & known} == sent


def test_a_sixth_stop_sequence_is_dropped() -> None:
    sent = outgoing({"messages": [user("hi")], "stop_sequences": list("abcdef")})
    assert json.loads(sent.body)["stop_sequences"] == list("abcde")
    assert sent.notes == ("dropped 1 of 6 stop sequences",)


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({}, None),
        ({"output_config": {"effort": "high"}}, None),
        ({"thinking": {"type": "disabled"}}, {"type": "disabled"}),
        ({"thinking": {"type": "adaptive"}}, {"type": "enabled"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"type": "enabled", "token_budget": 2048}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 1000},
            {"type": "enabled", "token_budget": 999},
        ),
    ],
)
def test_a_model_that_thinks_is_told_how_much(fields: dict[str, Any], thinking: Any) -> None:
    ask = {"messages": [user("hi")], **fields}
    assert built(ask, REASONING).get("thinking") == thinking
    assert "thinking" not in built(ask)


def test_a_schema_of_the_answer_is_asked_for_and_beside_tools_told_in_words() -> None:
    ask = {"messages": [user("hi")], "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    assert built(ask)["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    told = built({**ask, "tools": [WEATHER]})
    assert "response_format" not in told
    assert json.dumps(SCHEMA, separators=(",", ":")) in told["messages"][0]["content"]


def test_an_image_goes_to_models_that_see_and_to_no_others() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    ask = {"messages": [user(text("see"), image)]}
    parts = built(ask, target("command-a-vision-07-2025"))["messages"][0]["content"]
    assert parts[1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    with pytest.raises(Exception, match="image"):
        built(ask)


def test_the_path_names_the_version_once() -> None:
    ask = {"messages": [user("hi")]}
    assert outgoing(ask).path == "/v2/chat"
    assert outgoing(ask, replace(target(), base_url="https://api.cohere.com/v2/")).path == "/chat"


@pytest.mark.parametrize(("stream", "accept"), [(False, "application/json"), (True, "text/event-stream")])
def test_a_stream_is_asked_for_in_body_and_head(stream: bool, accept: str) -> None:
    sent = outgoing({"messages": [user("hi")], "max_tokens": 9}, stream=stream)
    body = json.loads(sent.body)
    assert (body["stream"], body["max_tokens"], dict(sent.headers)["accept"]) == (stream, 9, accept)


def test_fields_that_are_configured_to_be_dropped_stay_away() -> None:
    assert "temperature" not in built(
        {"messages": [user("hi")], "temperature": 1}, target(drop=("temperature",))
    )


def test_nesting_that_is_too_deep_is_refused() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(Exception, match="nested too deeply"):
        built({"messages": [user("hi"), assistant(call("c1", x=deep)), user(result("c1", "ok"))]})


@pytest.mark.parametrize("name", sorted(path.stem for path in CAPTURES.glob("*.json")))
def test_what_claude_code_sends_can_be_said(name: str) -> None:
    body = capture(name)
    if "messages" not in body:
        pytest.skip("no question")
    sent = built(body, target("command-a-vision-07-2025"))
    assert sent["messages"]
    assert all(None not in message.values() for message in sent["messages"])
