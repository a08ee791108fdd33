"""The conversation as items."""

from typing import Any

import pytest

from tests.world.chat import assistant, call, result, target, text, user
from tests.world.responses import items, outgoing
from ucr.dialects.envelope import seal
from ucr.dialects.openai_responses.items import STATE, state_of
from ucr.errors import ApiError

OPENAI = target("openai", "gpt-5.5")
SEALED = {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA", "summary": []}
PNG = "iVBORw0KGgoAAAANSUhEUg=="


def thinking(*sealed: dict[str, Any], provider: str = "openai") -> dict[str, Any]:
    return {"type": "thinking", "thinking": "hm", "signature": seal(provider, {STATE: list(sealed)})}


def says(role: str, content: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content}


def calls(id_: str, name: str = "get_weather", arguments: str = "{}") -> dict[str, Any]:
    return {"type": "function_call", "call_id": id_, "name": name, "arguments": arguments}


def output(id_: str, content: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id_, "output": content}


def test_what_is_said_keeps_its_order() -> None:
    turns = [
        user("Weather?"),
        assistant(text("I look."), call("c1", city="Rome"), text("And there."), call("c2")),
        user(result("c2", "rain"), result("c1", "sun"), text("Well?")),
    ]
    assert items(turns, OPENAI) == [
        says("user", "Weather?"),
        says("assistant", "I look."),
        calls("c1", arguments='{"city":"Rome"}'),
        says("assistant", "And there."),
        calls("c2"),
        output("c1", "sun"),
        output("c2", "rain"),
        says("user", "Well?"),
    ]


@pytest.mark.parametrize("number", [pytest.param(108, id="edge-108")])
def test_sealed_reasoning_comes_back_in_front_of_its_call(number: int) -> None:
    turns = [user("a"), assistant(thinking(SEALED), call("c1")), user(result("c1", "r"))]
    assert items(turns, OPENAI) == [says("user", "a"), SEALED, calls("c1"), output("c1", "r")]


def test_reasoning_of_others_stays_away() -> None:
    claude = {"type": "thinking", "thinking": "hm", "signature": "EqQB"}
    open_ = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": None}
    for block in (thinking(SEALED, provider="azure"), claude, thinking(open_), thinking()):
        turns = [user("a"), assistant(block, text("b")), user("c")]
        assert items(turns, OPENAI) == [says("user", "a"), says("assistant", "b"), says("user", "c")]


def test_reasoning_that_led_to_nothing_is_left_out() -> None:
    turns = [user("a"), assistant(text("b"), thinking(SEALED)), user("c")]
    assert items(turns, OPENAI) == [says("user", "a"), says("assistant", "b"), says("user", "c")]


@pytest.mark.parametrize("number", [pytest.param(78, id="edge-78")])
def test_a_result_may_hold_an_image(number: int) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    shown = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"}
    turns = [user("a"), assistant(call("c1")), user(result("c1", text("seen"), image))]
    assert items(turns, OPENAI)[-1] == output("c1", [{"type": "input_text", "text": "seen"}, shown])


@pytest.mark.parametrize("number", [pytest.param(92, id="edge-92")])
def test_every_call_is_answered(number: int) -> None:
    sent = outgoing({"messages": [user("a"), assistant(call("c1")), user("stop")]}, OPENAI)
    assert "a tool call without a result was answered with an error" in sent.notes
    assert b"Error: the call was interrupted and has no result" in sent.body


def test_a_failed_call_is_told_as_one() -> None:
    turns = [
        user("a"),
        assistant(call("c1"), call("c2")),
        user(result("c1", "no", is_error=True), result("c2")),
    ]
    assert items(turns, OPENAI)[-2:] == [output("c1", "Error: no"), output("c2", "")]


def test_the_system_prompt_is_instructions_and_later_ones_are_turns() -> None:
    later = {"role": "system", "content": "Be brief."}
    body = {"system": [text("x-anthropic-billing-header: 1"), text("Be kind.")], "messages": [user("a"), later]}
    sent = outgoing(body, OPENAI).body
    assert b'"instructions":"Be kind."' in sent
    assert items([user("a"), later], OPENAI)[-1] == says("developer", "Be brief.")
    reminded = items([user("a"), later], target(mid_system=False))[-1]
    assert reminded == says("user", "<system-reminder>\nBe brief.\n</system-reminder>")


def test_a_prefill_is_dropped_where_it_cannot_be_continued() -> None:
    assert items([user("a"), assistant("Well,")], OPENAI) == [says("user", "a")]
    assert items([user("a"), assistant("Well,")], target())[-1] == says("assistant", "Well,")


def test_a_long_id_is_replaced_on_both_sides() -> None:
    made = items([user("a"), assistant(call("c" * 65)), user(result("c" * 65, "r"))], OPENAI)
    assert made[1]["call_id"] == made[2]["call_id"]
    assert len(made[1]["call_id"]) <= 64


def test_calls_are_told_in_words_where_no_tools_are_known() -> None:
    turns = [user("a"), assistant(text("b"), call("c1")), user(result("c1", "r"))]
    assert items(turns, target(tools=False)) == [
        says("user", "a"),
        says("assistant", "b\n\n[called get_weather with {}]"),
        says("user", "[result of get_weather]\n\nr"),
    ]


def test_nothing_to_say_is_refused() -> None:
    with pytest.raises(ApiError, match="no message has any content"):
        items([user(" ")], OPENAI)


def test_only_sealed_reasoning_has_a_state() -> None:
    assert state_of({"type": "reasoning", "encrypted_content": ""}) is None
    state = state_of({**SEALED, "status": "completed"})
    assert state is not None
    assert state[0] == SEALED
    assert state[1] > 60


MARK = {"type": "ephemeral"}
BREAKPOINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}
NEWEST = target("openai", "gpt-5.6")


