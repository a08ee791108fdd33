from typing import Any

import pytest

from ucr.dialects.openai_chat import client_shape as shape
from ucr.errors import ApiError


def test_an_error_names_its_path_in_words_and_as_param() -> None:
    error = shape.wrong("messages[3].content", "expected a string", code="missing_required_parameter")
    assert (error.status, error.type) == (400, "invalid_request_error")
    assert error.message == "messages[3].content: expected a string"
    assert (error.param, error.code) == ("messages[3].content", "missing_required_parameter")


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (shape.text, ""),
        (shape.name, "x"),
        (shape.object_, {"a": 1}),
        (shape.array, []),
        (shape.flag, True),
        (shape.number, 0.5),
        (shape.number, 2),
        (shape.count, 1),
    ],
)
def test_a_value_of_the_right_type_comes_back_as_it_is(check: Any, value: Any) -> None:
    assert check(value, "p") is value


@pytest.mark.parametrize(
    ("check", "value", "words"),
    [
        (shape.text, 7, "p: expected a string, not 7"),
        (shape.name, "", "p: expected a string that is not empty, not ''"),
        (shape.object_, [1], "p: expected an object, not an array"),
        (shape.array, {}, "p: expected an array, not an object"),
        (shape.flag, "yes", "p: expected true or false, not 'yes'"),
        (shape.number, True, "p: expected a number, not True"),
        (shape.count, 0, "p: expected a whole number of at least 1, not 0"),
        (shape.count, 1.0, "p: expected a whole number of at least 1, not 1.0"),
        (shape.count, True, "p: expected a whole number of at least 1, not True"),
        (shape.number, None, "p: expected a number, not None"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_words(check: Any, value: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        check(value, "p")
    assert caught.value.message == words


def test_null_is_a_flag_that_is_not_set() -> None:
    assert shape.flag(None, "p") is False


def test_a_long_value_is_shown_cut_off() -> None:
    shown = shape.shown("x" * 500)
    assert len(shown) == 60
    assert shown.endswith("x…")
