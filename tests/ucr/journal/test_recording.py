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
    assert data.decode().startswith(kept.text)
    assert kept.is_cut or kept.text == data.decode()
