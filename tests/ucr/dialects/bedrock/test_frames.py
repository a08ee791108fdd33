import json
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world.anthropic_streams import pieces
from tests.world.bedrock import event, exception, frame, recorded
from ucr.dialects.bedrock.frames import FRAME_LIMIT_BYTES, KNOWN_HEADERS, Frame, FrameError, FrameReader

STREAM = (
    event("messageStart", {"role": "assistant"}) + event("a", {}) + exception("throttlingException", "slow")
)


def read(data: bytes, size: int | None = None, limit: int = FRAME_LIMIT_BYTES) -> list[Frame | str]:
    """Return what a reader makes of bytes: its messages, and the words of its failure."""
    reader = FrameReader(limit)
    found: list[Frame | str] = []
    try:
        for piece in pieces(data, size or len(data) or 1):
            found += reader.feed(piece)
        reader.close()
    except FrameError as error:
        found.append(str(error))
    return found


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.parent.name)
def test_the_recorded_streams_are_read_as_their_recorder_read_them(path: Path) -> None:
    lines = (path.parent / "01.response.decoded.jsonl").read_text("utf-8").splitlines()
    frames = [one for one in read(path.read_bytes()) if isinstance(one, Frame)]
    found = [{"headers": one.headers, "payload": json.loads(one.payload)} for one in frames]
    assert found == [json.loads(line) for line in lines]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 12, 13, 64])
def test_every_split_of_the_bytes_gives_the_same(size: int) -> None:
    assert read(STREAM, size) == read(STREAM)
    assert [one.event for one in read(STREAM) if isinstance(one, Frame)] == ["messageStart", "a", ""]


def test_what_a_message_is_stands_in_its_headers() -> None:
    plain, *_, last = read(STREAM)
    assert isinstance(plain, Frame) and isinstance(last, Frame)
    assert (plain.exception, last.exception) == ("", "throttlingException")
    error = Frame({":message-type": "error", ":error-code": "InternalError"}, b"")
    assert (error.exception, Frame({":message-type": "exception"}, b"").exception) == (
        "InternalError",
        "unknown",
    )


def test_headers_of_every_type_are_passed_over_and_those_that_are_text_are_kept() -> None:
    sizes = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    more = [b"\x01n" + bytes([kind]) + b"\x00" * size for kind, size in sizes.items()]
    written = frame({":event-type": "x"}, b"{}", *more, b"\x01b\x06\x00\x02ab")
    assert read(written) == [Frame({":event-type": "x"}, b"{}")]


def changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def prelude(total: int, headers: int) -> bytes:
    lengths = total.to_bytes(4) + headers.to_bytes(4)
    return lengths + zlib.crc32(lengths).to_bytes(4)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed(event("a", {}), 3), "the check sum of a message's length is wrong"),
        (changed(event("a", {}), 9), "the check sum of a message's length is wrong"),
        (changed(event("a", {}), 20), "the check sum of a message is wrong"),
        (event("a", {})[:-1], "the last message is cut off"),
        (frame({}, b"", b"\x01n\x63"), "a header of a message has no known type"),
        (frame({}, b"", b"\x05n"), "a header of a message is cut off"),
        (frame({}, b"", b"\x01n\x07\x00\x09ab"), "a header of a message is cut off"),
        (event("a", {"x": "y" * 400}), "a message is larger than 400 bytes"),
        (prelude(399, 131_073), "the headers of a message are larger than 131072 bytes"),
    ],
)
def test_what_is_damaged_is_refused_after_what_came_before_it(data: bytes, words: str) -> None:
    whole = event("before", {})
    for size in (1, 5, len(data) * 2):
        found = read(whole + data, size, 400)
        assert [one if isinstance(one, str) else one.event for one in found] == ["before", words]


def test_a_message_that_says_it_is_huge_is_refused_before_it_comes() -> None:
    prelude = (2**31).to_bytes(4, "big") + (0).to_bytes(4, "big")
    reader = FrameReader()
    with pytest.raises(FrameError, match="larger than"):
        reader.feed(prelude + zlib.crc32(prelude).to_bytes(4, "big"))
    with pytest.raises(FrameError, match="larger than"):
        reader.close()


def test_a_message_may_not_be_shorter_than_its_parts() -> None:
    prelude = (17).to_bytes(4, "big") + (8).to_bytes(4, "big")
    assert read(prelude + zlib.crc32(prelude).to_bytes(4, "big")) == ["a message is shorter than its parts"]


@given(st.binary(max_size=200), st.integers(0, len(STREAM) - 1), st.integers(1, 40))
def test_no_bytes_raise_anything_else(junk: bytes, place: int, size: int) -> None:
    for data in (junk, STREAM[:place] + junk, changed(STREAM, place)):
        assert read(data, size) == read(data)


def test_more_headers_than_are_kept_are_read_as_well() -> None:
    kinds = [f"kind-{number}" for number in range(2 * KNOWN_HEADERS)]
    found = read(b"".join(event(kind, {}) for kind in (*kinds, *kinds)))
    assert [one.event for one in found if isinstance(one, Frame)] == [*kinds, *kinds]
