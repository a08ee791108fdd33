"""Server tools as functions in a canonical request."""

from typing import Any

import pytest

from ucr.bridges.asked import RESPONSES_SEARCH, Asked
from ucr.bridges.offer import argument_of, ended, freed, offered, with_searches, without_searches

SEARCH = Asked("web_search", "web_search_20250305", "web_search", None, ("a.test",))
FETCH = Asked("web_fetch", "web_fetch_20250910", "web_fetch", None, (), ("b.test",))
READ: dict[str, Any] = {"name": "read", "input_schema": {"type": "object"}}
BODY: dict[str, Any] = {"messages": [], "tools": [{"type": "web_search_20250305", "name": "web_search"}, READ]}


def test_a_tool_becomes_a_function_with_one_argument() -> None:
    tools = offered(BODY, (SEARCH, FETCH))["tools"]
    assert [tool["name"] for tool in tools] == ["read", "web_search", "web_fetch"]
    assert all("type" not in tool for tool in tools)
    assert [tool["input_schema"]["required"] for tool in tools[1:]] == [["query"], ["url"]]
    assert "a.test" in tools[1]["description"]
    assert "b.test" in tools[2]["description"]
    assert argument_of("web_fetch") == "url"
    assert BODY["tools"][0] == {"type": "web_search_20250305", "name": "web_search"}


def test_a_model_is_not_made_to_call_a_tool_twice() -> None:
    body = {"tool_choice": {"type": "tool", "name": "web_search", "disable_parallel_tool_use": True}}
    assert freed(body) == {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert freed({"tool_choice": {"type": "none"}}) == {"tool_choice": {"type": "none"}}
    assert freed({}) == {}


def test_in_the_end_the_tools_are_there_no_more() -> None:
    assert ended(offered(BODY, (SEARCH,)), (SEARCH,))["tools"] == [READ]
    alone = offered({"tools": []}, (SEARCH,))
    assert ended(alone, (SEARCH,)) == {**alone, "tool_choice": {"type": "none"}}


def test_the_search_of_a_responses_client_is_put_into_its_translation() -> None:
    tools = [
        {"type": "web_search", "filters": {"allowed_domains": ["a.test"]}},
        {"type": "function", "name": "read"},
    ]
    made = with_searches({"tools": [READ]}, {"tools": tools}, RESPONSES_SEARCH)
    assert made["tools"] == [READ, {**RESPONSES_SEARCH, "allowed_domains": ["a.test"]}]
    assert with_searches({"tools": [READ]}, {"tools": [READ]}, RESPONSES_SEARCH) == {"tools": [READ]}


@pytest.mark.parametrize(
    ("choice", "others", "made"),
    [
        ({"type": "web_search"}, {"tools": [READ]}, {"type": "tool", "name": "web_search"}),
        ("required", {}, {"type": "any"}),
        ("none", {}, {"type": "none"}),
        ("required", {"tools": [READ], "tool_choice": {"type": "any"}}, {"type": "any"}),
        ("auto", {}, None),
        (None, {}, None),
    ],
)
def test_the_choice_of_the_search_is_kept(choice: Any, others: dict[str, Any], made: Any) -> None:
    given = {"tools": [{"type": "web_search"}], "tool_choice": choice}
    assert with_searches(others, given, RESPONSES_SEARCH).get("tool_choice") == made


def test_calls_stay_one_after_another() -> None:
    others = {"tools": [READ], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    given = {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}
    made = with_searches(others, given, RESPONSES_SEARCH)["tool_choice"]
    assert made == {"type": "tool", "name": "web_search", "disable_parallel_tool_use": True}


def test_a_responses_request_is_translated_without_what_the_router_runs() -> None:
    function, search = {"type": "function", "name": "read"}, {"type": "web_search_preview"}
    assert without_searches({"tools": [search], "tool_choice": "required"}) == {
        "tools": [],
        "tool_choice": "auto",
    }
    both = {"tools": [search, function], "tool_choice": {"type": "web_search_preview"}}
    assert without_searches(both) == {"tools": [function], "tool_choice": "auto"}
    assert without_searches({**both, "tool_choice": "required"})["tool_choice"] == "required"
    own = {"tools": [search, {"type": "function", "name": "web_search"}]}
    assert without_searches(own) is own
