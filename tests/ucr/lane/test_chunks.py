"""Bodies in chunks: what is taken, what is refused, and that the pieces in which they come change nothing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.lane.chunks import ChunkReader, ChunksBroken

REST = b"GET / HTTP/1.1\r\n"
GOOD = {
    "empty": (b"0\r\n\r\n", b""),
    "one": (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "hex": (b"0A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n", b"0123456789" * 2),
    "extension": (b'3;a="b;c"\r\nabc\r\n0 ;x\r\n\r\n', b"abc"),
    "trailers": (b"3\r\nabc\r\n0\r\nx: 1\r\ny:2\r\n\r\n", b"abc"),
    "line-ends-inside": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
}
BAD = {
    "no-size": b"\r\nabc\r\n",
    "not-hex": b"g\r\n",
    "prefix": b"0x3\r\nabc\r\n",
    "signed": b"+3\r\nabc\r\n",
    "negative": b"-3\r\nabc\r\n",
    "blank-before": b" 3\r\nabc\r\n",
    "underscore": b"1_0\r\n",
    "endless-size": b"1" * 16 + b"\r\n",
    "bare-lf": b"3\nabc\r\n",
    "bare-lf-after": b"3\r\nabc\n0\r\n\r\n",
    "longer": b"3\r\nabcd\r\n0\r\n\r\n",
    "shorter": b"5\r\nabc\r\n0\r\n\r\n",
    "control-in-extension": b"3;\x00\r\nabc\r\n",
    "long-extension": b"3;" + b"a" * 2000 + b"\r\n",
    "endless-extension": b"3;" + b"a" * 2000,
    "bad-trailer": b"0\r\nx y\r\n\r\n",
    "folded-trailer": b"0\r\nx: 1\r\n y\r\n\r\n",
    "many-trailers": b"0\r\n" + b"x: 1\r\n" * 3000 + b"\r\n",
}


def read(data: bytes, *cuts: int) -> tuple[bytes, bytes, bool] | None:
    """Return the body, what follows it, and whether it ended; None when it is broken."""
    reader, body, rest = ChunkReader(), b"", b""
    edges = [0, *sorted(cuts), len(data)]
    try:
        for start, end in itertools.pairwise(edges):
            if reader.is_complete:
                rest += data[start:end]
            else:
                body += reader.feed(data[start:end])
                rest = reader.rest
    except ChunksBroken:
        return None
    return body, rest, reader.is_complete


@pytest.mark.parametrize(("data", "body"), GOOD.values(), ids=GOOD.keys())
def test_chunks_are_put_together_in_whatever_pieces_they_come(data: bytes, body: bytes) -> None:
    whole = data + REST
    assert read(whole) == (body, REST, True)
    assert read(whole, *range(len(whole))) == (body, REST, True)
    for cut in range(1, len(whole)):
        assert read(whole, cut) == (body, REST, True)


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_is_not_strictly_a_chunk_is_refused(data: bytes) -> None:
    assert read(data) is None
    assert read(data, *range(len(data))) is None


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.data())
def test_every_body_comes_out_as_it_went_in(parts: list[bytes], data: st.DataObject) -> None:
    coded = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    cuts = data.draw(st.lists(st.integers(1, len(coded)), max_size=8))
    assert read(coded + REST, *cuts) == (b"".join(parts), REST, True)


@given(st.binary(max_size=60), st.data())
def test_the_pieces_of_any_bytes_change_nothing(coded: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(coded)), max_size=8))
    assert read(coded, *cuts) == read(coded)


def test_a_body_that_is_cut_is_not_complete() -> None:
    assert read(b"3\r\nabc\r\n0\r\n\r") == (b"abc", b"", False)
