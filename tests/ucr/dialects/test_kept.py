"""What was made of something is kept for the few targets that were asked last."""

import pytest

from ucr.dialects.kept import TARGETS, Kept


def test_what_was_made_is_kept_for_a_few_targets() -> None:
    kept = Kept(b"", b"")
    targets = [object() for _ in range(TARGETS + 1)]
    for target in targets:
        assert kept.made(target) is None
        kept.keep(target, str(id(target)))
    assert kept.made(targets[0]) is None
    assert [kept.made(target) for target in targets[1:]] == [str(id(target)) for target in targets[1:]]


def test_what_is_made_anew_takes_the_place_of_what_was() -> None:
    kept, one, two = Kept(b"", b""), object(), object()
    kept.keep(one, "a")
    kept.keep(two, "b")
    kept.keep(one, "c")
    assert (kept.made(one), kept.made(two)) == ("c", "b")


def test_what_a_text_begins_with_is_known_of_it() -> None:
    one, first = object(), Kept(b'{"model":"m"}', b'{"model":"m"}')
    first.keep(one, "a")
    second = Kept(first.text + b"[" * 370, b"[" * 370, first)
    assert (second.made(one), second.names_model, second.tokens) == ("a", True, first.tokens + 100)
    second.keep(one, "b")
    assert first.made(one) == "a"


@pytest.mark.parametrize(
    ("text", "is_named"),
    [(b'{"model":{}}', False), (b'{"model":"x"}', True), (b'{"m\\u006fdel":1}', True)],
)
def test_a_text_tells_whether_the_key_of_a_model_may_stand_in_it(text: bytes, is_named: bool) -> None:
    assert Kept(text, text).names_model is is_named
    assert Kept(b"x" + text, text, Kept(b"x", b"x")).names_model is is_named
