import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.anthropic_streams import problems
from tests.world.chat_streams import chunk, context, sse
from ucr import sse as frames
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.crossing import Crossing
from ucr.dialects.openai_chat.client import OpenAIChatClient
from ucr.dialects.openai_chat.stream import ChatStreamDecoder
from ucr.dialects.registry import clients
from ucr.dialects.roles import ClientDialect, Request, Stretch
from ucr.errors import ApiError, UpstreamError
from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Failed,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
)

START = MessageStart("msg_up", "used", Usage(input_tokens=9, output_tokens=1))
BLOCK: tuple[Event, ...] = (BlockStart(0, Text("")), BlockDelta(0, TextDelta("hi")), BlockStop(0))
END: tuple[Event, ...] = (MessageDelta("end_turn", Usage(output_tokens=4)), MessageStop())
BROKEN = UpstreamError("api_error", "it broke", fault="midstream")


class Script:
    """A decoder: the k-th byte fed stands for the k-th event; `last` is what `close` gives, or raises."""

    def __init__(
        self, *events: Event, last: tuple[Event, ...] = (), error: UpstreamError | None = None
    ) -> None:
        self._events = list(events)
        self._last = last
        self._error = error
        self.is_finishing = False
        self.stretch: Stretch | None = None

    def feed(self, data: bytes) -> list[Event]:
        if self._error is not None:
            raise self._error
        taken, self._events = self._events[: len(data)], self._events[len(data) :]
        return taken

    def close(self) -> list[Event]:
        if self._error is not None:
            raise self._error
        return list(self._last)


def crossing(decoder: Script, client: ClientDialect | None = None) -> Crossing:
    client = client or AnthropicClient()
    request = Request(client.name, b"{}", {}, "claude-asked", True, {})
    return Crossing(decoder, client, request, context())


def types(data: bytes) -> list[str]:
    """The types of the events in an Anthropic stream."""
    return [str(json.loads(event.data)["type"]) for event in frames.Decoder().feed(data)]


def test_nothing_goes_out_before_there_is_content() -> None:
    tap = crossing(Script(START, Ping(), *BLOCK, *END))
    assert tap.feed(b"..") == b""
    assert not tap.is_committed
    first = tap.feed(b".")
    assert tap.is_committed
    assert types(first) == ["message_start", "content_block_start"]


def test_a_whole_stream_is_written_in_the_clients_grammar_and_summed_up() -> None:
    tap = crossing(Script(START, *BLOCK, Ping(), *END))
    written = tap.feed(b"." * 7) + tap.close()
    assert problems(written) == []
    assert types(written)[-3:] == ["ping", "message_delta", "message_stop"]
    assert tap.is_finished
    assert tap.failure is None
    assert tap.summary.stop_reason == "end_turn"
    assert (tap.summary.usage.input_tokens, tap.summary.usage.output_tokens) == (9, 4)


def test_an_answer_without_content_commits_at_its_normal_end() -> None:
    tap = crossing(Script(START, *END))
    assert types(tap.feed(b"...")) == ["message_start", "message_delta", "message_stop"]
    assert tap.is_committed


def test_the_name_asked_for_is_in_the_answer() -> None:
    written = crossing(Script(START, *BLOCK)).feed(b"....")
    assert json.loads(next(iter(frames.Decoder().feed(written))).data)["message"]["model"] == "claude-asked"


def test_a_failure_before_content_writes_nothing_and_is_kept_for_the_next_candidate() -> None:
    tap = crossing(Script(START, Failed(BROKEN)))
    assert tap.feed(b"..") == b""
    assert tap.failure is BROKEN
    assert not tap.is_committed


@pytest.mark.parametrize("error", [pytest.param(BROKEN, id="edge-62")])
def test_a_failure_after_content_is_the_last_event(error: UpstreamError) -> None:
    tap = crossing(Script(START, *BLOCK[:2], Failed(error), *END))
    written = tap.feed(b"." * 6)
    assert types(written) == ["message_start", "content_block_start", "content_block_delta", "error"]
    assert tap.failure is error
    assert not tap.is_finished
    assert tap.feed(b"...") == b""


@pytest.mark.parametrize(
    "script", [pytest.param(Script(START, *BLOCK[:2], last=(Failed(BROKEN),)), id="edge-23")]
)
def test_a_stream_that_ends_too_early_ends_in_an_error(script: Script) -> None:
    tap = crossing(script)
    tap.feed(b"...")
    assert types(tap.close()) == ["error"]
    assert tap.failure is BROKEN


def test_what_a_decoder_raises_is_a_failure_like_any_other() -> None:
    for tap in (crossing(Script(error=BROKEN)), crossing(Script(error=BROKEN))):
        assert tap.feed(b".") == b""
        assert tap.failure is BROKEN
    closed = crossing(Script(error=BROKEN))
    assert closed.close() == b""
    assert closed.failure is BROKEN


def test_an_error_that_is_not_the_providers_is_counted_as_a_broken_stream() -> None:
    tap = crossing(Script(Failed(ApiError("overloaded_error", "too much"))))
    tap.feed(b".")
    assert tap.failure is not None
    assert (tap.failure.fault, tap.failure.type, tap.failure.message) == (
        "midstream",
        "overloaded_error",
        "too much",
    )


@pytest.mark.parametrize("estimate", [pytest.param(7, id="edge-10")])
def test_a_stream_opened_early_has_an_estimate_and_no_second_opening(estimate: int) -> None:
    tap = crossing(Script(START, *BLOCK, *END))
    early = tap.open_early("msg_1")
    (opening,) = frames.Decoder().feed(early)
    message = json.loads(opening.data)["message"]
    assert (message["id"], message["usage"]["input_tokens"]) == ("msg_1", estimate)
    rest = tap.feed(b"." * 6)
    assert types(rest)[0] == "content_block_start"
    assert problems(early + rest) == []
    assert tap.summary.usage.input_tokens == 9


