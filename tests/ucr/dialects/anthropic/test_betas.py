"""Betas and their fields: together, or not at all."""

from typing import Any

from ucr.dialects.anthropic import betas

BODY: dict[str, Any] = {
    "model": "m",
    "context_management": {"edits": []},
    "output_config": {"effort": "high", "task_budget": {"tokens": 9}},
    "tools": [{"name": "t", "input_schema": {}, "defer_loading": True, "input_examples": [{}]}],
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        }
    ],
}


def test_a_header_names_betas() -> None:
    assert betas.named(" a-1, b-2 ,,") == ("a-1", "b-2")


def test_what_fits_no_pattern_is_refused() -> None:
    assert betas.refused(("a-1", "b-2"), betas.ALL) == ()
    assert betas.refused(("a-1", "b-2"), ("a-*",)) == ("b-2",)
    assert betas.refused(("a-1",), ()) == ("a-1",)


def test_fields_go_with_their_beta() -> None:
    made = betas.without_fields(BODY, ("context-management-2025-06-27", "advanced-tool-use-2025-11-20"))
    assert "context_management" not in made
    assert made["tools"] == [{"name": "t", "input_schema": {}}]
    assert made["output_config"] == BODY["output_config"]


def test_a_field_stays_for_another_beta_that_brings_it() -> None:
    made = betas.without_fields(BODY, ("compact-2026-01-12",), ("context-management-2025-06-27",))
    assert made is BODY


def test_marks_of_caches_lose_what_the_beta_brings_alone() -> None:
    made = betas.without_fields(BODY, ("extended-cache-ttl-2025-04-11",))
    assert made["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_a_table_that_is_empty_now_goes_too() -> None:
    made = betas.without_fields({"output_config": {"effort": "low"}}, ("effort-2025-11-24",))
    assert made == {}


def test_the_beta_of_a_field_is_found() -> None:
    names = ("effort-2025-11-24", "context-management-2025-06-27")
    assert betas.of_field(("context_management", "edits"), names) == ("context-management-2025-06-27",)
    assert betas.of_field(("temperature",), names) == ()
