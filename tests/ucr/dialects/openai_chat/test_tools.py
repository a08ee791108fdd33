from typing import Any

import pytest

from tests.world.chat import WEATHER, assistant, built, call, outgoing, result, target, text, user

FUNCTION = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather.",
        "parameters": WEATHER["input_schema"],
    },
}


def sent(provider: str = "openai", model: str = "gpt-4o", **fields: Any) -> dict[str, Any]:
    return built({"messages": [user("hi")], **fields}, target(provider, model))


def test_a_tool_becomes_a_function_without_what_is_anthropics() -> None:
    more = {
        "eager_input_streaming": True,
        "input_examples": [{}],
        "allowed_callers": ["direct"],
        "type": "custom",
    }
    assert sent(tools=[WEATHER | more])["tools"] == [FUNCTION]


@pytest.mark.parametrize(
    ("choice", "provider", "written"),
    [
        ({"type": "auto"}, "openai", "auto"),
        pytest.param({"type": "any"}, "openai", "required", id="edge-114"),
        pytest.param({"type": "any"}, "groq", "required", id="edge-114-groq"),
        pytest.param({"type": "any"}, "mistral", "any", id="edge-114-mistral"),
        pytest.param(
            {"type": "tool", "name": "get_weather"},
            "openai",
            {"type": "function", "function": {"name": "get_weather"}},
            id="edge-115",
        ),
        pytest.param({"type": "none"}, "openai", "none", id="edge-116"),
        ({"type": "later"}, "openai", "auto"),
    ],
)
def test_every_tool_choice_has_its_word(choice: Any, provider: str, written: Any) -> None:
    assert sent(provider, "m", tools=[WEATHER], tool_choice=choice)["tool_choice"] == written


def test_without_a_choice_none_is_sent() -> None:
    assert "tool_choice" not in sent(tools=[WEATHER])


def test_a_choice_of_a_tool_that_is_not_offered_is_left_to_the_model() -> None:
    body = {"messages": [user("hi")], "tools": [WEATHER], "tool_choice": {"type": "tool", "name": "x y"}}
    out = outgoing(body)
    assert b'"tool_choice":"auto"' in out.body
    assert out.notes == ("tool choice x_y is not offered: the model chooses",)


@pytest.mark.parametrize("kind", ["auto", "any", "tool"])
def test_one_call_at_a_time_is_asked_for_where_that_is_possible(kind: str) -> None:
    choice = {"type": kind, "name": "get_weather", "disable_parallel_tool_use": True}
    body = {"messages": [user("hi")], "tools": [WEATHER], "tool_choice": choice}
    assert built(body, target("openai", "gpt-4o"))["parallel_tool_calls"] is False
    out = outgoing(body, target("deepseek", "m"))
    assert b"parallel_tool_calls" not in out.body
    assert out.notes == ("dropped disable_parallel_tool_use",)


@pytest.mark.parametrize("tools", [pytest.param([], id="edge-118"), None, "x", [None, {}, {"name": ""}]])
def test_without_tools_nothing_is_said_of_them(tools: Any) -> None:
    body = sent(tools=tools, tool_choice={"type": "any", "disable_parallel_tool_use": True})
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)


@pytest.mark.parametrize(
    "type_", [pytest.param("web_search_20250305", id="edge-128"), "code_execution_20250825"]
)
def test_a_tool_of_anthropics_servers_is_dropped_with_a_note(type_: str) -> None:
    body = {"messages": [user("hi")], "tools": [{"type": type_, "name": "srv"}], "tool_choice": {"type": "any"}}
    out = outgoing(body)
    assert b"tool" not in out.body
    assert out.notes == ("dropped tool_srv",)


@pytest.mark.parametrize("schema", [pytest.param({}, id="edge-122"), None, {"properties": None}])
def test_a_tool_without_a_schema_takes_no_arguments(schema: Any) -> None:
    function = sent(tools=[{"name": "f", "input_schema": schema, "description": ""}])["tools"][0]["function"]
    assert function == {"name": "f", "parameters": {"type": "object", "properties": {}}}


@pytest.mark.parametrize("strict", [pytest.param(True, id="edge-126")])
def test_a_tool_is_strict_only_if_its_schema_is(strict: bool) -> None:
    schema = {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}
    good = {"name": "good", "input_schema": schema, "strict": strict}
    loose = {"name": "loose", "input_schema": {**schema, "required": []}, "strict": strict}
    out = outgoing({"messages": [user("hi")], "tools": [good, loose]}, target("openai", "gpt-4o"))
    functions = built({"messages": [user("hi")], "tools": [good, loose]}, target("openai", "gpt-4o"))["tools"]
    assert [tool["function"]["strict"] for tool in functions] == [True, False]
    assert out.notes == ("not strict: loose",)
    assert "strict" not in sent("deepseek", "m", tools=[good])["tools"][0]["function"]


@pytest.mark.parametrize("model", [pytest.param("anthropic/claude-sonnet-4.5", id="edge-130")])
def test_cache_marks_of_tools_reach_claude_behind_openrouter_only(model: str) -> None:
    tool = WEATHER | {"cache_control": {"type": "ephemeral"}}
    assert sent("openrouter", model, tools=[tool])["tools"] == [
        {**FUNCTION, "cache_control": {"type": "ephemeral"}}
    ]
    assert sent("groq", "m", tools=[tool])["tools"] == [FUNCTION]


def test_deferred_tools_are_offered_but_their_placeholder_is_not() -> None:
    deferred = WEATHER | {"defer_loading": True}
    placeholder = {"name": "DeferredToolPlaceholder", "defer_loading": True, "input_schema": {}}
    assert sent(tools=[deferred, placeholder])["tools"] == [FUNCTION]


def test_a_repeated_name_counts_once_and_too_many_tools_are_cut_with_a_note() -> None:
    tools = [{"name": f"f{n % 130}", "input_schema": {}} for n in range(200)]
    out = outgoing({"messages": [user("hi")], "tools": tools}, target("openai", "gpt-4o"))
    assert out.body.count(b'"type":"function"') == 128
    assert out.notes == ("dropped 2 tools beyond the first 128",)
    assert len(sent("ollama", "m", tools=tools)["tools"]) == 130


def test_history_with_calls_needs_no_tools() -> None:
    turns = [user("go"), assistant(text("x"), call("t1")), user(result("t1", "ok"))]
    body = built({"messages": turns})
    assert "tools" not in body
    assert len(body["messages"]) == 3
