import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.config.rule_model import Rewrite, Setting
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.gemini.client import GeminiClient, called
from ucr.dialects.roles import Request
from ucr.errors import ApiError
from ucr.rewriting import rewritten, with_value, without

CLIENT = AnthropicClient()
BODY = {
    "model": "claude-x",
    "max_tokens": 100,
    "temperature": 1,
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [{"name": "a", "input_schema": {}, "x": 1}, {"name": "b", "input_schema": {}}],
}


def request(**changes: Any) -> Request:
    return CLIENT.parse(json.dumps(BODY | changes).encode(), {"x-claude-code-session-id": "s"})


def test_what_is_set_and_removed_is_in_the_bytes_and_told() -> None:
    asked = request()
    rewrite = Rewrite(
        None, (Setting(("max_tokens",), 7), Setting(("thinking", "type"), "disabled")), (("temperature",),)
    )
    made, notes = rewritten(asked, (("cap", rewrite),), CLIENT.parse)
    assert json.loads(made.raw) == made.body
    assert made.body["max_tokens"] == 7
    assert made.body["thinking"] == {"type": "disabled"}
    assert "temperature" not in made.body
    assert (made.model, made.session_id, made.dialect) == (asked.model, asked.session_id, "anthropic")
    assert notes == ("rule cap: set max_tokens", "rule cap: set thinking.type", "rule cap: removed temperature")
    assert asked.body["max_tokens"] == 100


def test_what_is_so_already_is_left_alone() -> None:
    asked = request()
    rewrite = Rewrite(None, (Setting(("max_tokens",), 100),), (("top_k",),))
    made, notes = rewritten(asked, (("cap", rewrite),), CLIENT.parse)
    assert made is asked
    assert notes == ()


def test_another_name_changes_the_note_and_not_the_request() -> None:
    asked = request()
    made, notes = rewritten(asked, (("r", Rewrite("gröq; x")),), CLIENT.parse)
    assert made is asked
    assert notes == ("rule r: routed as gr_q_ x",)


def test_later_rules_see_what_earlier_ones_made() -> None:
    rules = (("a", Rewrite(None, (Setting(("top_k",), 5),))), ("b", Rewrite(removals=(("top_k",),))))
    made, notes = rewritten(request(), rules, CLIENT.parse)
    assert "top_k" not in made.body
    assert notes == ("rule a: set top_k", "rule b: removed top_k")


def test_a_request_that_rules_make_invalid_is_refused_in_their_name() -> None:
    with pytest.raises(ApiError, match="made this request invalid \\(bad\\)") as caught:
        rewritten(request(), (("bad", Rewrite(removals=(("messages",),))),), CLIENT.parse)
    assert (caught.value.status, caught.value.should_retry) == (400, False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "b"), {"a": {"b": 9}, "l": [{"k": 1}, 2]}),
        (("n", "m", "o"), {"a": {"b": 1}, "l": [{"k": 1}, 2], "n": {"m": {"o": 9}}}),
        (("l", "0", "k"), {"a": {"b": 1}, "l": [{"k": 9}, 2]}),
        (("l", "-2", "j"), {"a": {"b": 1}, "l": [{"k": 1, "j": 9}, 2]}),
        (("l", "k"), {"a": {"b": 1}, "l": [{"k": 9}, 2]}),
        (("l", "7", "k"), {"a": {"b": 1}, "l": [{"k": 1}, 2]}),
        (("a", "b", "c"), {"a": {"b": 1}, "l": [{"k": 1}, 2]}),
    ],
)
def test_a_value_is_set_at_a_path(path: tuple[str, ...], expected: object) -> None:
    body = {"a": {"b": 1}, "l": [{"k": 1}, 2]}
    made = with_value(body, path, 9)
    assert made == expected
    assert (made is body) is (made == body)


def test_a_truth_value_is_no_number() -> None:
    assert with_value({"a": 1}, ("a",), True) == {"a": True}
    assert with_value({"a": 1}, ("a",), True)["a"] is True


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a", "b"), {"a": {}, "l": [{"k": 1}, 2]}),
        (("l", "k"), {"a": {"b": 1}, "l": [{}, 2]}),
        (("l", "0"), {"a": {"b": 1}, "l": [{"k": 1}, 2]}),
        (("x", "y"), {"a": {"b": 1}, "l": [{"k": 1}, 2]}),
    ],
)
def test_a_field_is_left_out_at_a_path(path: tuple[str, ...], expected: object) -> None:
    assert without({"a": {"b": 1}, "l": [{"k": 1}, 2]}, path) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
PATHS = st.lists(st.sampled_from(("a", "b", "0", "-1")), min_size=1, max_size=3).map(tuple)


@given(st.dictionaries(st.sampled_from("abc"), JSON), PATHS, JSON)
def test_bodies_are_never_mutated_and_changing_again_changes_nothing(
    body: dict[str, Any], path: tuple[str, ...], wanted: Any
) -> None:
    before = json.dumps(body)
    set_, removed = with_value(body, path, wanted), without(body, path)
    assert json.dumps(body) == before
    assert with_value(set_, path, wanted) is set_
    assert without(removed, path) is removed


def test_a_request_whose_path_says_what_its_body_does_not_is_changed_in_its_own_words() -> None:
    client = GeminiClient(called("/v1beta/models/m:generateContent", ""))
    body = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"topK": 5}}
    asked = client.parse(json.dumps(body).encode(), {})
    rewrite = Rewrite(
        None, (Setting(("generationConfig", "maxOutputTokens"), 7),), (("generationConfig", "topK"),)
    )
    made, _ = rewritten(asked, (("cap", rewrite),), client.parse)
    assert json.loads(made.raw) == body | {"generationConfig": {"maxOutputTokens": 7}}
    assert made.body["max_tokens"] == 7
    assert (made.model, made.beside) == (asked.model, asked.beside)
