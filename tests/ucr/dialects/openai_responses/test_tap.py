"""Streams and answers that pass through."""

import json
from typing import Any

import pytest

from tests.world.anthropic_streams import context, pieces
from tests.world.responses import START, added, done, ends, event, says, sse, thinks
from ucr.dialects.openai_responses.tap import ResponsesTap, pass_reply, stop_reason
from ucr.dialects.roles import Summary
from ucr.errors import UpstreamError
from ucr.events import Usage

COUNTERS = {"input_tokens": 20, "input_tokens_details": {"cached_tokens": 8}, "output_tokens": 5}
BEGIN = event("created", response={"id": "r", "model": "gpt-used", "output": []})
END = ends(model="gpt-used", usage=COUNTERS)
WHOLE = sse(BEGIN, added(0, "message"), says(0, '"model":"gpt-used"'), says(0, "y"), done(0, "message"), END)


def tap(*, is_mapped: bool = False) -> ResponsesTap:
    asked = "gpt-asked" if is_mapped else "gpt-used"
    return ResponsesTap(context(provider="p", model_asked=asked, model_used="gpt-used"))


def passed(watch: ResponsesTap, data: bytes, size: int = 0) -> bytes:
    out = [watch.feed(piece) for piece in pieces(data, size or len(data) or 1)]
    return b"".join([*out, watch.close()])


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_a_stream_passes_byte_for_byte_in_any_split(size: int) -> None:
    watch = tap()
    data = b": comment\n\n" + WHOLE + b"data: [DONE]\n\n"
    assert passed(watch, data, size) == data
    assert (watch.is_finished, watch.failure) == (True, None)
    assert watch.summary == Summary(Usage(12, 5, 8), "end_turn")
    assert watch.content.events >= 3


@pytest.mark.parametrize("size", [1, 7, pytest.param(5000, id="edge-150")])
def test_the_response_names_the_model_that_was_asked_for(size: int) -> None:
    found = [
        json.loads(line[6:])
        for line in passed(tap(is_mapped=True), WHOLE, size).split(b"\n")
        if line.startswith(b"data: ")
    ]
    assert [one["response"]["model"] for one in found if "response" in one] == ["gpt-asked"] * 2
    assert found[2]["delta"] == '"model":"gpt-used"'


@pytest.mark.parametrize("content", [says(0, "x"), thinks(0, "x"), done(0, "function_call"), ends()])
def test_content_of_any_kind_or_an_end_commits(content: dict[str, Any]) -> None:
    watch = tap()
    assert watch.feed(sse(START, added(0, "message"))) == b""
    assert not watch.is_committed
    assert watch.feed(sse(content)) == sse(START, added(0, "message"), content)
    assert watch.is_committed


def test_nothing_is_said_early_to_these_clients() -> None:
    assert tap().open_early("id") == b""


@pytest.mark.parametrize("kind", ["error", "failed"])
def test_an_error_before_any_content_is_kept(kind: str) -> None:
    watch = tap()
    words = {"code": "rate_limit_exceeded", "message": "slow"}
    wrong = event("error", error=words) if kind == "error" else event("failed", response={"error": words})
    assert passed(watch, sse(START, wrong)) == b""
    assert watch.failure is not None
    assert (watch.failure.type, watch.failure.message) == ("rate_limit_error", "slow")


def test_an_error_after_content_passes_in_the_providers_words() -> None:
    watch = tap()
    data = sse(START, says(0, "x"), event("error", code="server_error", message="sorry", vendor=1))
    assert passed(watch, data) == data
    assert watch.failure is not None


def test_a_stream_that_breaks_off_ends_in_an_error_of_the_dialect() -> None:
    watch = tap()
    out = passed(watch, sse(START, says(0, "x")))
    assert watch.failure is not None
    assert out.startswith(sse(START, says(0, "x")))
    assert [line for line in out.split(b"\n") if line.startswith(b"event: ")][-2:] == [
        b"event: error",
        b"event: response.failed",
    ]


@pytest.mark.parametrize("bad", [b"event: response.output_text.delta\ndata: {\n\n", b"data: nonsense\n\n"])
def test_an_event_that_cannot_be_read_breaks_the_stream(bad: bytes) -> None:
    watch = tap()
    passed(watch, sse(START, says(0, "x")) + bad)
    assert watch.failure is not None
    assert watch.failure.fault == "protocol"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({}, "end_turn"),
        ({"output": [{"type": "function_call"}]}, "tool_use"),
        ({"incomplete_details": {"reason": "max_output_tokens"}}, "max_tokens"),
        ({"incomplete_details": {"reason": "content_filter"}}, "refusal"),
        ({"incomplete_details": {"reason": "steered"}}, "steered"),
    ],
)
def test_the_log_says_why_it_stopped(response: Any, reason: str) -> None:
    assert stop_reason(response) == reason


def test_a_whole_answer_passes_with_the_name_that_was_asked_for() -> None:
    body = json.dumps({"model": "gpt-used", "output": [], "usage": COUNTERS, "vendor": 1.0}).encode()
    same = context(provider="p", model_asked="gpt-used", model_used="gpt-used")
    assert pass_reply(body, same) == (body, Summary(Usage(12, 5, 8), "end_turn"))
    mapped = context(provider="p", model_asked="gpt-asked", model_used="gpt-used")
    assert pass_reply(body, mapped)[0].replace(b" ", b"") == body.replace(b"gpt-used", b"gpt-asked").replace(
        b" ", b""
    )


def test_a_failed_answer_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="sorry"):
        pass_reply(b'{"status":"failed","error":{"message":"sorry"}}', context())
