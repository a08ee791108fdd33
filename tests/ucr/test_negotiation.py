import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.negotiation import CODINGS, coding_for


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", None),
        ("identity", None),
        ("br", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", "deflate"),
        ("br, gzip, deflate", "gzip"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("gzip;q=0.5, deflate;q=0.5", "gzip"),
        ("gzip ; q=0.001", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0.000, deflate;q=0", None),
        ("gzip;q=0, *", "deflate"),
        ("*", "gzip"),
        ("*;q=0", None),
        ("br;q=1, *;q=0.1", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("gzip, identity;q=0", "gzip"),
        ("gzip;q=2", None),
        ("gzip;q=abc", None),
        ("gzip;q=1.5, deflate", "deflate"),
        ("gzip;level=9", None),
        ("," * 5000 + "gzip", None),
    ],
)
def test_the_client_decides(accepted: str, coding: str | None) -> None:
    assert coding_for(accepted) == coding


@given(st.text(alphabet="gzipdeflat*;q=01., \t-x", max_size=60))
def test_whatever_is_accepted_the_answer_is_a_known_coding_or_none(accepted: str) -> None:
    coding = coding_for(accepted)
    assert coding is None or coding in CODINGS
    if coding is not None:
        assert coding in accepted or "*" in accepted
