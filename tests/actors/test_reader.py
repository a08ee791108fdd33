import zlib

import pytest

from actors.errors import PoolError
from actors.http1 import ResponseReader
from actors.reader import AnswerReader
from actors.request import Limits

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%b\r\n"


def begun(body: bytes, fields: bytes = b"", limits: Limits = Limits()) -> AnswerReader:  # noqa: B008
    """Return a reader that has the whole answer."""
    reader: AnswerReader = ResponseReader("POST", limits)
    reader.feed(HEAD % (len(body), fields) + body)
    return reader


def test_what_has_come_is_taken_once() -> None:
    reader = ResponseReader("POST", Limits())
    reader.feed(HEAD % (6, b""))
    assert reader.take() == b""
    reader.feed(b"ab")
    assert reader.take() == b"ab"
    reader.feed(b"c")
    reader.feed(b"def")
    assert (reader.take(), reader.take(), reader.is_complete) == (b"cdef", b"", True)


def test_a_body_is_drained_when_all_of_it_is_taken() -> None:
    reader = ResponseReader("POST", Limits())
    reader.feed(HEAD % (6, b"") + b"ab")
    assert reader.take() == b"ab"
    assert not reader.is_drained
    reader.feed(b"cdef")
    assert not reader.is_drained
    assert reader.take() == b"cdef"
    assert reader.is_drained
    coded = begun(zlib.compress(b"words"), b"content-encoding: deflate\r\n")
    while coded.take():
        pass
    assert not coded.is_drained, "its decoder may have something to raise"
    broken = begun(bytes(11), limits=Limits(body_bytes=10))
    with pytest.raises(PoolError):
        while broken.take():
            pass
    assert not broken.is_drained


def test_a_fault_is_told_after_what_came_before_it() -> None:
    reader = ResponseReader("POST", Limits())
    reader.feed(HEAD % (6, b"") + b"ab")
    reader.feed_eof()
    assert reader.take() == b"ab"
    for _ in range(2):
        with pytest.raises(PoolError, match="truncated") as caught:
            reader.take()
    assert (caught.value.kind, caught.value.phase) == ("reset", "idle")


def test_a_body_is_bounded_as_it_comes_and_as_it_is_decoded() -> None:
    limits = Limits(body_bytes=1000)
    reader = begun(bytes(1001), limits=limits)
    with pytest.raises(PoolError, match="more than 1000 bytes"):
        while reader.take():
            pass
    coded = zlib.compress(bytes(1001))
    reader = begun(coded, b"content-encoding: deflate\r\n", limits)
    assert len(coded) < 100
    with pytest.raises(PoolError, match="more than 1000 bytes") as caught:
        while reader.take():
            pass
    assert caught.value.kind == "too_large"


def test_a_coding_that_nobody_asked_for_and_nobody_knows_is_a_fault() -> None:
    with pytest.raises(PoolError, match="'br', which was not asked for"):
        begun(b"x", b"content-encoding: br\r\n").take()


def test_a_decoded_body_has_neither_the_length_nor_the_coding_of_the_coded_one() -> None:
    reader = begun(zlib.compress(b"text"), b"content-encoding: deflate\r\nx-a: b\r\n")
    assert (reader.headers, reader.content_length, reader.take()) == ((("x-a", "b"),), None, b"text")


def test_reading_is_for_the_versions_to_do() -> None:
    reader = AnswerReader(Limits())
    reader.release()
    for act in (reader.feed_eof, lambda: reader.feed(b""), lambda: reader.is_reusable):
        with pytest.raises(NotImplementedError):
            act()
    assert repr(reader) == "<AnswerReader no head, 0 bytes so far>"
