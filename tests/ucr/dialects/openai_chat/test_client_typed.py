"""What the types accept is right; what they refuse is looked at again, so only the first must never be wrong."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.dialects.openai_chat import client_typed
from ucr.dialects.openai_chat.client_request import check_each

GOOD: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "q"}]}
VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        "",
        "x",
        [],
        {},
        ["x"],
        [{}],
        [{"role": "r"}],
        [{"role": ""}],
        [{"role": "r", "content": 5}],
        [{"role": "r", "content": [{"type": "text"}]}],
        [{"role": "r", "content": ["x"]}],
        [{"content": "x"}],
        {"include_usage": True},
        {"include_usage": "yes"},
        {"include_usage": None},
    ]
)
FIELDS = ("model", "messages", "stream", "stream_options", "other")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"stream": None, "stream_options": None, "future": [1]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "future"}]}]},
    ],
)
def test_what_clients_send_needs_no_second_look(more: dict[str, Any]) -> None:
    assert client_typed.is_plain({**GOOD, **more})


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_what_passes_the_types_passes_the_look_at_every_field(changes: dict[str, Any]) -> None:
    for body in ({**GOOD, **changes}, changes):
        if client_typed.is_plain(body):
            check_each(body)


def test_what_is_no_object_does_not_pass() -> None:
    assert not client_typed.is_plain([GOOD])
