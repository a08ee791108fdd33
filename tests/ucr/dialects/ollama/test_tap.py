"""Streams and answers that pass through."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.chat_streams import context
from tests.world.ollama import STREAMS, calling, end, line, lines
from ucr.dialects.ollama.tap import OllamaTap, pass_reply
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import Usage
from ucr.ndjson import LINE_LIMIT_BYTES
from ucr.quirks import Quirks

BODY = lines(line(), line("a"), calling("f"), end("b"))


def same() -> Context:
    return Context("ollama", "used", "used", True, Quirks())


def passed(body: bytes, about: Context, *cuts: int) -> tuple[bytes, OllamaTap]:
    tap = OllamaTap(about)
    out = b""
    for start, stop in zip((0, *cuts), (*cuts, len(body)), strict=True):
        out += tap.feed(body[start:stop])
    return out + tap.close(), tap


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_recorded_streams_pass_untouched(path: Path) -> None:
    body = path.read_bytes()
    out, tap = passed(body, same())
    assert out == body
    assert tap.is_finished
    assert tap.failure is None
    assert tap.summary.stop_reason in ("end_turn", "tool_use")


@given(st.lists(st.integers(0, len(BODY)), max_size=5))
def test_any_split_gives_the_same_bytes(cuts: list[int]) -> None:
    out, tap = passed(BODY, context(), *sorted(cuts))
    assert out == passed(BODY, context())[0]
    assert tap.summary.usage == Usage(11, 7)
    assert tap.summary.stop_reason == "tool_use"


def test_the_model_is_called_as_it_was_asked_for() -> None:
    out, _ = passed(BODY, context())
    assert {json.loads(text)["model"] for text in out.splitlines()} == {"claude-asked"}


def test_nothing_goes_out_before_there_is_content() -> None:
    tap = OllamaTap(same())
    assert tap.open_early("msg_1") == b""
    assert tap.feed(lines(line())) == b""
    assert not tap.is_committed
    assert tap.feed(lines(line("a"))) == lines(line(), line("a"))
    assert tap.is_committed


def test_a_blank_line_and_a_last_line_without_an_end_pass() -> None:
    body = b"\n" + lines(end("a")).rstrip()
    assert passed(body, same())[0] == body


def test_an_error_goes_out_only_after_content() -> None:
    broken = lines({"error": "out of memory"})
    out, tap = passed(broken, same())
    assert out == b""
    assert tap.failure is not None
    assert passed(lines(line("a")) + broken, same())[0] == lines(line("a")) + broken


@pytest.mark.parametrize("rest", [b"", b'{"mes', b"[]\n", b"nonsense\n"])
def test_a_stream_that_breaks_ends_in_an_error_line(rest: bytes) -> None:
    out, tap = passed(lines(line("a")) + rest, same())
    assert tap.failure is not None
    assert set(json.loads(out.splitlines()[-1])) == {"error"}


def test_a_whole_answer_passes_with_its_name_and_counters() -> None:
    body = json.dumps(end("a", "length")).encode()
    out, summary = pass_reply(body, same())
    assert out is body
    assert (summary.usage, summary.stop_reason) == (Usage(11, 7), "max_tokens")
    renamed, _ = pass_reply(body, context())
    assert json.loads(renamed) == {**end("a", "length"), "model": "claude-asked"}
    with pytest.raises(UpstreamError):
        pass_reply(b'{"error": "no"}', same())


@pytest.mark.parametrize("start", [b"", lines(line("a"))])
def test_a_line_that_is_too_large_breaks_the_stream(start: bytes) -> None:
    out, tap = passed(start + b" " * (LINE_LIMIT_BYTES + 1), same())
    assert tap.failure is not None
    assert "a line is larger than" in tap.failure.message
    assert out.startswith(start)
