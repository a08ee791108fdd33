import json

import pytest

from tests.world.ollama import validator
from ucr.dialects.ollama.client_words import Words, call, ending
from ucr.events import Usage


def test_a_line_is_what_ollama_writes() -> None:
    value = json.loads(Words("m", 1767225600.9, generates=False).line("a", thinking="t"))
    assert value == {
        "model": "m",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": "a", "thinking": "t"},
        "done": False,
    }
    validator("response").validate(value)


def test_what_is_generated_is_a_response() -> None:
    words = Words("m", 0, generates=True)
    value = json.loads(words.line("a", thinking="t", calls=[call("c", "f", "{}", 0)], done_reason="stop"))
    assert {key: value[key] for key in value if key not in ("model", "created_at")} == {
        "response": "a",
        "thinking": "t",
        "done": True,
        "done_reason": "stop",
    }


@pytest.mark.parametrize(
    ("reason", "usage", "expected"),
    [
        ("end_turn", Usage(), {"done_reason": "stop"}),
        ("tool_use", Usage(1, 2, 3, 4), {"done_reason": "stop", "prompt_eval_count": 8, "eval_count": 2}),
        ("max_tokens", Usage(None, 0), {"done_reason": "length", "eval_count": 0}),
    ],
)
def test_the_end_has_the_reason_and_the_counters_that_are_known(
    reason: str, usage: Usage, expected: object
) -> None:
    assert ending(reason, usage) == expected  # type: ignore[arg-type]


def test_arguments_are_an_object_whatever_they_came_as() -> None:
    assert call("c", "f", '{"a": 1}', 2)["function"] == {"index": 2, "name": "f", "arguments": {"a": 1}}
    assert isinstance(call("c", "f", '{"a', 0)["function"]["arguments"], dict)
