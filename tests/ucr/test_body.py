"""Bodies in gzip, deflate and zstd: whole ones, broken ones, and ones that would fill the memory."""

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.body import coding_of, decoded, late
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
    for broken in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"more", whole + whole):
        with pytest.raises(ApiError) as caught:
            decoded(broken, coding, LIMIT)
        assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
        assert caught.value.message.startswith(f"the body is not valid {coding}: ")


@settings(deadline=None, max_examples=50)
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
