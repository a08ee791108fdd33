"""What the events of one answer come to."""

import json
from typing import Any

import pytest

from tests.world.chat_streams import context
from tests.world.responses import (
    END,
    START,
    added,
    calls,
    content,
    decoded,
    done,
    ends,
    event,
    says,
    sse,
    thinks,
    told,
)
from ucr.dialects.openai_responses import assembly
from ucr.events import Failed

SEALED = {"type": "reasoning", "id": "rs", "encrypted_content": "whole", "summary": []}
CALL = added(0, "function_call", call_id="call_abcde", name="f", arguments="")


def use(name: str, id_: str, **given: Any) -> dict[str, Any]:
    return {"tool_use": name, "id": id_, "input": given}


def test_text_comes_as_it_is_said() -> None:
    assert content(added(0, "message"), says(0, "He"), says(0, "y")) == [{"text": "Hey"}]


def test_each_message_is_a_block() -> None:
    answer = content(
        added(0, "message"),
        says(0, "a"),
        done(0, "message"),
        added(2, "message"),
        says(2, "b"),
        done(2, "message"),
    )
    assert answer == [{"text": "a"}, {"text": "b"}]


@pytest.mark.parametrize("number", [pytest.param(40, id="edge-40")])
def test_ids_may_change_as_they_like(number: int) -> None:
    events = [
        added(0, "message", id="a"),
        {**says(0, "x"), "item_id": "b"},
        done(0, "message", id="c", content=[]),
    ]
    assert content(*events) == [{"text": "x"}]


def test_an_index_that_is_missing_is_found_by_the_id() -> None:
    first, second = added(0, "message", id="a"), added(1, "message", id="b")
    late = event("output_item.done", item={"type": "message", "id": "a", "content": [{"text": "A"}]})
    plain = {"type": "response.output_text.delta", "delta": "B", "item_id": "b"}
    assert content(first, late, second, plain) == [{"text": "A"}, {"text": "B"}]


def test_deltas_alone_are_enough() -> None:
    assert content(thinks(0, "hm"), says(1, "x")) == [
        {"thinking": "hm", "provider": "p", "state": {"kind": "reasoning_content"}},
        {"text": "x"},
    ]
    assert content(event("output_text.delta", delta="x")) == [{"text": "x"}]


@pytest.mark.parametrize("number", [pytest.param(41, id="edge-41")])
def test_the_parts_of_a_summary_are_one_block_with_the_state_of_the_end(number: int) -> None:
    begun = added(0, "reasoning", encrypted_content="half")
    whole = event("output_item.done", output_index=0, item=SEALED)
    answer = content(begun, thinks(0, "a"), thinks(0, "b"), thinks(0, "c", 1), whole)
    assert answer == [{"thinking": "ab\n\nc", "provider": "p", "state": {"reasoning_items": [SEALED]}}]


def test_each_reasoning_item_is_a_block() -> None:
    other = {**SEALED, "id": "rs2"}
    events = [
        event("output_item.done", output_index=index, item=item) for index, item in enumerate((SEALED, other))
    ]
    assert [block["state"]["reasoning_items"][0]["id"] for block in content(*events)] == ["rs", "rs2"]


def test_reasoning_in_clear_is_thinking() -> None:
    clear = event("reasoning_text.delta", output_index=0, content_index=0, delta="hm")
    assert content(clear, says(1, "x"))[0]["thinking"] == "hm"


def test_a_client_that_wants_no_thinking_gets_what_its_calls_need() -> None:
    reasoned = [thinks(0, "hm"), event("output_item.done", output_index=0, item=SEALED)]
    assert content(*reasoned, says(1, "x"), thinking_wanted=False) == [{"text": "x"}]
    called = [added(1, "function_call", call_id="call_abcde", name="f"), calls(1, "{}")]
    assert content(*reasoned, *called, thinking_wanted=False) == [
        {"thinking": "", "provider": "p", "state": {"reasoning_items": [SEALED]}},
        use("f", "call_abcde"),
    ]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([calls(0, '{"a"'), calls(0, ":1}")], id="edge-44-deltas"),
        pytest.param(
            [event("function_call_arguments.done", output_index=0, arguments='{"a":1}')], id="edge-44-done"
        ),
        pytest.param(
            [
                calls(0, '{"a":1}'),
                event("function_call_arguments.done", output_index=0, arguments='{"a":1}'),
                done(0, "function_call", call_id="call_abcde", name="f", arguments='{"a":1}'),
            ],
            id="edge-44-all",
        ),
        pytest.param(
            [done(0, "function_call", call_id="call_abcde", name="f", arguments='{"a":1}')], id="edge-44-item"
        ),
    ],
)
def test_arguments_are_said_once(events: list[Any]) -> None:
    assert content(CALL, *events) == [use("f", "call_abcde", a=1)]


def test_a_call_without_arguments_has_an_empty_input() -> None:
    assert content(CALL, done(0, "function_call", call_id="call_abcde", name="f", arguments="")) == [
        use("f", "call_abcde")
    ]


