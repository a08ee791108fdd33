import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat_streams import written
from tests.world.replicate import about, prediction
from ucr.dialects.replicate.reply import decode_reply, output_of
from ucr.errors import UpstreamError


def read(**fields: Any) -> dict[str, Any]:
    return written(decode_reply(json.dumps(prediction(**fields)).encode(), about()))


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("hello", "hello"),
        (["hel", "lo"], "hello"),
        ({"text": "a"}, '{"text":"a"}'),
        ([{"a": 1}, "b"], '{"a":1}b'),
    ],
)
def test_an_output_is_text(output: Any, text: str) -> None:
    found = read(output=output)
    assert found["content"] == [{"text": text}]
    assert (found["stop_reason"], found["id"]) == ("end_turn", "msg_rrr4z55ocneqzikepnug6xezpe")
    assert found["usage"] == {"input_tokens": 20, "output_tokens": 5}


def test_an_output_may_be_missing_and_counters_too() -> None:
    assert read(output=None)["content"] == []
    assert read(output="a" * 12, metrics=None)["usage"] == {"input_tokens": 7, "output_tokens": 3}


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ("failed", "CUDA out of memory", "CUDA out of memory"),
        ("canceled", None, "the prediction is 'canceled'"),
        ("processing", None, "the prediction is 'processing'"),
    ],
)
def test_a_prediction_that_did_not_succeed_is_an_error(status: str, error: str | None, words: str) -> None:
    with pytest.raises(UpstreamError, match=words) as failed:
        read(status=status, error=error)
    assert failed.value.type == "api_error"


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@given(VALUES, VALUES)
def test_nothing_but_our_own_errors_come_out(output: Any, metrics: Any) -> None:
    assert read(output=output, metrics=metrics)["stop_reason"] == "end_turn"
    assert isinstance(output_of(output), str)
