import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ucr.config.model import Config, Provider
from ucr.probe.card_file import LIMIT_BYTES, CardFile, card_file, with_cards
from ucr.probe.cards import Card

CARD = Card("up", "m", "https://up.test/v1", "2026-03-01T12:00:00Z", {"text": "works", "images": "refused"})
CONFIG = Config(providers=(Provider("up", "openai-chat", "https://up.test/v1"),))


def environ(folder: Path) -> Mapping[str, str]:
    return {"UCR_STATE_DIR": str(folder)}


def test_a_card_is_kept_for_this_user_alone_in_place_of_a_former_one(tmp_path: Path) -> None:
    file = CardFile(tmp_path / "state")
    assert file.read() == ()
    file.save(CARD)
    file.save(replace(CARD, model="n"))
    file.save(newer := replace(CARD, at="2026-04-01T12:00:00Z"))
    assert file.read() == (replace(CARD, model="n"), newer)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert repr(file) == f"<CardFile {tmp_path}/state/cards.json>"


def test_the_oldest_cards_go_where_the_file_would_be_too_large(tmp_path: Path) -> None:
    file = CardFile(tmp_path)
    for model in "abc":
        file.save(replace(CARD, model=model * (LIMIT_BYTES // 5 * 2)))
    assert [card.model[0] for card in file.read()] == ["b", "c"]
    assert file.path.stat().st_size <= LIMIT_BYTES


def test_saved_cards_are_laid_over_a_configuration(tmp_path: Path) -> None:
    assert with_cards(CONFIG, environ(tmp_path)) is CONFIG
    card_file(environ(tmp_path)).save(CARD)
    found = with_cards(CONFIG, environ(tmp_path))
    assert not found.providers[0].quirks.takes_images("m")
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("data", "words"), [(b"damaged", "is no JSON"), (b"#" * (LIMIT_BYTES + 1), "is larger than 1 MiB")]
)
def test_a_damaged_file_is_ignored_with_a_warning_until_a_card_is_saved(
    data: bytes, words: str, tmp_path: Path
) -> None:
    file = CardFile(tmp_path)
    file.path.write_bytes(data)
    found = with_cards(CONFIG, environ(tmp_path))
    assert found.providers == CONFIG.providers
    assert found.warnings[0].startswith(f"{file.path}: {words}; the cards are ignored")
    file.save(CARD)
    assert file.read() == (CARD,)


def test_a_file_that_cannot_be_read_is_ignored_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "cards.json").mkdir()
    assert "cannot be read" in with_cards(CONFIG, environ(tmp_path)).warnings[0]
