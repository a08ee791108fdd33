"""Heads: what they say, what is refused, and that the pieces in which they come change nothing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.lane.head import Head, HeadReader, HeadRefused, read_head
from ucr.stress.attacks import heads as corpus

REST = b"\r\n\r\nrest"


def read(data: bytes, *cuts: int) -> Head | int:
    """Return the head, or the status that refuses it; the bytes come cut at these places."""
    reader = HeadReader()
    edges = [0, *sorted(cuts), len(data)]
    try:
        for start, end in itertools.pairwise(edges):
            if start < end and (taken := reader.feed(data[start:end])) is not None:
                return read_head(taken[0])
    except HeadRefused as refused:
        return refused.status
    raise AssertionError("the head is not complete")


def test_a_head_is_read() -> None:
    head = read(
        b"POST /v1/messages?beta=true HTTP/1.1\r\nHost: a:1\r\nX-A: 1 \r\nx-a:\t2\r\ncontent-length: 5\r\n\r\n"
    )
    assert head == Head(
        method="POST",
        path="/v1/messages",
        query="beta=true",
        is_http_1_0=False,
        headers={"host": "a:1", "x-a": "1, 2", "content-length": "5"},
        length=5,
        keeps_alive=True,
        expects_continue=False,
    )


@pytest.mark.parametrize(
    ("field", "attribute", "value"),
    [
        (b"connection: close", "keeps_alive", False),
        (b"connection: keep-alive", "keeps_alive", True),
        (b"expect: 100-Continue", "expects_continue", True),
        (b"expect: 200-ok", "expects_continue", False),
        (b"transfer-encoding: Chunked", "length", None),
        (b"x: \xe9", "headers", {"host": "a", "x": "\xe9"}),
    ],
)
def test_fields_mean_what_they_mean(field: bytes, attribute: str, value: object) -> None:
    assert getattr(read(b"GET / HTTP/1.1\r\nhost: a\r\n" + field + b"\r\n\r\n"), attribute) == value


def test_http_1_0_is_one_request_for_each_connection() -> None:
    head = read(b"GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\nexpect: 100-continue\r\n\r\n")
    assert isinstance(head, Head)
    assert (head.is_http_1_0, head.keeps_alive, head.expects_continue) == (True, False, False)


@pytest.mark.parametrize(("data", "status"), corpus.REFUSED.values(), ids=corpus.REFUSED.keys())
def test_what_is_not_strictly_valid_is_refused(data: bytes, status: int) -> None:
    assert read(data) == status


@pytest.mark.parametrize("data", corpus.ACCEPTED.values(), ids=corpus.ACCEPTED.keys())
def test_what_is_valid_is_read(data: bytes) -> None:
    assert isinstance(read(data), Head)


@pytest.mark.parametrize("name", [name for name, data in corpus.ALL.items() if len(data) < 400])
def test_the_pieces_of_a_head_change_nothing(name: str) -> None:
    data = corpus.ALL[name]
    whole = read(data)
    assert read(data, *range(len(data))) == whole
    assert [read(data, cut) for cut in range(1, len(data))] == [whole] * (len(data) - 1)


@given(st.data())
def test_the_pieces_of_a_large_head_change_nothing(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name, head in corpus.ALL.items() if len(head) >= 400]))
    head = corpus.ALL[name]
    cuts = data.draw(st.lists(st.integers(1, len(head) - 1), max_size=6))
    assert read(head, *cuts) == read(head)


def test_what_follows_a_head_is_given_back() -> None:
    head = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    assert HeadReader().feed(head + REST) == (head, REST)
    reader = HeadReader()
    assert reader.feed(head[:-1]) is None
    assert reader.has_begun
    assert reader.feed(head[-1:] + REST) == (head, REST)


@pytest.mark.parametrize(
    "beginning", [b"\x16\x03\x01\x00\xff", b"\r\n", b" GET", b"x" * 40, b"GET / HTTP/1.1\n"]
)
def test_what_cannot_become_a_head_is_refused_without_waiting(beginning: bytes) -> None:
    with pytest.raises(HeadRefused):
        HeadReader().feed(beginning)
