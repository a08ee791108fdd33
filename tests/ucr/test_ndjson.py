import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.ndjson import LineSplitter, NdjsonError


def test_lines_end_at_lf_alone() -> None:
    assert LineSplitter().feed('{"a":"\u2028\r"}\r\n\n{'.encode()) == ['{"a":"\u2028\r"}\r\n'.encode(), b"\n"]


@given(st.lists(st.sampled_from([b"{}", b"\n", b"\r\n", b"ab"])), st.data())
def test_any_split_gives_the_same_lines_and_nothing_is_lost(pieces: list[bytes], data: st.DataObject) -> None:
    body = b"".join(pieces)
    cut = data.draw(st.integers(0, len(body)))
    splitter, whole = LineSplitter(), LineSplitter()
    lines = splitter.feed(body[:cut]) + splitter.feed(body[cut:])
    assert lines == whole.feed(body)
    assert b"".join(lines) + splitter.close() == body


def test_a_line_that_is_too_large_is_refused_at_once() -> None:
    splitter = LineSplitter(4)
    with pytest.raises(NdjsonError, match="larger than 4 bytes"):
        splitter.feed(b"12345")
    with pytest.raises(NdjsonError):
        splitter.feed(b"\n")
    with pytest.raises(NdjsonError):
        splitter.close()


@pytest.mark.parametrize("body", [b"1\n12345\n2\n", b"1\n12345"])
def test_what_stood_before_a_line_that_is_too_large_is_not_lost(body: bytes) -> None:
    splitter = LineSplitter(4)
    assert splitter.feed(body) == [b"1\n"]
    with pytest.raises(NdjsonError):
        splitter.feed(b"")


def test_a_long_line_in_pieces_is_kept_within_the_limit() -> None:
    splitter = LineSplitter(10)
    assert [splitter.feed(b"x") for _ in range(9)] == [[]] * 9
    assert splitter.feed(b"\n") == [b"xxxxxxxxx\n"]
