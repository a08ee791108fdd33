"""Rewrites of what a provider refused."""

from typing import Any

import pytest

from ucr.remedies import SKIP_SIGNATURE, Remedy, applied, value_at

TOOL = {
    "name": "t",
    "input_schema": {"type": "object", "properties": {"format": {"type": "string", "format": "uri"}}},
}


def changed(remedy: Remedy, body: dict[str, Any], header: str = "") -> dict[str, Any]:
    return applied((remedy,), (body, header))[0][0]


def test_a_value_is_found_through_lists() -> None:
    assert value_at({"a": [{"b": None}, {"b": 3}]}, ("a", "b")) == 3
    assert value_at({"a": 1}, ("a", "b")) is None


@pytest.mark.parametrize(
    "remedy",
    [
        Remedy("drop", ("seed",)),
        Remedy("drop", ("temperature",), 0.5),
        Remedy("rename", ("max_completion_tokens",), "max_tokens"),
        Remedy("cap", ("max_tokens",), 100),
        Remedy("keyword", value="pattern"),
        Remedy("root"),
        Remedy("beta", value="a-1"),
        Remedy("adaptive"),
        Remedy("thoughts"),
    ],
)
def test_what_is_not_there_changes_nothing(remedy: Remedy) -> None:
    part = (
        {"max_tokens": 100, "temperature": 1, "tools": [TOOL], "messages": [{"role": "user", "content": "x"}]},
        "",
    )
    made, notes = applied((remedy,), part)
    assert made is part
    assert notes == ()


def test_a_field_goes_with_its_beta_and_the_fields_of_that() -> None:
    body = {"tools": [{**TOOL, "defer_loading": True, "input_examples": []}]}
    part, notes = applied(
        (Remedy("drop", ("tools", "input_examples")),), (body, "a-1,advanced-tool-use-2025-11-20")
    )
    assert part == ({"tools": [TOOL]}, "a-1")
    assert notes == ("left out tools.input_examples",)


def test_a_value_that_is_refused_is_left_out_alone() -> None:
    remedy = Remedy("drop", ("reasoning_effort",), "minimal")
    assert changed(remedy, {"reasoning_effort": "minimal"}) == {}
    assert changed(remedy, {"reasoning_effort": "high"}) == {"reasoning_effort": "high"}


def test_a_name_is_changed_in_its_place() -> None:
    assert list(changed(Remedy("rename", ("a",), "c"), {"a": 1, "b": 2}).items()) == [("c", 1), ("b", 2)]


def test_a_lower_limit_lowers_the_budget_below_it() -> None:
    body = {"max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 8000}}
    assert changed(Remedy("cap", ("max_tokens",), 4000), body)["thinking"]["budget_tokens"] == 3999
    assert changed(Remedy("cap", ("max_tokens",), 512), body) == {"max_tokens": 512}


def test_a_keyword_goes_and_a_property_of_that_name_stays() -> None:
    for tools in (
        [TOOL],
        [{"type": "function", "function": {"name": "t", "parameters": TOOL["input_schema"]}}],
    ):
        text = str(changed(Remedy("keyword", value="format"), {"tools": tools}))
        assert "'format': {'type': 'string'}" in text
        assert "uri" not in text


def test_choices_at_the_root_of_a_schema_go() -> None:
    schema = {"anyOf": [{"required": ["a"]}], "properties": {"a": {"anyOf": []}}}
    made = changed(Remedy("root"), {"tools": [{"name": "t", "input_schema": schema}]})
    assert made["tools"][0]["input_schema"] == {"type": "object", "properties": {"a": {"anyOf": []}}}


def test_a_beta_goes_with_its_fields() -> None:
    part = ({"context_management": {}}, "a-1, context-management-2025-06-27")
    made, _ = applied((Remedy("beta", value="context-management-2025-06-27"),), part)
    assert made == ({}, "a-1")


def test_thinking_is_made_adaptive() -> None:
    body = {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    assert changed(Remedy("adaptive"), body) == {"thinking": {"type": "adaptive"}}


def test_earlier_thinking_goes_in_every_shape() -> None:
    thought = {"type": "thinking", "thinking": "t", "signature": "s"}
    said = {"type": "text", "text": "a"}
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": [thought, said]}]
    assert changed(Remedy("thoughts"), {"messages": turns})["messages"][1]["content"] == [said]
    items = [{"type": "reasoning", "encrypted_content": "e"}, {"type": "message"}]
    assert changed(Remedy("thoughts"), {"input": items})["input"] == [{"type": "message"}]
    parts = [{"text": "a"}, {"functionCall": {}, "thoughtSignature": "s"}]
    made = changed(Remedy("thoughts"), {"contents": [{"role": "model", "parts": parts}]})
    assert [part.get("thoughtSignature") for part in made["contents"][0]["parts"]] == [None, SKIP_SIGNATURE]
    assert not Remedy("thoughts").is_kept


def test_every_remedy_has_words() -> None:
    assert str(Remedy("cap", ("a", "b"), 3)) == "a.b lowered to 3"
    assert str(Remedy("rename", ("a",), "b")) == "a written as b"
    assert all(str(Remedy(kind)) for kind in ("root", "adaptive", "thoughts"))
