import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.anthropic_streams import context, pieces
from tests.world.chat_chunks import STREAMS
from ucr.dialects.openai_chat import tap as chat
from ucr.dialects.openai_chat.tap import ChatTap
from ucr.dialects.roles import Summary
from ucr.errors import UpstreamError
from ucr.events import Usage

DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    value = {"id": "c", "model": "gpt-used", "choices": choices, **more}
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


ROLE = chunk({"role": "assistant", "content": ""})
HI = chunk({"content": "hi"})
END = chunk({}, "stop")
COUNTERS = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "prompt_tokens_details": {"cached_tokens": 1920},
    "completion_tokens_details": {"reasoning_tokens": 64},
}
USAGE = chunk(usage=COUNTERS)
WHOLE = ROLE + HI + chunk({"content": '"model":"gpt-used" "finish_reason":"x"'}) + END + USAGE + DONE


def tap(*, is_mapped: bool = False) -> ChatTap:
    return ChatTap(
        context(provider="p", model_asked="gpt-asked" if is_mapped else "gpt-used", model_used="gpt-used")
    )


def passed(watch: ChatTap, data: bytes, size: int = 0) -> bytes:
    out = [watch.feed(piece) for piece in pieces(data, size or len(data) or 1)]
    return b"".join([*out, watch.close()])


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_a_stream_passes_byte_for_byte_in_any_split(size: int) -> None:
    watch = tap()
    data = b": comment\n\n" + WHOLE
    assert passed(watch, data, size) == data
    assert (watch.is_finished, watch.failure) == (True, None)
    assert watch.summary == Summary(Usage(86, 300, 1920, None, 64), "stop")


@pytest.mark.parametrize("size", [1, 7, 100, pytest.param(5000, id="edge-150")])
def test_every_chunk_names_the_model_that_was_asked_for(size: int) -> None:
    assert passed(tap(is_mapped=True), WHOLE, size) == WHOLE.replace(
        b'"model":"gpt-used",', b'"model":"gpt-asked",'
    )


def test_names_in_another_spelling_are_changed_too() -> None:
    spaced = HI.replace(b'"model":', b'"model" : ')
    other = HI.replace(b"gpt-used", b"gpt-other")
    nested = chunk({"content": "x"}, x={"model": "gpt-used"})
    out = passed(tap(is_mapped=True), HI + spaced + other + nested + END + DONE)
    models = [json.loads(line[6:])["model"] for line in out.split(b"\n") if line.startswith(b"data: {")]
    assert models == ["gpt-asked"] * 5
    assert nested.replace(b'"model":"gpt-used","ch', b'"model":"gpt-asked","ch') in out


@pytest.mark.parametrize(
    ("delta", "finish"),
    [
        ({"content": "x"}, None),
        ({"tool_calls": [{"index": 0}]}, None),
        ({"reasoning_content": "x"}, None),
        ({"reasoning": "x"}, None),
        ({"refusal": "x"}, None),
        ({}, "stop"),
    ],
)
def test_content_of_any_kind_or_an_end_commits(delta: dict[str, Any], finish: str | None) -> None:
    watch = tap()
    assert watch.feed(ROLE) == b""
    assert not watch.is_committed
    assert watch.feed(chunk(delta, finish)) == ROLE + chunk(delta, finish)
    assert watch.is_committed


def test_nothing_is_said_early_to_these_clients() -> None:
    watch = tap()
    assert watch.open_early("id") == b""
    assert passed(watch, WHOLE) == WHOLE


@pytest.mark.parametrize(
    ("error", "type_", "fault"),
    [
        pytest.param({"message": "m", "code": 429}, "rate_limit_error", "rate_limit", id="edge-170"),
        pytest.param(
            {"message": "m", "type": "insufficient_quota"}, "billing_error", "quota", id="edge-167-type"
        ),
        pytest.param(
            {"message": "You exceeded your current quota", "code": "insufficient_quota"},
            "billing_error",
            "quota",
            id="edge-167",
        ),
        pytest.param({"message": "m", "type": "overloaded"}, "overloaded_error", "overload", id="overloaded"),
        pytest.param(
            {"message": "m", "code": "tool_use_failed"}, "invalid_request_error", "request", id="edge-47"
        ),
        pytest.param({"message": None, "code": []}, "api_error", "server", id="without-words"),
        pytest.param("text", "api_error", "server", id="text"),
    ],
)
def test_an_error_before_content_is_for_the_relay_alone(error: Any, type_: str, fault: str) -> None:
    watch = tap()
    assert (
        passed(watch, ROLE + b"event: error\ndata: " + json.dumps({"error": error}).encode() + b"\n\n") == b""
    )
    assert watch.failure is not None
    assert (watch.failure.type, watch.failure.fault) == (type_, fault)


def test_an_error_after_content_passes_and_ends_the_stream() -> None:
    watch = tap()
    error = b'data: {"error":{"message":"m","code":500}}\n\n'
    assert passed(watch, HI + error + DONE) == HI + error
    assert watch.failure is not None and watch.failure.message == "m"
    assert not watch.is_finished


@pytest.mark.parametrize("error", [pytest.param(chunk(error={"message": "m"}), id="edge-46")])
def test_an_error_after_the_finish_passes_as_it_is(error: bytes) -> None:
    watch = tap()
    assert passed(watch, HI + END + error + DONE) == HI + END + error + DONE
    assert watch.failure is None


