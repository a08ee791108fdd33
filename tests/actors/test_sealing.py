"""Sealed entries open with their secret, under their key and unchanged, and not otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from actors.sealing import HEAD_BYTES, MAX_TAGS_BYTES, Opened, open_seal, seal, tags_of

SECRET, KEY = b"s" * 32, b"k" * 32
TAGS = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=20), max_size=4
)


@given(st.binary(max_size=200), TAGS)
def test_what_is_sealed_opens_again(entry: bytes, tags: list[str]) -> None:
    sealed = seal(SECRET, KEY, entry, tuple(tags), 12.5)
    assert sealed is not None
    assert open_seal(SECRET, KEY, sealed) == Opened(entry, 12.5, tuple(tags))
    assert tags_of(sealed[:HEAD_BYTES]) == tuple(tags)


def test_another_secret_or_key_opens_nothing() -> None:
    sealed = seal(SECRET, KEY, b"entry", ("a",), 1.0)
    assert sealed is not None
    assert open_seal(b"t" * 32, KEY, sealed) is None
    assert open_seal(SECRET, b"l" * 32, sealed) is None


@given(st.data())
def test_what_was_changed_in_one_byte_or_cut_does_not_open(data: st.DataObject) -> None:
    sealed = seal(SECRET, KEY, b"an entry", ("one", "two"), 1.0)
    assert sealed is not None
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[at] ^= data.draw(st.integers(1, 255))
    assert open_seal(SECRET, KEY, bytes(changed)) is None
    assert open_seal(SECRET, KEY, sealed[:at]) is None


@given(st.binary(max_size=60))
def test_no_bytes_of_a_stranger_open_or_raise(sealed: bytes) -> None:
    assert open_seal(SECRET, KEY, sealed) is None
    assert isinstance(tags_of(sealed), tuple)


def test_parts_do_not_run_into_one_another() -> None:
    sealed = seal(SECRET, b"key", b"entry", (), 1.0)
    assert sealed is not None
    assert open_seal(SECRET, b"keye", sealed[:-5] + b"ntry") is None


def test_tags_that_are_too_long_are_not_kept() -> None:
    assert seal(SECRET, KEY, b"", ("x" * MAX_TAGS_BYTES,), 1.0) is not None
    assert seal(SECRET, KEY, b"", ("x" * (MAX_TAGS_BYTES + 1),), 1.0) is None
