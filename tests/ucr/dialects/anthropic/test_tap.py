import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.anthropic_streams import (
    START,
    STOP,
    case_of,
    closed,
    context,
    ended,
    named,
    opened,
    part,
    pieces,
    problems,
    stream,
    stream_files,
    text_block,
)
from ucr.dialects.anthropic.tap import MessageTap
from ucr.events import Usage

WHOLE = named(START, *text_block(0, "hi"), ended("end_turn", output_tokens=2), STOP)
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def tap(*, strict: bool = False, is_mapped: bool = False, **changes: object) -> MessageTap:
    asked = "claude-asked" if is_mapped else "claude-used"
    return MessageTap(context(model_asked=asked, **changes), strict=strict)


def passed(watch: MessageTap, data: bytes, size: int = 0) -> bytes:
    out = [watch.feed(piece) for piece in pieces(data, size or len(data) or 1)]
    return b"".join([*out, watch.close()])


@pytest.mark.parametrize("file", stream_files(), ids=lambda file: f"edge-69-{case_of(file)}")
def test_every_recorded_stream_passes_byte_for_byte(file: Path) -> None:
    data = stream(file)
    watch = tap()
    out = passed(watch, data)
    assert out.removesuffix(b"\n").removesuffix(b"\n") == data.removesuffix(b"\n").removesuffix(b"\n")
    assert out.endswith(b"\n\n")
    assert (watch.is_finished, watch.is_committed, watch.failure) == (True, True, None)


@pytest.mark.parametrize("file", stream_files(), ids=case_of)
@pytest.mark.parametrize("is_strict", [False, True])
def test_any_split_gives_the_same_bytes(file: Path, is_strict: bool) -> None:
    data = stream(file)[:20_000]
    whole = passed(tap(strict=is_strict, is_mapped=True), data)
    assert all(passed(tap(strict=is_strict, is_mapped=True), data, size) == whole for size in (7, 64, 1021))


@pytest.mark.parametrize("ending", [pytest.param(b"\r\n", id="edge-66-crlf"), pytest.param(b"\n", id="lf")])
def test_line_endings_pass_as_they_are(ending: bytes) -> None:
    data = WHOLE.replace(b"\n", ending)
    assert [passed(tap(), data, size) for size in (1, 3, 500, 5000)] == [data] * 4


@pytest.mark.parametrize(
    "is_strict", [pytest.param(False, id="edge-64-passed"), pytest.param(True, id="edge-64-strict")]
)
def test_events_nobody_knows_pass_but_to_strict_readers(is_strict: bool) -> None:
    (file,) = [file for file in stream_files() if case_of(file) == "sdk-unknown-events"]
    out = passed(tap(strict=is_strict), stream(file))
    assert (b"future_event" in out) is not is_strict
    if is_strict:
        assert problems(out) == []


@pytest.mark.parametrize(
    "is_strict", [pytest.param(False, id="edge-63-passed"), pytest.param(True, id="edge-63-strict")]
)
def test_a_duplicate_start_passes_but_to_strict_readers(is_strict: bool) -> None:
    (file,) = [file for file in stream_files() if case_of(file) == "duplicate-message-start"]
    assert passed(tap(strict=is_strict), stream(file)).count(b"event: message_start") == (1 if is_strict else 2)


@pytest.mark.parametrize("file", stream_files(), ids=lambda file: f"edge-150-{case_of(file)}")
def test_only_the_models_name_is_changed(file: Path) -> None:
    data = stream(file)
    out = passed(tap(is_mapped=True), data)
    names = [event["message"]["model"] for event in _events(out) if event["type"] == "message_start"]
    assert names and set(names) == {"claude-asked"}
    (old,) = {event["message"]["model"] for event in _events(data) if event["type"] == "message_start"}
    restored = out.replace(b'"model":"claude-asked"', f'"model":"{old}"'.encode())
    assert restored.strip() == data.strip()


def _events(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in data.split(b"\n") if line.startswith(b"data: ")]


def test_nothing_goes_out_before_the_first_block() -> None:
    watch = tap()
    start = named(START, {"type": "ping"})
    assert watch.feed(start) == b""
    assert not watch.is_committed
    block = named(opened(0, {"type": "text", "text": ""}))
    assert watch.feed(block) == start + block
    assert (watch.is_committed, watch.is_at_boundary) == (True, True)
    assert watch.feed(named(closed(0))[:-5]) == b""


@pytest.mark.parametrize("reason", [pytest.param("refusal", id="edge-70")])
def test_a_message_without_blocks_commits_at_its_end(reason: str) -> None:
    watch = tap()
    data = named(START, ended(reason, output_tokens=0))
    assert watch.feed(data) == data
    assert watch.summary.stop_reason == reason


@pytest.mark.parametrize("case", [pytest.param("pause-turn-web-search-01", id="edge-68")])
def test_usage_and_stop_reason_are_read_on_the_way(case: str) -> None:
    (file,) = [file for file in stream_files() if case_of(file) == case]
    watch = tap()
    passed(watch, stream(file))
    assert watch.summary.stop_reason == "pause_turn"
    assert watch.summary.usage.output_tokens is not None


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        pytest.param({"output_tokens": 8}, Usage(25, 8, 10), id="edge-164-kept"),
        pytest.param({"output_tokens": 8, "input_tokens": 30}, Usage(30, 8, 10), id="edge-164-overwritten"),
        pytest.param(
            {"output_tokens": 8, "iterations": [{"output_tokens": 5}]}, Usage(25, 8, 10), id="edge-165"
        ),
    ],
)
def test_usage_is_the_last_that_was_told(told: dict[str, object], usage: Usage) -> None:
    watch = tap()
    watch.feed(named(START, ended("end_turn", **told)))
    assert watch.summary.usage == usage