def test_calls_may_be_mixed() -> None:
    second = added(1, "function_call", call_id="call_fghij", name="g")
    mixed = [CALL, second, calls(1, '{"b"'), calls(0, '{"a"'), calls(1, ":2}"), calls(0, ":1}")]
    assert content(*mixed) == [use("f", "call_abcde", a=1), use("g", "call_fghij", b=2)]


@pytest.mark.parametrize("number", [pytest.param(4, id="edge-4")])
def test_the_end_of_a_second_call_is_its_own_when_the_first_has_ended(number: int) -> None:
    first = done(0, "function_call", call_id="call_abcde", name="f", arguments="{}")
    second = added(1, "function_call", call_id="call_fghij", name="g")
    third = added(2, "message")
    end = event("function_call_arguments.done", output_index=1, arguments='{"b":2}')
    assert content(CALL, second, first, third, end, says(2, "x")) == [
        use("f", "call_abcde"),
        use("g", "call_fghij", b=2),
        {"text": "x"},
    ]


@pytest.mark.parametrize("number", [pytest.param(136, id="edge-136")])
def test_a_custom_call_has_its_text_as_input(number: int) -> None:
    begun = added(0, "custom_tool_call", call_id="call_abcde", name="f", input="")
    pieces = [event("custom_tool_call_input.delta", output_index=0, delta=piece) for piece in ('a "', "b")]
    assert content(begun, *pieces) == [use("f", "call_abcde", input='a "b')]


@pytest.mark.parametrize("number", [pytest.param(135, id="edge-135")])
def test_a_call_that_wraps_calls_is_unwrapped(number: int) -> None:
    inner = {"tool_uses": [{"recipient_name": "functions.g", "parameters": {"b": 1}}]}
    begun = added(0, "function_call", call_id="c", name="multi_tool_use.parallel")
    (block,) = content(begun, calls(0, json.dumps(inner)))
    assert (block["tool_use"], block["input"]) == ("g", {"b": 1})


def test_names_are_those_of_the_client() -> None:
    assert content(CALL, calls(0, "{}"), names={"f": "long"})[0]["tool_use"] == "long"


@pytest.mark.parametrize(
    ("events", "status", "fields", "reason"),
    [
        ([says(0, "x")], "completed", {}, "end_turn"),
        ([CALL, calls(0, "{}")], "completed", {}, "tool_use"),
        pytest.param(
            [says(0, "x")],
            "incomplete",
            {"incomplete_details": {"reason": "max_output_tokens"}},
            "max_tokens",
            id="edge-43-length",
        ),
        pytest.param(
            [CALL, calls(0, '{"a"')],
            "incomplete",
            {"incomplete_details": {"reason": "content_filter"}},
            "refusal",
            id="edge-43-filter",
        ),
        ([says(0, "x")], "incomplete", {"incomplete_details": {"reason": "steered"}}, "end_turn"),
        ([event("refusal.delta", output_index=0, delta="No.")], "completed", {}, "refusal"),
        ([event("refusal.done", output_index=0, refusal="No.")], "completed", {}, "refusal"),
        ([done(0, "message", content=[{"type": "refusal", "refusal": "No."}])], "completed", {}, "refusal"),
        ([], "completed", {}, "end_turn"),
    ],
)
def test_why_it_stopped(events: list[Any], status: str, fields: Any, reason: str) -> None:
    assert told(*events, ends(status, **fields))["stop_reason"] == reason


def test_an_answer_that_is_only_in_the_last_event_is_read() -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}]
    assert told(ends(output=output))["content"] == [{"text": "x"}]
    assert told(says(0, "y"), ends(output=output))["content"] == [{"text": "y"}]


def test_missing_usage_is_estimated() -> None:
    assert told(says(0, "twelve chars"), ends(usage=None))["usage"] == {"input_tokens": 7, "output_tokens": 3}


def test_what_runs_at_the_provider_is_left_out() -> None:
    search = {"status": "completed", "action": {"type": "search"}}
    assert content(
        added(0, "web_search_call", **search), done(0, "web_search_call", **search), says(1, "x")
    ) == [{"text": "x"}]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "HELD_LIMIT_CHARS", 10_000)
    begun = added(0, "function_call", call_id="c", name="multi_tool_use.parallel")
    flood = sse(START, begun, *(calls(0, "x" * 100) for _ in range(200)), END)
    (*_, last) = decoded(flood, context())
    assert isinstance(last, Failed)
    assert "more reasoning or tool input" in last.error.message
    empty = sse(START, *(added(index, "message") for index in range(200)), END)
    assert isinstance(decoded(empty, context())[-1], Failed)
    withheld = [event("output_item.done", output_index=index, item=SEALED) for index in range(500)]
    assert isinstance(decoded(sse(START, *withheld, END), context(thinking_wanted=False))[-1], Failed)
