"""The file in which the cards of probes are kept, in the state folder: this user's alone, and always whole."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ucr.config.model import Config
from ucr.config.places import state_folder
from ucr.private_file import locked, replace_whole
from ucr.probe.cards import Card, kept_with, laid_over, read_cards, written

NAME = "cards.json"
LIMIT_BYTES = 1024 * 1024


class CardFile:
    """The cards in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def __repr__(self) -> str:
        return f"<CardFile {self.path}>"

    def read(self) -> tuple[Card, ...]:
        """Return what is kept; raise `ValueError` for a file that cannot be read or is damaged."""
        try:
            with self.path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ValueError(f"{self.path}: cannot be read: {error.strerror}") from None
        if len(data) > LIMIT_BYTES:
            raise ValueError(f"{self.path}: is larger than 1 MiB")
        try:
            return read_cards(data)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None

    def save(self, card: Card) -> None:
        """Keep a card, in place of what is damaged as well; raise `OSError` when it cannot be written.

        The oldest cards go where the file would be larger than is read.
        """
        with locked(self.path):
            try:
                kept = self.read()
            except ValueError:
                kept = ()
            cards = kept_with(kept, card)
            while len(data := written(cards)) > LIMIT_BYTES:
                cards = cards[1:]
            replace_whole(self.path, data)


def card_file(environ: Mapping[str, str]) -> CardFile:
    """Return the file that this environment means."""
    return CardFile(Path(state_folder(environ)))


def with_cards(config: Config, environ: Mapping[str, str]) -> Config:
    """Return a configuration with the saved cards laid over it; with a warning instead where they cannot be read."""
    try:
        cards = card_file(environ).read()
    except ValueError as error:
        words = f"{error}; the cards are ignored: probe again with --save, or remove the file"
        return replace(config, warnings=(*config.warnings, words))
    return laid_over(config, cards) if cards else config
