"""Who shall serve a request, decided once for all requests of which it cannot differ.

How this works: two steps of the routing order look into the request, and everything else goes by the model's
name. What those two make of a request is a `Claim`; claims are made by *claimers*, which a configuration has
only for what it says. Name and claims decide everything, so a decision is kept for them: for the name alone where
no claim could change it, and with the claims otherwise. Nothing is kept for longer than its configuration.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from ucr import tasks
from ucr.affinity import Ties, ties_of
from ucr.config.model import Config
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.routing import TIERS, Candidate, Claim, Considered, plan, trail
from ucr.window import narrowest

KEPT_LIMIT = 256
KEPT_CANDIDATES = 8192
"""A candidate takes 600 bytes or so, and a decision has three of a provider at most: 5 MB in all."""

NAME_CHARS = 200

Claimer = Callable[[Facts], Claim | None]
"""Says what a request is to be served as; None: it has nothing to say."""


@dataclass(frozen=True, slots=True)
class Steering:
    """What the rules or the custom router claim of a request, and the name that it is routed by instead of its own."""

    claims: tuple[Claim, ...] = ()
    model: str | None = None


UNSTEERED = Steering()


@dataclass(frozen=True, slots=True)
class Decision:
    """Everybody who may be asked, in three tiers and never empty, and the steps that led to them.

    In `ties` sessions have a choice (`ucr.affinity`). A request of fewer bytes than `narrowest` fits everybody's
    window: it is the least that is known.
    """

    candidates: tuple[Candidate, ...]
    trail: tuple[Considered, ...]
    ties: Ties = ()
    narrowest: int = sys.maxsize

    @property
    def route(self) -> str:
        """The route of whom the routing chose."""
        return self.candidates[0].route

    @property
    def goes_by_name(self) -> bool:
        """True when no step that looks into a request was asked: its like is always decided like this."""
        return all(step.step not in ("rules", "task") for step in self.trail)


CLAIMERS: tuple[Callable[[Config], Claimer | None], ...] = (tasks.claimer_of,)
"""Each makes a claimer of a configuration, or None where the configuration gives it nothing to do."""


def claimers_of(config: Config) -> tuple[Claimer, ...]:
    """Return what is asked for claims, in the order of the steps; nothing where names decide everything."""
    made = (make(config) for make in CLAIMERS)
    return tuple(claimer for claimer in made if claimer is not None)


def decide(config: Config, facts: Facts, steering: Steering = UNSTEERED) -> Decision:
    """Decide about a request; raise `ApiError` 404 when nobody may serve it."""
    claims = (*steering.claims, *_claims(claimers_of(config), facts))
    return _decided(config, steering.model or facts.model, claims)


class Decisions:
    """The decisions of one configuration: made when a request first needs them, and kept.

    Clients may ask for any name, so only `limit` decisions are kept, fewer where they are of many providers: the
    latest that were made, and none for a name that is longer than any model's.
    """

    def __init__(self, config: Config, limit: int = KEPT_LIMIT) -> None:
        self._config = config
        self._limit = max(1, min(limit, KEPT_CANDIDATES // max(1, len(TIERS) * len(config.providers))))
        self._claimers = claimers_of(config)
        self._looks = bool(self._claimers or config.router.rules or config.router.custom)
        self._kept: dict[object, Decision] = {}

    def __repr__(self) -> str:
        return f"<Decisions: {len(self._kept)}>"

    def decide(self, request: Request, client: str | None = None) -> Decision:
        """Return what `decide` returns; raise as it does."""
        known = self._kept.get(request.model)
        return self._looked_at(request, client) if known is None else known

    def decide_steered(self, facts: Facts, steering: Steering) -> Decision:
        """Return what the function `decide` returns; raise as it does."""
        model = steering.model or facts.model
        known = self._kept.get(model)
        if known is not None:
            return known
        claims = (*steering.claims, *_claims(self._claimers, facts))
        known = self._kept.get((model, claims))
        return self._made(model, claims) if known is None else known

    def _looked_at(self, request: Request, client: str | None) -> Decision:
        claims = _claims(self._claimers, Facts(request, client)) if self._claimers else ()
        known = self._kept.get((request.model, claims)) if self._claimers else None
        return self._made(request.model, claims) if known is None else known

    def _made(self, model: str, claims: tuple[Claim, ...]) -> Decision:
        made = _decided(self._config, model, claims)
        if len(model) <= NAME_CHARS:
            if len(self._kept) >= self._limit:
                del self._kept[next(iter(self._kept))]
            by_name = made.goes_by_name or not self._looks
            self._kept[model if by_name else (model, claims)] = made
        return made


def _claims(claimers: tuple[Claimer, ...], facts: Facts) -> tuple[Claim, ...]:
    made = (claimer(facts) for claimer in claimers)
    return tuple(claim for claim in made if claim is not None)


def _decided(config: Config, model: str, claims: tuple[Claim, ...]) -> Decision:
    candidates = plan(config, model, claims)
    return Decision(candidates, trail(config, model, claims), ties_of(candidates), narrowest(candidates))
