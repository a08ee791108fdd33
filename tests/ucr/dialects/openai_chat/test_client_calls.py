import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr import jsontext
from ucr.dialects.openai_chat.client_calls import CallIds, arguments, function_id, tool_uses
from ucr.errors import ApiError


def call(id_: Any = "a", name: Any = "f", arguments: Any = "{}") -> Any:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def uses(message: Any, notes: list[str] | None = None) -> Any:
    return tool_uses(message, "m", CallIds(), [] if notes is None else notes)


def test_calls_become_tool_uses_in_order() -> None:
    message = {"tool_calls": [call("a", "f", '{"x":1}'), call("b", "g", "")]}
    assert uses(message) == [
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    ]


def test_a_custom_call_carries_its_text_as_input() -> None:
    message = {"tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}]}
    assert uses(message) == [{"type": "tool_use", "id": "a", "name": "sql", "input": {"input": "select 1"}}]


def test_the_older_function_call_is_a_call_with_an_id_of_its_function() -> None:
    ids = CallIds()
    (use,) = tool_uses({"function_call": {"name": "f", "arguments": '{"x":1}'}}, "m", ids, [])
    assert use["input"] == {"x": 1}
    assert use["id"] == ids.result(function_id("f"))
    assert re.fullmatch(r"call_[0-9a-f]{24}", use["id"])


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        pytest.param('{"id":12345678901234567890}', {"id": 12345678901234567890}, id="edge-131-big-integer"),
        pytest.param('{"id":-9007199254740993}', {"id": -9007199254740993}, id="edge-131-beyond-a-float"),
        pytest.param('{"name":"Zoë 日本"}', {"name": "Zoë 日本"}, id="edge-131-not-ascii"),
        pytest.param('{"b":1,"a":2}', {"b": 1, "a": 2}, id="edge-131-order"),
        pytest.param('{"a":1,"a":2}', {"a": 2}, id="edge-131-duplicate-keys"),
    ],
)
def test_arguments_come_through_exactly(given_text: str, expected: Any) -> None:
    notes: list[str] = []
    value = arguments(given_text, notes)
    assert value == expected
    assert list(value) == list(expected)
    assert jsontext.dumps(value) == jsontext.dumps(expected)
    assert notes == []


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_no_arguments_are_an_empty_object(nothing: Any) -> None:
    notes: list[str] = []
    assert arguments(nothing, notes) == {}
    assert notes == []


def test_arguments_that_are_an_object_already_are_taken() -> None:
    assert arguments({"x": 1}, []) == {"x": 1}


@pytest.mark.parametrize("broken", ['{"x":', "[1]", "7", "null", '{"x":1e999}', 7, ["x"]])
def test_broken_arguments_are_an_empty_object_and_a_note(broken: Any) -> None:
    notes: list[str] = []
    assert arguments(broken, notes) == {}
    assert notes == ["tool arguments that are not a JSON object were sent as {}"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"tool_calls": {}}, "m.tool_calls: expected an array, not an object"),
        ({"tool_calls": [1]}, "m.tool_calls[0]: expected an object, not 1"),
        ({"tool_calls": [call(id_="")]}, "m.tool_calls[0].id: expected a string that is not empty, not ''"),
        (
            {"tool_calls": [call(name=None)]},
            "m.tool_calls[0].function.name: expected a string that is not empty, not None",
        ),
        (
            {"tool_calls": [{"id": "a", "type": "magic"}]},
            "m.tool_calls[0].type: expected 'function' or 'custom', not 'magic'",
        ),
        ({"function_call": "f"}, "m.function_call: expected an object, not 'f'"),
    ],
)
def test_a_malformed_call_is_refused_at_its_path(message: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        uses(message)
    assert caught.value.message == words


def test_a_valid_id_stays_and_another_becomes_valid() -> None:
    ids = CallIds()
    assert ids.call("toolu_01A-b") == "toolu_01A-b"
    strange = ids.call("functions.Bash:0")
    assert re.fullmatch(r"call_[0-9a-f]{24}", strange)
    assert ids.result("functions.Bash:0") == strange


def test_an_id_used_in_every_turn_is_made_unique_and_results_follow_their_turn() -> None:
    ids = CallIds()
    ids.new_turn()
    first = ids.call("0")
    assert ids.result("0") == first
    ids.new_turn()
    second = ids.call("0")
    assert second != first
    assert ids.result("0") == second


def test_calls_of_one_turn_with_one_id_get_their_results_in_order() -> None:
    ids = CallIds()
    calls = [ids.call("0"), ids.call("0")]
    assert [ids.result("0"), ids.result("0")] == calls


def test_a_result_without_a_call_keeps_its_own_id() -> None:
    assert CallIds().result("lost") == "lost"


@settings(max_examples=60)
@given(st.lists(st.text(min_size=1, max_size=4), max_size=12))
def test_ids_are_always_valid_and_unique(given_ids: list[str]) -> None:
    ids = CallIds()
    made = [ids.call(each) for each in given_ids]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each) for each in made)
