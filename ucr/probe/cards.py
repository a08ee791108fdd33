"""Cards of probes as they are kept, and what they change in a configuration. Pure.

A card tells of one model of one provider at one base URL. Of what it saw, that is used which a quirk can say of one model:
images, and thinking that is refused. What the configuration file says itself stays as it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ucr import jsontext
from ucr.config.model import Config, Provider
from ucr.jsontext import JsonError
from ucr.quirks import Quirks, pattern_of

if TYPE_CHECKING:
    from ucr.probe.card import Results

CARDS = 256
"""So many are kept; the oldest goes first."""
REFUSED = "refused"
"""The verdict `lacks`, where the provider itself says so."""
_OF_IMAGES = frozenset({"images", "text_models", "image_models"})
_OF_THINKING = frozenset({"reasoning", "efforts", "model_efforts"})


@dataclass(frozen=True, slots=True)
class Card:
    """`checks` are verdicts by the name of the check; `at` is when it was taken, in UTC. Nothing else is kept."""

    provider: str
    model: str
    base_url: str
    at: str
    checks: Mapping[str, str]

    @property
    def about(self) -> tuple[str, str, str]:
        """What it is a card of: there is one for each."""
        return self.provider, self.model, self.base_url


def card_of(provider: Provider, model: str, results: "Results", now: datetime) -> Card | None:
    """Return the card of a probe; None where the provider did not even answer with text."""
    checks = {check.name: REFUSED if seen.is_refused else str(seen.verdict) for check, seen in results}
    if checks.get("text") != "works":
        return None
    return Card(provider.id, model, place_of(provider.base_url), f"{now:%Y-%m-%dT%H:%M:%SZ}", checks)


def place_of(base_url: str) -> str:
    """Return a base URL without what may be secret in it: a user, a password, a query."""
    url = urlsplit(base_url)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"


def kept_with(cards: Iterable[Card], card: Card) -> tuple[Card, ...]:
    """Return the cards with one more, in place of a former one about the same, the newest at the end."""
    return (*(other for other in cards if other.about != card.about), card)[-CARDS:]


def written(cards: Iterable[Card]) -> bytes:
    """Return what the file holds."""
    return jsontext.dumps({"cards": [asdict(card) for card in cards]})


def read_cards(data: bytes) -> tuple[Card, ...]:
    """Return the cards of a file; raise `ValueError` for one that is damaged."""
    try:
        tree = jsontext.loads(data)
    except JsonError:
        raise ValueError("is no JSON") from None
    listed = tree.get("cards") if isinstance(tree, dict) else None
    if not isinstance(listed, list) or len(listed) > CARDS:
        raise ValueError(f"holds no list of at most {CARDS} cards")
    return tuple(_card(entry) for entry in listed)


def _card(entry: Any) -> Card:
    try:
        card = Card(**entry)
        texts = (*card.about, card.at, *card.checks.keys(), *card.checks.values())
    except (TypeError, AttributeError):
        raise ValueError("holds something that is no card") from None
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("holds something that is no card")
    return card


def laid_over(config: Config, cards: tuple[Card, ...]) -> Config:
    """Return a configuration whose quirks say what the cards saw, with a warning for each card of another base URL."""
    found = [_laid_over(provider, cards) for provider in config.providers]
    warnings = [warning for _, more in found for warning in more]
    providers = tuple(provider for provider, _ in found)
    return replace(config, providers=providers, warnings=(*config.warnings, *warnings))


def _laid_over(provider: Provider, cards: tuple[Card, ...]) -> tuple[Provider, list[str]]:
    place, warnings, told = place_of(provider.base_url), list[str](), list[str]()
    quirks = provider.quirks
    for card in cards:
        if card.provider != provider.id:
            continue
        if card.base_url != place:
            words = f"was taken at {card.base_url} and is ignored, for the provider is asked at {place}"
            warnings.append(f"the card of {card.provider}/{card.model} {words}; probe it again with --save")
            continue
        changes, learned = _learned(quirks, provider.written, card)
        quirks = quirks.with_(changes)
        told.append(f"{card.model} of {card.at}: {', '.join(learned) or 'nothing that is not known already'}")
    return replace(provider, quirks=quirks, cards=tuple(told)), warnings


def _learned(quirks: Quirks, said: frozenset[str], card: Card) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return the quirks that a card changes, and in words what it tells."""
    changes, learned, pattern = dict[str, tuple[str, ...]](), list[str](), pattern_of(card.model)
    images, takes = card.checks.get("images"), quirks.takes_images(card.model)
    if images == REFUSED and takes and not said & _OF_IMAGES:
        changes["text_models"] = (pattern, *quirks.text_models)
        learned.append("takes no images")
    elif images == "works" and not takes and not said & _OF_IMAGES:
        changes["image_models"] = (pattern, *quirks.image_models)
        learned.append("takes images")
    is_asked = bool(quirks.efforts_for(card.model)) and not said & _OF_THINKING
    if card.checks.get("thinking") == REFUSED and is_asked:
        changes["model_efforts"] = (f"{pattern}=", *quirks.model_efforts)
        learned.append("is not asked to think")
    return changes, learned
