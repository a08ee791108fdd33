from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.conditions import conditions, is_same, pattern_of, place_of, values_at
from ucr.config.rule_model import FieldTest, HeaderTest, Span, When
from ucr.dialects.gemini.client import GeminiClient, called
from ucr.dialects.roles import Request
from ucr.facts import Facts

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
BODY: dict[str, Any] = {
    "max_tokens": 500,
    "temperature": 1,
    "thinking": None,
    "metadata": {"user_id": "team-a-7", "is_test": True},
    "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
    "tools": [{"name": "bash"}, {"name": "web_search"}, 7],
}


def facts(model: str = "claude-haiku-4-5", client: str | None = "ci", body: dict[str, Any] = BODY) -> Facts:
    headers = {"x-team": "research-2", "x-empty": ""}
    return Facts(Request("anthropic", b"{}", body, model, stream=False, headers=headers), client)


def holds(when: When, seen: Facts | None = None, now: datetime = NOON) -> bool:
    asked = seen or facts()
    return all(condition(asked, now.timestamp()) for _, condition in conditions(when))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param(When(), True, id="nothing"),
        pytest.param(When(model=("claude-haiku-*",)), True, id="model"),
        pytest.param(When(model=("claude-haiku",)), False, id="a-pattern-fits-the-whole-name"),
        pytest.param(When(model=("gpt-*", "*haiku*")), True, id="one-of-several"),
        pytest.param(When(dialect=("openai-*",)), False, id="dialect"),
        pytest.param(When(client=("c?",)), True, id="client"),
        pytest.param(When(client=("dev",)), False, id="another-client"),
        pytest.param(When(headers=(HeaderTest("x-team", ("research*",)),)), True, id="header"),
        pytest.param(When(headers=(HeaderTest("x-team", ("a",)),)), False, id="another-value"),
        pytest.param(When(headers=(HeaderTest("x-none", ("*",)),)), False, id="no-header-fits-no-pattern"),
        pytest.param(When(headers=(HeaderTest("x-empty"),)), True, id="header-there"),
        pytest.param(When(headers=(HeaderTest("x-none", exists=False),)), True, id="header-not-there"),
        pytest.param(When(model=("claude-*",), client=("dev",)), False, id="all-of-them-must-hold"),
    ],
)
def test_conditions_on_what_a_request_says_of_itself(when: When, expected: bool) -> None:
    assert holds(when) is expected


def test_the_body_of_a_gemini_client_is_looked_at_in_its_own_words() -> None:
    client = GeminiClient(called("/v1beta/models/m:generateContent", ""))
    raw = b'{"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"topK": 5}}'
    seen = Facts(client.parse(raw, {}))
    assert holds(When(body=(FieldTest(("generationConfig", "topK"), "less", 6),)), seen)
    assert not holds(When(body=(FieldTest(("top_k",), "exists", True),)), seen)


def test_a_model_fits_with_and_without_what_clients_add() -> None:
    assert holds(When(model=("claude-haiku-4-5",)), facts("claude-ucr/claude-haiku-4-5[1m]"))
    assert holds(When(model=("*[[]1m]",)), facts("claude-haiku-4-5[1m]"))


def test_without_clients_no_client_fits() -> None:
    assert not holds(When(client=("*",)), facts(client=None))


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        pytest.param(FieldTest(("metadata", "user_id"), "like", ("team-a*",)), True, id="like"),
        pytest.param(FieldTest(("max_tokens",), "like", ("5*",)), False, id="a-number-is-no-text"),
        pytest.param(FieldTest(("max_tokens",), "equals", 500.0), True, id="equals"),
        pytest.param(FieldTest(("temperature",), "equals", True), False, id="one-is-not-true"),
        pytest.param(FieldTest(("metadata", "is_test"), "equals", True), True, id="true"),
        pytest.param(FieldTest(("metadata",), "equals", {"user_id": "x"}), False, id="another-table"),
        pytest.param(FieldTest(("max_tokens",), "greater", 499.0), True, id="greater"),
        pytest.param(FieldTest(("max_tokens",), "greater", 500.0), False, id="not-greater"),
        pytest.param(FieldTest(("max_tokens",), "less", 500.5), True, id="less"),
        pytest.param(FieldTest(("metadata", "is_test"), "greater", 0.0), False, id="true-is-no-number"),
        pytest.param(FieldTest(("top_k",), "less", 9.0), False, id="what-is-not-there-is-not-less"),
        pytest.param(FieldTest(("tools",), "exists", True), True, id="exists"),
        pytest.param(FieldTest(("thinking",), "exists", True), False, id="null-does-not-exist"),
        pytest.param(FieldTest(("thinking", "type"), "exists", False), True, id="below-null"),
        pytest.param(FieldTest(("messages", "-1", "role"), "equals", "assistant"), True, id="last"),
        pytest.param(FieldTest(("messages", "0", "role"), "equals", "assistant"), False, id="first"),
        pytest.param(FieldTest(("messages", "7", "role"), "exists", False), True, id="beyond"),
        pytest.param(FieldTest(("tools", "name"), "like", ("web_*",)), True, id="any-item"),
        pytest.param(FieldTest(("tools", "name", "x"), "exists", True), False, id="below-a-text"),
    ],
)
def test_conditions_on_fields_of_the_body(test: FieldTest, expected: bool) -> None:
    assert holds(When(body=(test,))) is expected


