import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.coding import PIECE_BYTES, Decoder
from actors.errors import PoolError

TEXT = b"data: a line that compresses well\n\n" * 50


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def decoded(coding: str, *parts: bytes) -> bytes:
    decoder = Decoder(coding)
    pieces = []
    for part in parts:
        decoder.feed(part)
        while piece := decoder.piece():
            pieces.append(piece)
    decoder.end()
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
    ids=["gzip", "x-gzip", "two members", "zlib", "raw"],
)
class TestCodings:
    def test_a_body_is_decoded(self, coding: str, coded: bytes) -> None:
        assert decoded(coding, coded) == TEXT

    def test_a_body_that_comes_byte_by_byte_is_decoded_alike(self, coding: str, coded: bytes) -> None:
        assert decoded(coding, *(coded[i : i + 1] for i in range(len(coded)))) == TEXT

    def test_a_body_that_is_cut_off_is_an_error(self, coding: str, coded: bytes) -> None:
        with pytest.raises(PoolError, match="in the middle of its compressed data"):
            decoded(coding, coded[:-5])


def test_a_bomb_comes_in_bounded_pieces() -> None:
    decoder = Decoder("gzip")
    decoder.feed(gzip.compress(bytes(PIECE_BYTES * 3)))
    sizes = [len(decoder.piece()) for _ in range(4)]
    assert sizes == [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 0]


def test_a_body_of_no_bytes_may_have_any_coding() -> None:
    assert decoded("gzip") == b""


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_other_codings_are_refused(coding: str) -> None:
    with pytest.raises(PoolError, match="was not asked for") as caught:
        Decoder(coding)
    assert caught.value.kind == "protocol"


@pytest.mark.parametrize(
    ("coding", "coded"), [("gzip", b"not gzip at all"), ("deflate", zlib.compress(TEXT) + b"more")]
)
def test_what_is_not_in_the_coding_is_an_error(coding: str, coded: bytes) -> None:
    with pytest.raises(PoolError) as caught:
        decoded(coding, coded)
    assert caught.value.kind == "protocol"


@settings(max_examples=60)
@given(data=st.binary(max_size=200), coding=st.sampled_from(["gzip", "deflate"]))
def test_arbitrary_bytes_raise_nothing_but_our_own_error(data: bytes, coding: str) -> None:
    try:
        decoded(coding, data)
    except PoolError as error:
        assert error.kind == "protocol"
