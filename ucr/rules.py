"""The rules of a configuration, asked about one request. Pure.

Rules are looked at in their order. One that only rewrites holds beside others; the first that says where a
request goes ends it. Conditions look at the request as the client sent it, whatever has been rewritten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from actors import weighted
from ucr.conditions import conditions
from ucr.config.model import Targets
from ucr.config.rule_model import Rewrite, Rule
from ucr.facts import Facts
from ucr.routing import Claim


@dataclass(frozen=True, slots=True)
class Looked:
    """A rule that was looked at, and the condition that did not hold; None: all of them did."""

    rule: str
    failed: str | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules make of a request: where it goes, under which name it is routed, what is rewritten by whom."""

    claim: Claim | None = None
    model: str | None = None
    rewrites: tuple[tuple[str, Rewrite], ...] = ()
    looked: tuple[Looked, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether a rule says where the request goes, or by which name it is routed."""
        return self.claim is not None or self.model is not None


class Rules:
    """The rules, ready to be asked; made once for a configuration."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple((rule, conditions(rule.when)) for rule in rules)

    def __repr__(self) -> str:
        return f"<Rules: {', '.join(rule.name for rule, _ in self._rules) or 'none'}>"

    def ruling(self, facts: Facts, unix_time: float, *, is_named: bool = False) -> Ruling:
        """Return what the rules say. `is_named`: its name says where the request goes, so that rules only rewrite."""
        rewrites: list[tuple[str, Rewrite]] = []
        looked: list[Looked] = []
        for rule, wanted in self._rules:
            if is_named and rule.decides:
                continue
            failed = next((name for name, holds in wanted if not holds(facts, unix_time)), None)
            looked.append(Looked(rule.name, failed))
            if failed is None:
                if rule.rewrite is not None:
                    rewrites.append((rule.name, rule.rewrite))
                if rule.decides:
                    model = None if rule.rewrite is None else rule.rewrite.model
                    return Ruling(_claim(rule, facts), model, tuple(rewrites), tuple(looked))
        return Ruling(rewrites=tuple(rewrites), looked=tuple(looked))


def _claim(rule: Rule, facts: Facts) -> Claim | None:
    targets = rule.targets or _shared(rule, facts)
    return Claim("rules", f"rule:{rule.name}", targets) if targets else None


def _shared(rule: Rule, facts: Facts) -> Targets:
    """Return the targets of an experiment, the one first to which the session, or else this very request, belongs."""
    by_name = {str(weight.target): weight for weight in rule.weights}
    shares = ((name, weight.share) for name, weight in by_name.items())
    return tuple(by_name[name].target for name in weighted(f"{rule.name}:{_who(facts)}", shares))


def _who(facts: Facts) -> str:
    if facts.session:
        return facts.session
    return f"{facts.client or ''}:{sha256(facts.request.raw).hexdigest()}"
