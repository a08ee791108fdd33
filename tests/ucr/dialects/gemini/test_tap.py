"""Streams and answers that pass through."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat_streams import context
from tests.world.gemini_cases import calling, cases, chunk, sse
from ucr.dialects.gemini.tap import GeminiTap, pass_reply
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Usage
from ucr.quirks import Quirks

STREAMS = [case for case in cases() if case.is_stream]
COUNTED = {"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3}}
BODY = sse(chunk({"text": "a"}), chunk({"text": "b"}, finish="STOP", **COUNTED))


def same() -> Context:
    return Context("google", "used", "used", True, Quirks())


def passed(body: bytes, about: Context, *cuts: int) -> tuple[bytes, GeminiTap]:
    tap = GeminiTap(about)
    out = b""
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        out += tap.feed(body[start:end])
    return out + tap.close(), tap


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.id)
def test_recorded_streams_pass_untouched(case) -> None:  # type: ignore[no-untyped-def]
    out, tap = passed(case.body, same())
    assert out == case.body
    assert tap.is_finished
    assert tap.failure is None
    assert tap.summary.stop_reason in ("end_turn", "tool_use")
    assert tap.summary.usage.output_tokens


@given(st.lists(st.integers(0, len(BODY)), max_size=5))
def test_any_split_gives_the_same_bytes(cuts: list[int]) -> None:
    out, tap = passed(BODY, context(), *sorted(cuts))
    assert out == passed(BODY, context())[0]
    assert tap.summary.usage == Usage(9, 3)


def test_the_model_is_called_as_it_was_asked_for() -> None:
    out, _ = passed(BODY, context())
    events = [json.loads(line[6:]) for line in out.split(b"\n") if line]
    assert {event["modelVersion"] for event in events} == {"claude-asked"}
    assert events[0]["candidates"][0]["content"]["parts"] == [{"text": "a"}]


def test_nothing_but_the_name_of_the_model_is_changed() -> None:
    whole = json.dumps(chunk({"text": "é"}, finish="STOP", args=1.50), indent=2).encode()
    named = whole.replace(b'"used"', b'"claude-asked"')
    assert pass_reply(whole, context())[0] == named
    line = b"data: " + json.dumps(json.loads(whole)).encode() + b"\r\n\r\n"
    assert passed(line, context())[0] == line.replace(b'"used"', b'"claude-asked"')


def test_nothing_goes_out_before_there_is_content() -> None:
    tap = GeminiTap(same())
    assert tap.feed(sse({"usageMetadata": {"promptTokenCount": 9}})) == b""
    assert not tap.is_committed
    assert tap.open_early("msg_1") == b""
    assert tap.feed(BODY).endswith(BODY)
    assert tap.is_committed


def test_calls_and_blocked_prompts_have_their_reasons() -> None:
    assert passed(sse(chunk(calling("f")), chunk(finish="STOP")), same())[1].summary.stop_reason == "tool_use"
    _, tap = passed(sse({"promptFeedback": {"blockReason": "SAFETY"}}), same())
    assert (tap.summary.stop_reason, tap.is_finished) == ("refusal", True)


def test_an_error_passes_in_the_providers_words() -> None:
    wrong = sse({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})
    out, tap = passed(sse(chunk({"text": "a"})) + wrong, same())
    assert out.endswith(wrong)
    assert tap.failure is not None
    assert tap.failure.type == "overloaded_error"


def test_a_stream_that_is_cut_off_ends_in_an_error_of_googles_shape() -> None:
    out, tap = passed(sse(chunk({"text": "a"})), same())
    last = json.loads(out.strip().rsplit(b"data: ", 1)[1])
    assert last["error"]["status"] == "INTERNAL"
    assert tap.failure is not None


def whole(**more: Any) -> bytes:
    return json.dumps(chunk({"text": "a"}, finish="STOP", **COUNTED, **more)).encode()


def test_a_whole_answer_passes_and_is_read() -> None:
    body, summary = pass_reply(whole(), same())
    assert body == whole()
    assert (summary.usage, summary.stop_reason) == (Usage(9, 3), "end_turn")
    named, _ = pass_reply(whole(), context())
    assert json.loads(named) == {**json.loads(whole()), "modelVersion": "claude-asked"}


def test_an_answer_that_names_no_model_gets_no_name() -> None:
    body = b'{"candidates":[{"finishReason":"MALFORMED_RESPONSE"}]}'
    passed_on, summary = pass_reply(body, context())
    assert (passed_on, summary.stop_reason) == (body, "MALFORMED_RESPONSE")


def test_a_whole_answer_that_is_an_error_is_raised() -> None:
    with pytest.raises(UpstreamError, match="busy"):
        pass_reply(b'{"error":{"code":503,"message":"busy"}}', same())


@pytest.mark.parametrize("comment", [b": ping\n\n", b":\r\n\r\n"])
def test_comments_are_left_out(comment: bytes) -> None:
    first, second, _ = BODY.split(b"\n\n")
    body = comment + first + b"\n\n" + comment + second + b"\n\n" + comment
    assert passed(body, same())[0] == BODY