def part(words: str, **fields: Any) -> dict[str, Any]:
    return {"type": "input_text", "text": words, **fields}


def test_cache_breakpoints_are_kept_where_the_model_takes_them() -> None:
    system = [text("s"), text("t", cache_control=MARK)]
    turns = [
        user("a"),
        assistant(text("b", cache_control=MARK), call("c1")),
        user(result("c1", "seen", cache_control=MARK), text("x"), text("y", cache_control=MARK)),
    ]
    assert items(turns, NEWEST, system=system) == [
        says("developer", [part("s"), part("t", **BREAKPOINT)]),
        says("user", [part("a")]),
        says("assistant", "b"),
        calls("c1"),
        output("c1", [part("seen", **BREAKPOINT)]),
        says("user", [part("x"), part("y", **BREAKPOINT)]),
    ]


def test_what_is_cached_stays_the_same_when_the_marks_move_on() -> None:
    system = [text("s", cache_control=MARK)]
    before = items([user(text("a"), text("b", cache_control=MARK))], NEWEST, system=system)
    later = items([user(text("a"), text("b")), assistant(text("c")), user("d")], NEWEST, system=system)
    assert [[word["text"] for word in item["content"]] for item in later[:2]] == [["s"], ["a", "b"]]
    assert later[0] == before[0]


def test_breakpoints_are_left_out_where_no_prompt_is_marked_or_the_model_takes_none() -> None:
    turns, system = [user(text("a", cache_control=MARK))], [text("s", cache_control=MARK)]
    assert items(turns, NEWEST) == [says("user", "a")]
    for other in (OPENAI, target("azure", "gpt-5.6"), target()):
        assert items(turns, other, system=system) == [says("user", "a")]


def test_the_words_for_a_schema_stand_behind_the_prompt() -> None:
    to = target("openai", "gpt-5.6", response_format="none")
    form = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    found = items([user("a")], to, system=[text("s", cache_control=MARK)], output_config=form)
    (first, second) = found[0]["content"]
    assert first == part("s", **BREAKPOINT)
    assert second["text"].startswith("Answer with one JSON object")