def test_a_stream_opened_early_while_its_start_is_held_has_one_opening() -> None:
    tap = crossing(Script(START, *BLOCK, *END))
    assert tap.feed(b".") == b""
    written = tap.open_early("msg_1") + tap.feed(b"." * 5)
    assert types(written).count("message_start") == 1
    assert problems(written) == []


def test_an_openai_client_is_not_opened_early() -> None:
    tap = crossing(Script(START, *BLOCK, *END), OpenAIChatClient(lambda: 0.0))
    assert tap.open_early("msg_1") == b""
    written = tap.feed(b"." * 6)
    assert written.startswith(b"data: ")
    assert b'"role":"assistant"' in written
    assert written.endswith(b"data: [DONE]\n\n")


def test_it_is_finishing_while_its_decoder_is_and_always_at_a_boundary() -> None:
    script = Script(START)
    tap = crossing(script)
    assert (tap.is_finishing, tap.is_at_boundary) == (False, True)
    script.is_finishing = True
    assert tap.feed(b".") == b""
    assert tap.is_finishing


STREAM = sse(
    {**chunk(role="assistant", content=""), "model": "used"},
    chunk(reasoning_content="hm"),
    chunk(content="grüße 👋"),
    chunk("stop"),
    {"id": "c1", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}},
)


def crossed(*pieces: bytes) -> bytes:
    client = AnthropicClient()
    request = Request("anthropic", b"{}", {}, "claude-asked", True, {})
    tap = Crossing(ChatStreamDecoder(context()), client, request, context())
    return b"".join(tap.feed(piece) for piece in pieces) + tap.close()


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(STREAM)), max_size=6).map(sorted))
def test_any_split_of_the_bytes_gives_the_same_stream(cuts: list[int]) -> None:
    pieces = [STREAM[start:end] for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    whole = crossed(STREAM)
    assert crossed(*pieces) == whole
    assert problems(whole) == []


def test_blocks_that_come_alone_give_the_same_stream_and_counts() -> None:
    said = ["a", "é\u2028", '"\\', "b" * 50, "c d"]
    chunks = [chunk(reasoning_content=word) for word in said] + [chunk(content=word) for word in said]
    stream = sse(chunk(role="assistant", content=""), *chunks, chunk("stop"))
    client = AnthropicClient()
    request = Request("anthropic", b"{}", {}, "claude-asked", True, {})
    together, apart = (Crossing(ChatStreamDecoder(context()), client, request, context()) for _ in range(2))
    whole = together.feed(stream)
    read = list[str]()
    for block in stream.split(b"\n\n")[:-1]:
        read.append(apart.feed(block + b"\n\n").decode())
    assert "".join(read).encode() + apart.close() == whole + together.close()
    assert apart.content == together.content
    assert apart.summary == together.summary
    assert apart.summary.usage.output_tokens, "estimated by the characters"
    assert apart.is_finished


@pytest.mark.parametrize("name", ["anthropic", "openai-chat", "openai-responses", "gemini", "ollama"])
def test_deltas_that_come_together_are_written_as_if_they_came_one_by_one(name: str) -> None:
    client = clients(lambda: 7.0)[name]
    said = ["a", "", "é\u2028", '"\\', "\ud800"]
    block: tuple[Event, ...] = (BlockStart(0, Text("")), *(BlockDelta(0, TextDelta(text)) for text in said))
    more: tuple[Event, ...] = (
        BlockStop(0),
        BlockStart(1, ToolUse("t1", "f")),
        BlockDelta(1, InputJsonDelta("{}")),
    )
    events: tuple[Event, ...] = (START, *block, *more, BlockDelta(1, InputJsonDelta(" ")), BlockStop(1), *END)
    together, apart = (crossing(Script(*events), client) for _ in range(2))
    written = together.feed(b"." * len(events))
    assert written == b"".join(apart.feed(b".") for _ in events)
    assert together.content == apart.content
    assert together.summary == apart.summary


@pytest.mark.parametrize("name", ["anthropic", "openai-chat", "openai-responses", "gemini", "ollama"])
@pytest.mark.parametrize(
    "pieces", [("a", ",", '"', "\n", "é\u2028\\"), ("a\0", "b"), ("\\u0000", "b"), ("\ud800", "x")]
)
def test_a_delta_of_several_pieces_is_written_as_one_for_each(name: str, pieces: tuple[str, ...]) -> None:
    client, text = clients(lambda: 7.0)[name], "".join(pieces)
    run: list[Event] = [BlockDelta(0, ThinkingDelta(text, pieces)), BlockDelta(1, TextDelta(text, pieces))]
    singles = [BlockDelta(0, ThinkingDelta(piece)) for piece in pieces]
    single_texts = [BlockDelta(1, TextDelta(piece)) for piece in pieces]
    thought: tuple[Event, ...] = (START, BlockStart(0, Thinking("")))
    said: tuple[Event, ...] = (BlockStop(0), BlockStart(1, Text("")))
    joined = crossing(Script(*thought, run[0], *said, run[1], BlockStop(1), *END), client)
    apart = crossing(Script(*thought, *singles, *said, *single_texts, BlockStop(1), *END), client)
    assert joined.feed(b"." * 20) == apart.feed(b"." * 20)
    assert joined.content == apart.content
