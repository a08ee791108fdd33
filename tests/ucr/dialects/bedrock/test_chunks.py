import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world import answers
from tests.world.anthropic_streams import pieces
from tests.world.bedrock import chunk, event, exception, frame, packed
from ucr import sse
from ucr.dialects.bedrock.chunks import ChunkDecoder, ChunkSplitter

BLOCKS = answers.anthropic_text("Hel", "lo\u2028")
STREAM = b"".join(packed(BLOCKS))


def split(data: bytes, size: int | None = None) -> list[bytes | str]:
    splitter = ChunkSplitter()
    found: list[bytes | str] = []
    try:
        for piece in pieces(data, size or len(data) or 1):
            found += splitter.feed(piece)
        assert splitter.close() == b""
    except sse.SseError as error:
        found.append(str(error))
    return found


@pytest.mark.parametrize("size", [None, 1, 7, 100])
def test_the_events_come_out_as_the_messages_api_streams_them(size: int | None) -> None:
    assert split(STREAM, size) == BLOCKS


def test_they_are_read_as_events_likewise() -> None:
    decoder = ChunkDecoder()
    events = [*decoder.feed(STREAM), *decoder.close()]
    assert [one.name for one in events][:2] == ["message_start", "content_block_start"]
    assert json.loads(events[0].data)["message"]["id"] == "msg_1"


def test_what_amazon_adds_is_left_out() -> None:
    metrics = {"inputTokenCount": 1, "firstByteLatency": 2}
    packed = chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})
    assert split(packed) == [b'event: message_stop\ndata: {"type":"message_stop"}\n\n']


def test_the_name_is_found_wherever_it_stands_and_lines_are_joined() -> None:
    assert split(chunk(b'{"index": 0,\n "type": "content_block_stop"}')) == [
        b'event: content_block_stop\ndata: {"index":0,"type":"content_block_stop"}\n\n'
    ]
    assert split(chunk(b'{"type":"a b"\n}')) == [b'data: {"type":"a b"}\n\n']
    assert split(chunk(b"no\njson")) == [b"data: no json\n\n"]


def test_events_of_another_kind_are_passed_over() -> None:
    assert split(event("novelty", {"a": 1})) == []


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("throttlingException", "rate_limit_error"),
        ("serviceUnavailableException", "overloaded_error"),
        ("modelTimeoutException", "timeout_error"),
        ("modelStreamErrorException", "api_error"),
        ("validationException", "invalid_request_error"),
        ("novelException", "api_error"),
    ],
)
def test_an_exception_is_an_error_event(kind: str, type_: str) -> None:
    (block,) = split(exception(kind, "why"))
    assert isinstance(block, bytes)
    assert block.startswith(b"event: error\n")
    read = sse.parse(block)
    assert read is not None
    assert json.loads(read.data) == {"type": "error", "error": {"type": type_, "message": "why"}}


def test_an_error_without_words_is_told_by_its_code() -> None:
    (block,) = split(frame({":message-type": "error", ":error-code": "InternalError"}, b""))
    assert isinstance(block, bytes)
    assert b'"message":"InternalError"' in block


@pytest.mark.parametrize(
    "broken",
    [event("chunk", {}), event("chunk", {"bytes": "abcde"}), event("chunk", {"bytes": 1}), chunk(b"\xff")],
    ids=["nothing", "no base64", "no text", "no UTF-8"],
)
def test_a_message_without_an_event_breaks_the_stream_after_what_came_before(broken: bytes) -> None:
    for size in (None, 1):
        assert split(chunk({"type": "ping"}) + broken, size) == [
            b'event: ping\ndata: {"type":"ping"}\n\n',
            "a message holds no event",
        ]


@given(st.binary(max_size=100), st.integers(0, len(STREAM) - 1), st.integers(1, 50))
def test_no_bytes_raise_anything_else_however_they_are_cut(junk: bytes, place: int, size: int) -> None:
    for data in (STREAM[:place] + junk, chunk(junk), event("chunk", {"bytes": junk.hex()})):
        assert split(data, size) == split(data)