@pytest.mark.parametrize("data", [pytest.param(HI, id="edge-23")])
def test_a_stream_cut_after_content_ends_in_an_error_object(data: bytes) -> None:
    watch = tap()
    out = passed(watch, data + HI[:-9])
    assert out.startswith(data + b'data: {"error":{"message":"provider \'p\' ended its answer')
    assert watch.failure is not None and watch.failure.fault == "midstream"


def test_a_finished_stream_without_its_last_line_gets_it() -> None:
    watch = tap()
    assert passed(watch, HI + END) == HI + END + DONE
    assert watch.is_finished


@pytest.mark.parametrize("data", [pytest.param(HI + DONE, id="edge-22")])
def test_the_last_line_is_a_finish_for_those_who_give_none(data: bytes) -> None:
    watch = tap()
    assert passed(watch, data) == data
    assert (watch.is_finished, watch.summary.stop_reason) == (True, None)


@pytest.mark.parametrize(
    ("value", "usage"),
    [
        pytest.param({"x_groq": {"usage": {"prompt_tokens": 5}}}, Usage(5), id="edge-8"),
        pytest.param({"usage": COUNTERS}, Usage(86, 300, 1920, None, 64), id="edge-156"),
        pytest.param(
            {"usage": {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}},
            Usage(0, None, 9),
            id="edge-157",
        ),
        pytest.param(
            {"usage": {"prompt_tokens": 500, "prompt_tokens_details": {"cache_write_tokens": 400}}},
            Usage(100, None, None, 400),
            id="edge-158",
        ),
        pytest.param({"usage": None}, Usage(), id="edge-162"),
        pytest.param({"usage": {"prompt_tokens": "5", "completion_tokens_details": 5}}, Usage(), id="odd"),
    ],
)
def test_usage_is_read_wherever_it_stands(value: dict[str, Any], usage: Usage) -> None:
    assert chat.usage_of(value) == usage


COMPLETION = (
    b'{"model":"gpt-used","choices":[{"message":{"content":"x"},"finish_reason":"length"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":4}}'
)


def test_a_whole_answer_passes_with_the_name_that_was_asked_for() -> None:
    summary = Summary(Usage(3, 4), "length")
    assert chat.pass_reply(COMPLETION, context(model_asked="m", model_used="m")) == (COMPLETION, summary)
    assert chat.pass_reply(COMPLETION, context()) == (COMPLETION.replace(b"gpt-used", b"claude-asked"), summary)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(b'{"error":{"message":"m","code":503}}', "overload", id="edge-171"),
        pytest.param(b"<html></html>", "protocol", id="edge-172-html"),
        pytest.param(b"", "protocol", id="edge-172-empty"),
        pytest.param(b'{"choices":[]}', "protocol", id="no-choice"),
        pytest.param(b"[]", "protocol", id="a-list"),
    ],
)
def test_a_whole_answer_that_is_none_is_an_upstream_error(body: bytes, fault: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        chat.pass_reply(body, context())
    assert caught.value.fault == fault


_PARTS = st.sampled_from(
    [
        ROLE,
        HI,
        END,
        USAGE,
        DONE,
        b'data: {"choices":[5,{"delta":[],"finish_reason":{}}],"model":{}}\n\n',
        b'data: {"error":[]}\n\n',
        b"data: 5\n\n",
        b"\r\n",
        b": c\n\n",
        b'data: {"choices":[{"delta":{"content":1}}]}\n\n',
    ]
)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(_PARTS | st.binary(max_size=12), max_size=8), st.booleans(), st.integers(1, 40))
def test_hostile_streams_never_break_the_tap(parts: list[bytes], is_mapped: bool, size: int) -> None:
    watch, again = tap(is_mapped=is_mapped), tap(is_mapped=is_mapped)
    data = b"".join(parts)
    out = passed(watch, data)
    assert watch.is_finished or watch.failure is not None
    assert watch.is_committed or not out.strip()
    assert passed(again, data, size) == out


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(chunks=STREAMS, is_mapped=st.booleans(), size=st.sampled_from([0, 9, 60]))
def test_chunks_that_are_not_read_say_nothing_that_reading_would_find(
    chunks: list[Any], is_mapped: bool, size: int
) -> None:
    lines = [f"data: {json.dumps({'model': 'gpt-used', **value})}\n\n".encode() for value in chunks]
    body = b"".join([HI, *lines, DONE])
    quick, general = tap(is_mapped=is_mapped), tap(is_mapped=is_mapped)
    every = passed(general, body.replace(b"\n", b"\r\n"))
    assert passed(quick, body, size) == every.replace(b"\r\n", b"\n")
    assert (quick.summary, quick.is_finished) == (general.summary, general.is_finished)
    assert str(quick.failure) == str(general.failure)


@pytest.mark.parametrize("sign", [chunk(), b"data: {}\n\n", b'data: {"choices":null}\n\n'])
def test_a_chunk_without_choices_passes_and_is_no_content(sign: bytes) -> None:
    watch = tap()
    watch.feed(ROLE + HI)
    before = watch.content.events
    assert watch.feed(sign) == sign
    assert watch.content.events == before
