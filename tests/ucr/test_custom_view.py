import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.config.model import Config, ModelTarget, Provider
from ucr.custom_view import (
    BODY_LIMIT_BYTES,
    HEADERS_LIMIT,
    TARGETS_LIMIT,
    VALUE_CHARS,
    Nonsense,
    shown_headers,
    targets_of,
    view_of,
)
from ucr.dialects.roles import Request
from ucr.facts import Facts

CONFIG = Config(
    providers=(
        Provider("a", "anthropic", "http://a.test"),
        Provider("b", "openai-chat", "http://b.test"),
        Provider("off", "openai-chat", "http://c.test", enabled=False),
    )
)
BODY: dict[str, Any] = {
    "max_tokens": 9,
    "tools": [{"name": "x"}],
    "messages": [{"role": "user", "content": "hi"}],
}
HEADERS = {
    "authorization": "Bearer planted-secret",
    "x-api-key": "planted-secret",
    "cookie": "planted-secret",
    "x-session-token": "planted-secret",
    "x-team": "red",
    "x-note": "see sk-abcdefghijklmnop",
}


def facts(raw: bytes | None = None) -> Facts:
    data = json.dumps(BODY).encode() if raw is None else raw
    return Facts(Request("anthropic", data, BODY, "m", True, HEADERS, "s1", "a1"), "ci")


def test_what_is_known_of_a_request_is_shown() -> None:
    view = json.loads(view_of(facts(), with_body=False))
    assert view.pop("input_tokens") > 0
    assert view == {
        "model": "m",
        "dialect": "anthropic",
        "stream": True,
        "client": "ci",
        "session": "s1",
        "agent": "a1",
        "headers": {"x-team": "red", "x-note": "see [redacted]"},
        "output_tokens": 9,
        "has_images": False,
        "tools": 1,
        "body_bytes": len(json.dumps(BODY)),
        "body": None,
    }


def test_the_body_is_shown_where_that_is_wanted_and_it_is_not_too_long() -> None:
    assert json.loads(view_of(facts(), with_body=True))["body"] == BODY
    long = facts(b"[" + b" " * BODY_LIMIT_BYTES + b"]")
    assert json.loads(view_of(long, with_body=True))["body"] is None


@pytest.mark.parametrize("with_body", [False, True])
def test_no_key_is_shown(with_body: bool) -> None:
    view = view_of(facts(), with_body=with_body)
    assert b"planted-secret" not in view
    assert b"sk-abcdef" not in view


def test_what_is_shown_is_bounded() -> None:
    headers = {f"x-{number}": "v" * 5000 for number in range(100)}
    shown = shown_headers(headers)
    assert len(shown) == HEADERS_LIMIT
    assert {len(value) for value in shown.values()} == {VALUE_CHARS}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, ()),
        ("a", (ModelTarget("a"),)),
        ("a/x/y", (ModelTarget("a", "x/y"),)),
        (["b/z", "a"], (ModelTarget("b", "z"), ModelTarget("a"))),
    ],
)
def test_targets_are_read(result: object, expected: object) -> None:
    assert targets_of(result, CONFIG) == expected


@pytest.mark.parametrize(
    "result",
    ["", "off/x", "nobody", 7, True, {}, [], [None], ["a", 7], [["a"]], ["a"] * (TARGETS_LIMIT + 1), "a/"],
)
def test_anything_else_is_nonsense_and_says_what_would_not_be(result: object) -> None:
    with pytest.raises(Nonsense, match=r"it returned .+, \w+|it returned"):
        targets_of(result, CONFIG)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
        max_leaves=5,
    )
)
def test_whatever_is_returned_is_targets_of_the_configuration_or_nonsense(result: object) -> None:
    try:
        targets = targets_of(result, CONFIG)
    except Nonsense as error:
        assert len(str(error)) < 500
    else:
        assert all(target.provider in ("a", "b") for target in targets)