def test_an_error_before_content_is_for_the_relay_alone() -> None:
    watch = tap()
    assert watch.feed(named(START, OVERLOADED)) == b""
    assert watch.failure is not None
    assert (watch.failure.type, watch.failure.fault, watch.is_committed) == (
        "overloaded_error",
        "overload",
        False,
    )
    assert watch.feed(WHOLE) + watch.close() == b""


@pytest.mark.parametrize(
    "data", [pytest.param(named(START, *text_block(0, "hi"), OVERLOADED, STOP), id="edge-62")]
)
def test_an_error_after_content_passes_and_ends_the_stream(data: bytes) -> None:
    watch = tap()
    assert passed(watch, data) == data.removesuffix(named(STOP))
    assert watch.failure is not None and watch.failure.message == "Overloaded"
    assert not watch.is_finished


def test_a_stream_cut_after_content_ends_in_an_error_event() -> None:
    watch = tap()
    whole = named(START, *text_block(0, "hi"))
    out = passed(watch, whole + named(ended("end_turn"))[:-9])
    assert out.startswith(whole + b"event: error\ndata: {")
    assert watch.failure is not None and watch.failure.fault == "midstream"
    assert problems(out) == []


def test_a_stream_cut_before_content_gives_nothing() -> None:
    watch = tap()
    assert passed(watch, named(START)) == b""
    assert watch.failure is not None and watch.failure.fault == "midstream"


@pytest.mark.parametrize(
    "cut", [pytest.param(1, id="edge-66-no-blank-line"), pytest.param(2, id="edge-66-no-line-end")]
)
def test_a_missing_last_blank_line_is_supplied(cut: int) -> None:
    watch = tap()
    assert passed(watch, WHOLE[:-cut]) == WHOLE
    assert watch.is_finished


@pytest.mark.parametrize("rubbish", [b"data: {\n\n", b"data: 5\n\n", b"event: x\ndata: \xff\n\n"])
def test_what_cannot_be_read_is_not_passed_on(rubbish: bytes) -> None:
    watch = tap()
    whole = named(START, *text_block(0, "hi"))
    out = passed(watch, whole + rubbish + WHOLE)
    assert out.startswith(whole + b"event: error\n") and rubbish not in out
    assert watch.failure is not None and watch.failure.fault == "protocol"


def test_the_early_start_replaces_the_providers_own() -> None:
    for before, after in ((b"", named(START)), (named(START), b"")):
        watch = tap(is_mapped=True, input_estimate=7)
        assert watch.feed(before) == b""
        early = watch.open_early("msg_early")
        rest = named(*text_block(0, "hi"), ended("end_turn", output_tokens=2), STOP)
        out = early + passed(watch, after + rest)
        assert problems(out) == []
        start, *_, end, _ = _events(out)
        assert (start["message"]["id"], start["message"]["model"]) == ("msg_early", "claude-asked")
        assert start["message"]["usage"] == {"input_tokens": 7, "output_tokens": 0}
        assert end["usage"] == {"input_tokens": 25, "cache_read_input_tokens": 10, "output_tokens": 2}


def test_the_early_start_comes_once_and_never_after_content() -> None:
    watch = tap()
    assert watch.open_early("a") != b""
    assert watch.open_early("b") == b""
    late = tap()
    late.feed(named(START, *text_block(0, "x")))
    assert late.open_early("a") == b""


def test_strict_readers_get_blocks_without_gaps() -> None:
    data = named(
        START,
        opened(0, {"type": "future"}),
        part(0, {"type": "future_delta"}),
        closed(0),
        *text_block(1, "hi"),
        ended("compaction", output_tokens=2),
        STOP,
    )
    out = passed(tap(strict=True), data)
    assert problems(out, beta=False) == []
    assert out == WHOLE.replace(named(*text_block(0, "hi")), _compact(*text_block(0, "hi"))).replace(
        named(ended("end_turn", output_tokens=2)), _compact(ended("end_turn", output_tokens=2))
    )


def _compact(*events: dict[str, Any]) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()
        for event in events
    )


_PARTS = st.sampled_from(
    [
        named(START),
        named(*text_block(0, "x")),
        named(OVERLOADED),
        named(STOP),
        named(ended("end_turn", output_tokens=1)),
        b": comment\n\n",
        b"data: [DONE]\n\n",
        b'data: {"type":["x"],"index":[]}\n\n',
        b'data: {"type":"content_block_start","index":{},"content_block":5}\n\n',
        b'data: {"type":"message_start","message":5}\n\n',
        b'data: {"type":"message_delta","usage":5,"delta":[]}\n\n',
        b"\r\n\r\r\n",
    ]
)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(_PARTS | st.binary(max_size=12), max_size=8), st.booleans(), st.booleans(), st.integers(1, 40))
def test_hostile_streams_never_break_the_tap(parts: list[bytes], strict: bool, mapped: bool, size: int) -> None:
    watch, again = tap(strict=strict, is_mapped=mapped), tap(strict=strict, is_mapped=mapped)
    data = b"".join(parts)
    out = passed(watch, data)
    assert watch.is_finished or watch.failure is not None
    assert watch.is_committed or not out.strip()
    assert passed(again, data, size) == out