def test_conditions_on_the_size() -> None:
    size = facts().input_tokens
    assert holds(When(tokens_greater=size - 1, tokens_less=size + 1))
    assert not holds(When(tokens_greater=size))
    assert not holds(When(tokens_less=size))
    assert holds(When(tokens_greater=size - 1))


NIGHT = Span(22 * 60, 6 * 60, (2,))  # begins on Wednesdays


@pytest.mark.parametrize(
    ("span", "moment", "expected"),
    [
        pytest.param(Span(9 * 60, 17 * 60), NOON, True, id="office-hours"),
        pytest.param(Span(9 * 60, 12 * 60), NOON, False, id="the-end-is-not-within"),
        pytest.param(Span(12 * 60), NOON, True, id="the-beginning-is"),
        pytest.param(Span(days=(2,)), NOON, True, id="wednesday"),
        pytest.param(Span(days=(3, 4)), NOON, False, id="another-day"),
        pytest.param(NIGHT, NOON.replace(hour=23), True, id="before-midnight"),
        pytest.param(NIGHT, NOON.replace(day=26, hour=5), True, id="after-midnight-of-the-day-before"),
        pytest.param(NIGHT, NOON.replace(day=25, hour=5), False, id="after-midnight-of-another-day"),
        pytest.param(NIGHT, NOON.replace(day=26, hour=6), False, id="in-the-morning"),
        pytest.param(Span(13 * 60, zone="Europe/Vienna"), NOON, True, id="another-zone"),
        pytest.param(Span(14 * 60, zone="Europe/Vienna"), NOON.replace(month=7), True, id="summer-time"),
    ],
)
def test_conditions_on_the_time(span: Span, moment: datetime, expected: bool) -> None:
    assert holds(When(time=span), now=moment) is expected


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(0, 1439), st.integers(0, 1439))
def test_each_moment_is_within_one_of_two_spans_that_make_a_day(naive: datetime, start: int, end: int) -> None:
    if start == end:
        return
    moment = naive.replace(tzinfo=ZoneInfo("UTC"))
    one, other = (holds(When(time=span), now=moment) for span in (Span(start, end), Span(end, start)))
    assert one is not other


def test_conditions_carry_the_names_that_an_explanation_shows() -> None:
    when = When(
        model=("a",), headers=(HeaderTest("x-a"),), body=(FieldTest(("a", "b"), "exists", True),), tokens_less=5
    )
    assert [name for name, _ in conditions(when)] == ["model", "headers.x-a", "body.a.b", "tokens"]


def test_patterns_hold_what_those_for_file_names_hold() -> None:
    fits = pattern_of(("a[bc]*", "x?"))
    assert [fits(text) for text in ("ab", "acd", "ad", "xy", "x", "line\nab")] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_value_is_the_same_as_itself_and_nothing_is_too_odd_to_look_into(value: Any) -> None:
    assert is_same(value, value)
    assert list(values_at(value, ("a", "0", "b"))) is not None
    assert not is_same([value], [value, value])


def test_places_in_a_list_are_numbers() -> None:
    assert [place_of(text) for text in ("0", "-1", "a", "--1", "9" * 20)] == [0, -1, None, None, None]
