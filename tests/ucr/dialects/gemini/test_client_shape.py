"""Fields in both spellings."""

import pytest

from ucr.dialects.gemini.client_shape import field, known, snake


@pytest.mark.parametrize(
    ("name", "other"),
    [("systemInstruction", "system_instruction"), ("topP", "top_p"), ("contents", "contents")],
)
def test_a_field_is_found_in_either_spelling(name: str, other: str) -> None:
    assert snake(name) == other
    assert field({name: 1}, name) == field({other: 1}, name) == 1
    assert field({}, name) is None


def test_what_is_not_known_and_says_something_is_named() -> None:
    body = {"topP": 1, "top_k": 2, "seed": 3, "logprobs": None, "labels": {}, "audioTimestamp": False}
    assert known(body, frozenset({"topP", "topK"})) == ["audioTimestamp", "seed"]
