"""Bodies in gzip, deflate and zstd: whole ones, broken ones, and ones that would fill the memory."""

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.body import coding_of, decoded, due_s, late
from ucr.errors import ApiError

LIMIT = 1000
TEXT = b'{"model":"x"}' * 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def unsized_zstd(data: bytes) -> bytes:
    """A frame that does not say how much it holds."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


CODED = [
    pytest.param("gzip", gzip.compress, id="edge-187-gzip"),
    pytest.param("deflate", zlib.compress, id="edge-187-deflate"),
    pytest.param("deflate", raw_deflate, id="edge-187-raw-deflate"),
    pytest.param("zstd", zstandard.ZstdCompressor().compress, id="edge-187-zstd"),
    pytest.param("zstd", unsized_zstd, id="edge-187-unsized-zstd"),
]
Pack = Callable[[bytes], bytes]


@pytest.mark.parametrize(("coding", "pack"), CODED)
def test_a_coded_body_is_decoded(coding: str, pack: Pack) -> None:
    assert decoded(pack(TEXT), coding_of({"content-encoding": f" {coding.upper()} "}), LIMIT) == TEXT


@pytest.mark.parametrize(("coding", "pack"), CODED)
def test_what_decodes_to_more_than_the_limit_is_refused(coding: str, pack: Pack) -> None:
    assert decoded(pack(b"." * LIMIT), coding, LIMIT) == b"." * LIMIT
    for size in (LIMIT + 1, 5_000_000):
        with pytest.raises(ApiError) as caught:
            decoded(pack(bytes(size)), coding, LIMIT)
        assert caught.value.status == 413


@pytest.mark.parametrize(("coding", "pack"), CODED)
def test_a_coded_body_that_is_cut_or_goes_on_is_refused(coding: str, pack: Pack) -> None:
    whole = pack(TEXT)
    doubled = () if coding == "gzip" else (whole + whole,)
    for broken in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"more", whole + whole[:-1], *doubled):
        with pytest.raises(ApiError) as caught:
            decoded(broken, coding, LIMIT)
        assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
        assert caught.value.message.startswith(f"the body is not valid {coding}: ")


@pytest.mark.parametrize("sizes", [(3, 4), (0, 0, 5), (400_000, 1, 400_000), (1,) * 1000])
def test_gzip_of_several_members_is_their_contents_in_turn(sizes: tuple[int, ...]) -> None:
    parts = [bytes([65 + number % 26]) * size for number, size in enumerate(sizes)]
    packed = b"".join(gzip.compress(part, 0) for part in parts)
    assert decoded(packed, "gzip", 1_000_000) == b"".join(parts)
    with pytest.raises(ApiError) as caught:
        decoded(packed, "gzip", sum(sizes) - 1)
    assert caught.value.status == 413


def test_gzip_of_too_many_members_is_refused() -> None:
    with pytest.raises(ApiError, match="more than 1000 members") as caught:
        decoded(gzip.compress(b"") * 1001, "gzip", LIMIT)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("now_s", "received_bytes", "due"),
    [
        pytest.param(100.0, 0, 130.0, id="nothing-yet"),
        pytest.param(110.0, 10, 130.02, id="too-slow"),
        pytest.param(110.0, 10**6, 140.0, id="pause"),
        pytest.param(390.0, 10**6, 400.0, id="total"),
    ],
)
def test_a_body_may_neither_pause_nor_trickle_nor_last_for_ever(
    now_s: float, received_bytes: int, due: float
) -> None:
    assert due_s(100.0, now_s, received_bytes) == pytest.approx(due)


@settings(max_examples=50)
@given(st.binary(max_size=60), st.sampled_from(["gzip", "deflate", "zstd"]))
def test_hostile_bodies_raise_only_api_errors(body: bytes, coding: str) -> None:
    try:
        assert len(decoded(body, coding, LIMIT)) <= LIMIT
    except ApiError as error:
        assert error.status in (400, 413)


def test_a_plain_body_is_itself() -> None:
    assert decoded(TEXT, "identity", 1) is TEXT


def test_no_coding_is_identity_and_an_unknown_one_is_not_supported() -> None:
    assert coding_of({}) == "identity"
    with pytest.raises(ApiError) as caught:
        coding_of({"content-encoding": "br"})
    assert caught.value.status == 415


def test_a_late_body_is_a_request_timeout() -> None:
    assert (late().status, late().type) == (408, "timeout_error")
