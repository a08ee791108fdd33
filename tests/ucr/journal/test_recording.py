"""Bodies that are kept while they pass: whole up to a bound, which cuts no character in two."""

from hypothesis import given
from hypothesis import strategies as st

from ucr.journal.recording import Kept


@given(st.text(), st.integers(0, 40), st.integers(1, 9))
def test_the_beginning_is_kept_and_a_cut_is_told(text: str, limit: int, piece: int) -> None:
    data = text.encode("utf-8", "replace")
    kept = Kept(limit)
    for start in range(0, len(data), piece):
        kept.add(data[start : start + piece])
    assert len(kept) == min(limit, len(data))
    assert kept.is_cut == (len(data) > limit)
    assert data.decode().startswith(kept.text(str))
    assert kept.is_cut or kept.text(str) == data.decode()


@given(st.integers(0, 40), st.integers(0, 30))
def test_no_half_of_a_secret_is_left_where_a_body_is_cut(limit: int, before: int) -> None:
    secret = "sk-" + "s" * 20
    kept = Kept(limit)
    kept.add(b"a" * before + secret.encode() + b"b" * 1000)
    text = kept.text(lambda whole: whole.replace(secret, "*"))
    assert text.lstrip("a").lstrip("*").strip("b") == ""
    assert len(text) <= limit
