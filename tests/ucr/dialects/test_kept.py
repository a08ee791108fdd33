"""What was made of something is kept for the few targets that were asked last."""

from ucr.dialects.kept import TARGETS, Kept


def test_what_was_made_is_kept_for_a_few_targets() -> None:
    kept = Kept()
    targets = [object() for _ in range(TARGETS + 1)]
    for target in targets:
        assert kept.made(target) is None
        kept.keep(target, str(id(target)))
    assert kept.made(targets[0]) is None
    assert [kept.made(target) for target in targets[1:]] == [str(id(target)) for target in targets[1:]]


def test_what_is_made_anew_takes_the_place_of_what_was() -> None:
    kept, one, two = Kept(), object(), object()
    kept.keep(one, "a")
    kept.keep(two, "b")
    kept.keep(one, "c")
    assert (kept.made(one), kept.made(two)) == ("c", "b")
