import json
from typing import Any

import pytest

from tests.world.chat import WEATHER, text, user
from tests.world.ollama import built, outgoing, target
from ucr.dialects.ollama.build import build
from ucr.dialects.roles import Canonical, Request, Target
from ucr.errors import ApiError
from ucr.quirks import Quirks

BODY: dict[str, Any] = {"model": "claude-x", "messages": [user("hi")]}
TOOLED = {**BODY, "tools": [WEATHER]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def notes(body: dict[str, Any], **changes: Any) -> tuple[str, ...]:
    return outgoing(body, target(**changes)).notes


@pytest.mark.parametrize("name", [pytest.param("edge-152", id="edge-152")])
def test_whether_to_stream_is_always_said(name: str) -> None:
    plain = built(BODY)
    assert plain == {"model": "llama3.2", "messages": [{"role": "user", "content": "hi"}], "stream": False}
    assert built(BODY, stream=True)["stream"] is True


def test_limits_and_sampling_are_options() -> None:
    body = {**BODY, "max_tokens": 50, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop_sequences": ["END"]}
    assert built(body)["options"] == {
        "num_predict": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 4,
        "stop": ["END"],
    }


def test_tools_are_functions() -> None:
    (tool,) = built(TOOLED)["tools"]
    assert tool["type"] == "function"
    assert tool["function"]["name"] == "get_weather"
    assert tool["function"]["parameters"]["required"] == ["city"]


@pytest.mark.parametrize("schema", [pytest.param({}, id="edge-122"), {"type": "object"}])
def test_a_schema_always_has_properties(schema: dict[str, Any]) -> None:
    (tool,) = built({**BODY, "tools": [{"name": "f", "input_schema": schema}]})["tools"]
    assert tool["function"]["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"type": "auto"}, ()),
        pytest.param({"type": "any"}, ("dropped tool_choice",), id="edge-114"),
        ({"type": "tool", "name": "get_weather"}, ("dropped tool_choice",)),
        ({"type": "auto", "disable_parallel_tool_use": True}, ("dropped disable_parallel_tool_use",)),
    ],
)
def test_the_model_chooses_and_the_client_is_told(choice: dict[str, Any], told: tuple[str, ...]) -> None:
    body = {**TOOLED, "tool_choice": choice}
    assert "tool_choice" not in built(body)
    assert notes(body) == told


def test_no_tools_are_offered_to_who_shall_call_none() -> None:
    assert "tools" not in built({**TOOLED, "tool_choice": {"type": "none"}})


def test_a_wanted_schema_is_the_format() -> None:
    body = {**BODY, "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    assert built(body)["format"] == SCHEMA
    worded = built(body, target(response_format="none"))
    assert "format" not in worded
    assert "JSON Schema" in worded["messages"][0]["content"]


def test_the_model_stays_loaded_as_long_as_configured() -> None:
    assert built(BODY, target(keep_alive="30m"))["keep_alive"] == "30m"


def test_fields_that_a_server_rejects_are_left_out() -> None:
    assert "options" not in built({**BODY, "max_tokens": 5}, target(drop=("options",)))


def test_what_is_not_known_is_told() -> None:
    assert notes({**BODY, "novelty": 1}) == ("dropped novelty",)


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("http://127.0.0.1:11434", "/api/chat"),
        ("https://ollama.com/api", "/chat"),
        ("https://ollama.com/api/", "/chat"),
    ],
)
def test_the_root_of_the_api_is_not_doubled(base_url: str, path: str) -> None:
    assert outgoing(BODY, Target("ollama", "m", base_url, Quirks())).path == path


def test_a_request_that_says_nothing_or_is_too_deep_is_refused() -> None:
    with pytest.raises(ApiError, match="no message has any content"):
        outgoing({"model": "m", "messages": [user(text(" "))]})
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    body = {"messages": [user("hi")], "tools": [{"name": "f", "input_schema": deep}]}
    with pytest.raises(ApiError, match="nested too deeply"):
        build(Canonical(body), Request("anthropic", b"", body, "m", False, {}), target())


def test_headers_ask_for_lines_when_streaming() -> None:
    assert dict(outgoing(BODY, stream=True).headers)["accept"] == "application/x-ndjson"
    assert json.loads(outgoing(BODY).body)["model"] == "llama3.2"
