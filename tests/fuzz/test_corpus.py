"""Every input of the corpus, and some hundred spoiled ones by fixed dice, are read or refused as they should be."""

from random import Random

import pytest

from tests.fuzz.mutations import MOST_BYTES, spoil
from tests.fuzz.seeds import CORPUS, seeds_of
from tests.fuzz.targets import TARGETS

SPOILED = 60


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_read_or_refused(target: str) -> None:
    seeds = seeds_of(target)
    assert seeds, f"there is nothing in tests/fuzz/corpus/{target}"
    for data in seeds:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_spoiled_inputs_are_read_or_refused(target: str) -> None:
    seeds, dice = seeds_of(target), Random(target)
    for _ in range(SPOILED):
        TARGETS[target](spoil(dice.choice(seeds), seeds, dice))


def test_every_folder_of_the_corpus_has_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)


def test_the_same_dice_spoil_alike_and_within_bounds() -> None:
    seeds = (b"data: 1\n\n" * 9, b"x" * MOST_BYTES)
    first, again = ([spoil(seeds[n % 2], seeds, Random(n)) for n in range(200)] for _ in range(2))
    assert first == again
    assert len(set(first)) > 150
    assert max(map(len, first)) <= MOST_BYTES
