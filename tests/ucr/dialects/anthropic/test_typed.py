"""What the types accept is right; what they refuse is looked at again, so only the first must never be wrong."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat import CAPTURES, WEATHER, capture, text
from ucr.dialects.anthropic import typed, validate

NAMES = sorted(path.stem for path in CAPTURES.glob("*.json") if path.stem not in ("count-tokens",))
EVERYTHING: dict[str, Any] = {
    "model": "m",
    "max_tokens": 10,
    "system": [text("s")],
    "messages": [
        {"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "tool_use", "id": "a", "name": "n", "input": {"x": 1}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": [text("r")], "is_error": False}],
        },
        {
            "role": "user",
            "content": [{"type": "document", "source": {"type": "text"}, "title": "t", "context": "c"}],
        },
    ],
    "tools": [WEATHER, {"type": "bash_20250124", "name": "bash"}],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema"}},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
    "stream": True,
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 3,
}
VALUES = (
    *(None, True, 0, -1, 5.0, "", "x", [], {}, 10**400, ["x"]),
    *({"type": "text"}, {"type": "tool"}, {"type": "enabled"}, {"type": "disabled", "budget_tokens": None}),
    *({"text": "t"}, {"type": "tool_reference"}, {"type": None}, {"type": "future"}),
)


def places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a value."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path for key in keys for path in [(*before, key), *places(value[key], (*before, key))]]


@pytest.mark.parametrize("name", NAMES)
def test_what_claude_code_sends_needs_no_second_look(name: str) -> None:
    assert typed.is_plain(capture(name))


def test_everything_that_is_usual_needs_no_second_look() -> None:
    assert typed.is_plain(EVERYTHING)


def test_an_answer_needs_an_output_limit_and_a_count_does_not() -> None:
    body = {key: value for key, value in EVERYTHING.items() if key != "max_tokens"}
    assert typed.is_plain(body, is_count=True)
    assert not typed.is_plain(body)


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_what_passes_the_types_passes_the_look_at_every_field(data: st.DataObject) -> None:
    body = deepcopy(EVERYTHING)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(places(body)))
        inner: Any = body
        for step in way:
            inner = inner[step]
        if data.draw(st.booleans()):
            inner[last] = deepcopy(data.draw(st.sampled_from(VALUES)))
        else:
            del inner[last]
    is_count = data.draw(st.booleans())
    if typed.is_plain(body, is_count=is_count):
        validate.check_each(body, is_count=is_count)
