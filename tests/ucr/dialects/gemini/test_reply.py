"""Whole answers: the recorded ones, and what is none."""

import json

import pytest

from tests.world.chat_streams import context, written
from tests.world.gemini_cases import cases, chunk, summary
from ucr.dialects.gemini.reply import decode_reply, parsed
from ucr.errors import UpstreamError

WHOLE = [case for case in cases() if not case.is_stream]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.id)
def test_recorded_answers_are_read_as_their_goldens_say(case) -> None:  # type: ignore[no-untyped-def]
    assert summary(case) == json.loads(case.golden.read_bytes())


@pytest.mark.parametrize("name", [pytest.param("edge-153", id="edge-153")])
def test_a_stream_as_an_array_is_one_answer(name: str) -> None:
    body = json.dumps([chunk({"text": "a"}), chunk({"text": "b"}, finish="STOP")]).encode()
    assert written(decode_reply(body, context()))["content"] == [{"text": "ab"}]


@pytest.mark.parametrize(
    ("body", "type_", "words"),
    [
        pytest.param(b"", "api_error", "answered with an empty body", id="empty"),
        pytest.param(b"<html>no</html>", "api_error", "answered what is not JSON: no", id="html"),
        pytest.param(b"[]", "api_error", "answered what is not an answer: []", id="no-chunks"),
        pytest.param(b"[1]", "api_error", "answered what is not an answer: [1]", id="no-object"),
        pytest.param(b'{"a":1}', "api_error", 'answered without an answer: {"a":1}', id="another-object"),
        pytest.param(
            b'[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]',
            "overloaded_error",
            "busy",
            id="edge-169",
        ),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, type_: str, words: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        decode_reply(body, context())
    assert caught.value.type == type_
    assert caught.value.message.removeprefix("provider 'p' ") == words


def test_a_failed_answer_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="MALFORMED_FUNCTION_CALL"):
        decode_reply(json.dumps(chunk(finish="MALFORMED_FUNCTION_CALL")).encode(), context())


def test_a_refused_prompt_is_an_answer() -> None:
    body = b'{"promptFeedback":{"blockReason":"OTHER"}}'
    assert parsed(body, context()) == [{"promptFeedback": {"blockReason": "OTHER"}}]
