"""Which providers may serve a request, in which order.

The steps are a table; the first that claims the request decides, and the general fallbacks follow. Names are
tried as they were asked for first, and then without what clients add to them. Two of the steps look at more than
the model's name: what rules and the routes of tasks make of a request comes as `Claim`s (`ucr.decision`), so
that everything here is a function of configuration, name and claims alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from ucr.config.model import Config, ModelTarget, Provider, Targets
from ucr.dialects.roles import Target
from ucr.errors import ApiError

PICKER_PREFIX = "claude-ucr/"
"""Stands before names in the list for Claude Code, whose picker takes only ids that begin with `claude`."""

_LONG_CONTEXT = re.compile(r"\[1m\]$", re.IGNORECASE)
_TAG = re.compile(r":beta$|[-@]20[0-9]{6}$")

ClaimStep = Literal["rules", "task"]
STEPS = ("alias", "provider", "rules", "task", "listed", "default")
"""The routing order. All but `rules` and `task` look at nothing but the model's name."""

Tier = Literal["optimal", "simple", "emergency"]
TIERS: tuple[Tier, ...] = ("optimal", "simple", "emergency")


@dataclass(frozen=True)
class Candidate:
    """A provider that may serve the request, the model to ask it for, and the step and tier that chose it.

    Like its target it lives as long as the plan that holds it; hence it has no slots.
    """

    provider: Provider
    model: str
    route: str
    tier: Tier = "optimal"

    def __str__(self) -> str:
        return self.words

    @cached_property
    def words(self) -> str:
        """What the journal calls it."""
        return f"{self.provider.id}/{self.model} ({self.route}, {self.tier})"

    @cached_property
    def target(self) -> Target:
        """What a dialect must know of provider and model."""
        provider = self.provider
        return Target(provider.id, self.model, provider.base_url, provider.quirks)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a step that looks into the request wants: to serve it from these targets, as this route."""

    step: ClaimStep
    route: str
    targets: Targets


@dataclass(frozen=True, slots=True)
class Considered:
    """A step that was asked: the targets that it named, and whether one of them can serve."""

    step: str
    targets: Targets
    is_decisive: bool


def trail(config: Config, model: str, claims: Iterable[Claim] = ()) -> tuple[Considered, ...]:
    """Return the steps that are asked for a request, in order; all of them when none of them decides."""
    asked, claims = plain_name(model), tuple(claims)
    steps = []
    for step in STEPS:
        route, targets = _targets(config, step, asked, claims)
        steps.append(Considered(step, targets, any(served(config, targets, asked, route))))
        if steps[-1].is_decisive:
            break
    return tuple(steps)


def is_named(config: Config, model: str) -> bool:
    """True when the name alone says who serves: it is an alias, or names a provider."""
    asked = plain_name(model)
    return any(
        any(served(config, _BY_NAME[step](config, asked), asked, step)) for step in ("alias", "provider")
    )


def candidates(config: Config, model: str, claims: Iterable[Claim] = ()) -> tuple[Candidate, ...]:
    """Return who may serve a request, best first and never empty; raise `ApiError` 404 when nobody may."""
    asked, claims = plain_name(model), tuple(claims)
    for step in STEPS:
        route, targets = _targets(config, step, asked, claims)
        chosen = tuple(served(config, targets, asked, route))
        if chosen:
            rest = served(config, config.router.fallbacks, asked, "fallback")
            return tuple(without_repeats((*chosen, *rest)))
    raise not_found(model)


def plan(config: Config, model: str, claims: Iterable[Claim] = ()) -> tuple[Candidate, ...]:
    """Return everybody who may be asked, in three tiers, without repeats; raise `ApiError` 404 as `candidates`.

    Optimal: whom the routing chose, and the fallbacks. Simple: the default, then whoever lists the model, by
    priority. Emergency: every enabled provider, by priority, with a model of its own.
    """
    asked = plain_name(model)
    optimal = candidates(config, model, claims)
    simple = (
        *served(config, _by_default(config, asked), asked, "default"),
        *served(config, _by_listing(config, asked), asked, "listed"),
    )
    own = tuple(ModelTarget(p.id, next(iter(models_of(p)), None)) for p in by_priority(config))
    emergency = served(config, own, asked, "emergency")
    tiers = zip(TIERS, (optimal, simple, emergency), strict=True)
    return tuple(without_repeats(replace(c, tier=tier) for tier, chosen in tiers for c in chosen))


def plain_name(model: str) -> str:
    """Return the name without the marks that clients put round it and no provider knows."""
    return _LONG_CONTEXT.sub("", model.strip()).removeprefix(PICKER_PREFIX)


def not_found(model: str) -> ApiError:
    """Return the error for a model that nobody serves."""
    return ApiError(
        "not_found_error",
        f"model: {model[:200]} is served by no provider; GET /v1/models lists what is served, and "
        "router.default in the configuration says who serves the rest",
        param="model",
        code="model_not_found",
        should_retry=False,
    )


def spellings(asked: str) -> tuple[str, ...]:
    """Return the names under which a model is looked up: as asked for, then without tag or date."""
    return tuple(dict.fromkeys((asked, _TAG.sub("", asked))))


def by_priority(config: Config) -> tuple[Provider, ...]:
    """Return the enabled providers, highest priority first, else in the order of the file."""
    return tuple(sorted((p for p in config.providers if p.enabled), key=lambda p: -p.priority))


def models_of(provider: Provider) -> tuple[str, ...]:
    """Return the models that a provider is known to serve, its default model first."""
    first = () if provider.default_model is None else (provider.default_model,)
    return tuple(dict.fromkeys((*first, *provider.models)))


def _by_alias(config: Config, asked: str) -> Targets:
    return next((config.models[name] for name in spellings(asked) if name in config.models), ())


def _by_provider(config: Config, asked: str) -> Targets:
    provider, slash, model = asked.partition("/")
    return (ModelTarget(provider, model),) if slash and model else ()


def _by_listing(config: Config, asked: str) -> Targets:
    providers = by_priority(config)
    for name in spellings(asked):
        listed = tuple(ModelTarget(p.id, name) for p in providers if name in models_of(p))
        if listed:
            return listed
    return ()


def _by_default(config: Config, _asked: str) -> Targets:
    return config.router.default


_BY_NAME: Mapping[str, Callable[[Config, str], Targets]] = MappingProxyType(
    {"alias": _by_alias, "provider": _by_provider, "listed": _by_listing, "default": _by_default}
)


def _targets(config: Config, step: str, asked: str, claims: tuple[Claim, ...]) -> tuple[str, Targets]:
    """Return the route of a step and the targets that it names, none when it claims nothing."""
    by_name = _BY_NAME.get(step)
    if by_name is not None:
        return step, by_name(config, asked)
    return next(((claim.route, claim.targets) for claim in claims if claim.step == step), (step, ()))


def served(config: Config, targets: Targets, asked: str, route: str) -> Iterable[Candidate]:
    """Give the candidates that targets come to for a name, which is plain; who is not enabled is left out."""
    for target in targets:
        provider = config.provider(target.provider)
        if provider is not None:
            yield Candidate(provider, target.model or provider.default_model or _bare(config, asked), route)


def _bare(config: Config, asked: str) -> str:
    """Return the name asked for without the provider that it was asked of."""
    first, slash, rest = asked.partition("/")
    return rest if slash and config.provider(first) is not None else asked


def without_repeats(chosen: Iterable[Candidate]) -> Iterable[Candidate]:
    """Give each provider and model once, where it stands first."""
    first: dict[tuple[str, str], Candidate] = {}
    for candidate in chosen:
        first.setdefault((candidate.provider.id, candidate.model), candidate)
    return first.values()
