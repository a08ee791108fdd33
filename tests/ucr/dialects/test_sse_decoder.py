"""What all decoders of server-sent events do with bytes, whatever their dialect makes of a block."""

import pytest

from ucr.catalogue import Quirks
from ucr.dialects.roles import Context
from ucr.dialects.sse_decoder import SseDecoder
from ucr.errors import UpstreamError
from ucr.events import Event, Failed, Ping


class Pings(SseDecoder):
    """Makes a ping of each block; a block that says `fail` is a failure, and `data: quick` alone is read at once."""

    def __init__(self) -> None:
        super().__init__(Context("up", "m", "m", True, Quirks()))
        self.blocks: list[bytes] = []

    @property
    def _has_begun(self) -> bool:
        return bool(self.blocks)

    def _quick(self, data: bytes) -> list[Event] | None:
        return [Ping(), Ping()] if data == b"data: quick\n\n" else None

    def _block(self, block: bytes) -> list[Event]:
        self.blocks.append(block)
        if b"fail" in block:
            raise UpstreamError("api_error", "planted", fault="protocol")
        return [Ping()]


def failure(events: list[Event]) -> str:
    assert isinstance(events[-1], Failed)
    return events[-1].error.message


def test_blocks_are_read_one_by_one_and_those_of_the_usual_form_at_once() -> None:
    decoder = Pings()
    assert decoder.feed(b"data: 1\n\ndata: 2\n") == [Ping()]
    assert decoder.feed(b"\n") == [Ping()]
    assert decoder.feed(b"data: quick\n\n") == [Ping(), Ping()]
    assert decoder.blocks == [b"data: 1\n\n", b"data: 2\n\n"]


def test_with_a_failure_the_stream_is_over() -> None:
    decoder = Pings()
    assert failure(decoder.feed(b"data: 1\n\ndata: fail\n\ndata: 2\n\n")) == "planted"
    assert (decoder.feed(b"data: 3\n\n"), decoder.close()) == ([], [])
    assert len(decoder.blocks) == 2


@pytest.mark.parametrize(
    ("rest", "read"), [(b"data: {}", 1), (b"data: [DONE]", 1), (b'data: {"a"', 0), (b": comment", 0), (b"", 0)]
)
def test_the_end_of_the_bytes_cuts_short_and_reads_what_lacks_only_its_blank_line(
    rest: bytes, read: int
) -> None:
    decoder = Pings()
    decoder.feed(b"data: 1\n\n" + rest)
    events = decoder.close()
    assert events[:-1] == [Ping()] * read
    assert "up" in failure(events)


@pytest.mark.parametrize("wrap", ["%s", "[%s]"])
def test_a_body_that_is_no_stream_is_the_error_in_it(wrap: str) -> None:
    decoder = Pings()
    assert decoder.feed(b"") == []
    decoder.feed((wrap % '{"error": {"message": "no such model"}}').encode())
    assert "no such model" in failure(decoder.close())
    assert decoder.blocks == []


def test_another_body_that_is_no_stream_is_unreadable() -> None:
    decoder = Pings()
    decoder.feed(b"<html>teapot</html>")
    assert "sent no event stream" in failure(decoder.close())
