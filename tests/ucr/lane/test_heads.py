"""Heads that come again: known ones are read as new ones are, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.lane.head import Head, HeadReader, HeadRefused, read_head
from ucr.lane.heads import REMEMBERED_BYTES, Heads

FIELDS = b"Host: 127.0.0.1\r\nx-api-key: k\r\nContent-Length:  %b \r\naccept: */*\r\n\r\n"


def post(length: bytes = b"5", fields: bytes = FIELDS) -> bytes:
    return b"POST /v1/messages HTTP/1.1\r\n" + fields.replace(b"%b", length)


def read(heads: Heads, data: bytes) -> tuple[Head, bytes, bool]:
    """Return a head, what follows it, and whether it was known."""
    taken = heads.feed(data)
    assert taken is not None
    head, _badge, came, raw = taken
    assert raw is None or raw + came == data
    return head, came, raw is None


def anew(data: bytes) -> tuple[Head, bytes] | int:
    """Return what a connection's first head would be, or the status that refuses it."""
    try:
        taken = HeadReader().feed(data)
        return 0 if taken is None else (read_head(taken[0]), taken[1])
    except HeadRefused as refused:
        return refused.status


@pytest.mark.parametrize("length", [b"5", b"0", b"005", b"123456789012345"])
def test_a_head_that_comes_again_with_another_length_is_known_and_says_the_same(length: bytes) -> None:
    heads = Heads()
    assert not read(heads, post() + b"first")[2]
    head, came, is_known = read(heads, post(length) + b"next")
    assert is_known
    assert (head, came) == anew(post(length) + b"next")


@pytest.mark.parametrize("length", [b"", b"-1", b"5 5", b"1234567890123456", "٣".encode(), b"5\r\nx: y", b"+5"])
def test_what_is_no_length_is_no_known_head(length: bytes) -> None:
    heads, data = Heads(), post(length) + b"next"
    read(heads, post())
    expected = anew(data)
    if isinstance(expected, int):
        with pytest.raises(HeadRefused) as caught:
            heads.feed(data)
        assert caught.value.status == expected
    else:
        head, came, is_known = read(heads, data)
        assert not is_known
        assert (head, came) == expected


@given(st.integers(0, len(post()) - 1), st.binary(max_size=3), st.booleans())
def test_one_that_differs_anywhere_is_read_anew(at: int, put: bytes, replaces: bool) -> None:
    data = post()[:at] + put + post()[at + replaces :] + b"body"
    heads = Heads()
    read(heads, post())
    try:
        taken = heads.feed(data)
        found = 0 if taken is None else (taken[0], taken[2])
    except HeadRefused as refused:
        found = refused.status
    assert found == anew(data)


def test_a_known_head_may_come_in_pieces() -> None:
    for cut in range(1, len(post())):
        heads = Heads()
        read(heads, post())
        data = post(b"7") + b"more"
        assert heads.feed(data[:cut]) is None
        assert heads.has_begun
        head, came, _ = read_rest(heads, data[cut:])
        assert (head, came) == anew(data)
        assert not heads.has_begun


def read_rest(heads: Heads, data: bytes) -> tuple[Head, bytes, bool]:
    taken = heads.feed(data)
    assert taken is not None
    return taken[0], taken[2], taken[3] is None


def test_the_same_head_has_the_same_badge_and_another_one_has_another() -> None:
    heads = Heads()
    first, second, other, back = [heads.feed(post(length, fields)) for length, fields in SEQUENCE]
    assert first is not None
    assert second is not None
    assert other is not None
    assert back is not None
    assert first[1] is second[1]
    assert len({id(one[1]) for one in (second, other, back)}) == 3


OTHER_KEY = FIELDS.replace(b"x-api-key: k", b"x-api-key: l")
SEQUENCE = ((b"5", FIELDS), (b"6", FIELDS), (b"6", OTHER_KEY), (b"6", FIELDS))


def test_what_is_remembered_is_bounded_and_shows_nothing_of_it() -> None:
    heads = Heads()
    large = FIELDS.replace(b"accept: */*", b"accept: " + b"x" * REMEMBERED_BYTES)
    for _ in range(2):
        assert not read(heads, post(fields=large))[2]
        assert repr(heads) == "<Heads: 0 bytes remembered>"
    read(heads, post())
    assert repr(heads) == f"<Heads: {len(post()) - 1} bytes remembered>"


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", post(fields=b"host: a\r\ntransfer-encoding: chunked\r\n\r\n")],
)
def test_a_head_without_a_length_is_read_anew(head: bytes) -> None:
    heads = Heads()
    assert [read(heads, head)[2] for _ in range(2)] == [False, False]
