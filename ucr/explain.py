"""Why a request is routed as it is, as plain data and in words. Pure: nobody is asked, and nothing is sent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ucr import shape
from ucr.choice import chosen
from ucr.config.model import Config
from ucr.config.rule_model import Rule
from ucr.decision import Decision, decide
from ucr.errors import ApiError
from ucr.jsontext import JsonObject
from ucr.routing import Candidate, trail
from ucr.steered import Steered
from ucr.tasks import tasks_of
from ucr.window import Size, fit, window_of

Refusals = Callable[[Candidate], tuple[str, ...]]
"""Says why a candidate would not be asked now; nothing where it would, or where that is not known."""


def _nothing(_candidate: Candidate) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Who is asked in which order, or the error that the client gets."""

    decision: Decision | None
    choices: tuple[Candidate, ...]
    error: ApiError | None = None


def explained(
    config: Config, steered: Steered, refusals: Refusals, remedies: Refusals = _nothing
) -> JsonObject:
    """Return why a request is routed as it is: a tree of plain data, described in docs/routing.md.

    `remedies` says what is changed in requests for a candidate since it refused them.
    """
    facts, outcome = steered.facts, _outcome(config, steered)
    steering = steered.steering
    name = steering.model or facts.model
    decision = outcome.decision
    considered = trail(config, name, steering.claims) if decision is None else decision.trail
    error = outcome.error
    return {
        "model": facts.model,
        "routed_as": name,
        "dialect": facts.request.dialect,
        "client": facts.client,
        "session": facts.session,
        "agent": facts.agent,
        "kind": facts.kind,
        "tasks": list(tasks_of(facts, config.router.token_threshold)),
        "tokens": _tokens(config, steered),
        "steps": [
            {"step": step.step, "targets": [str(t) for t in step.targets], "decides": step.is_decisive}
            for step in considered
        ],
        "rules": list(_rules(config.router.rules, steered)),
        "custom": _custom(config, steered),
        "rewritten": list(steered.notes),
        "route": None if decision is None else decision.route,
        "affinity": _affinity(outcome, facts.session),
        "candidates": list(_candidates(config, outcome, steered, refusals, remedies)),
        "disabled": [provider.id for provider in config.providers if not provider.enabled],
        "error": None
        if error is None
        else {"status": error.status, "type": error.type, "message": error.message},
    }


def _outcome(config: Config, steered: Steered) -> _Outcome:
    try:
        decision = decide(config, steered.facts, steered.steering)
    except ApiError as error:
        return _Outcome(None, (), error)
    try:
        return _Outcome(decision, chosen(config, decision, steered.facts.request))
    except ApiError as error:
        return _Outcome(decision, (), error)


def _tokens(config: Config, steered: Steered) -> JsonObject:
    size = _size(steered)
    return {
        "input": size.input_tokens,
        "output": size.output_tokens,
        "counted": size.tokens,
        "token_threshold": config.router.token_threshold,
    }


def _size(steered: Steered) -> Size:
    return Size(steered.facts.input_tokens, steered.facts.output_tokens)


def _rules(rules: Iterable[Rule], steered: Steered) -> Iterator[JsonObject]:
    """Give each rule: whether it holds, or which condition does not; None: it was not looked at."""
    looked = {one.rule: one.failed for one in steered.ruling.looked}
    for rule in rules:
        holds = None if rule.name not in looked else looked[rule.name] is None
        yield {"rule": rule.name, "holds": holds, "because": looked.get(rule.name)}


def _custom(config: Config, steered: Steered) -> JsonObject | None:
    if config.router.custom is None:
        return None
    advice = steered.advice
    if advice is None:
        return {"outcome": "not asked", "targets": [], "words": ""}
    targets = [str(target) for target in advice.targets]
    return {"outcome": advice.outcome, "targets": targets, "words": advice.words}


def _affinity(outcome: _Outcome, session: str | None) -> JsonObject | None:
    """Return among whom the session has a choice, and whom it prefers."""
    decision = outcome.decision
    if decision is None or not decision.ties:
        return None
    equals = [[c.provider.id for c in decision.candidates[start:end]] for start, end in decision.ties]
    first = next((c.provider.id for c in outcome.choices if c.provider.id in equals[0]), None)
    return {"equals": equals, "prefers": first if session else None}


def _candidates(
    config: Config, outcome: _Outcome, steered: Steered, refusals: Refusals, remedies: Refusals
) -> Iterator[JsonObject]:
    """Give everybody who may be asked, in this order, and then who is not asked because it is too small."""
    decision = outcome.decision
    asked = list(outcome.choices)
    left_out = [] if decision is None else [c for c in decision.candidates if c not in asked]
    for order, candidate in enumerate((*asked, *left_out), 1):
        is_asked = order <= len(asked)
        yield {
            "order": order if is_asked else None,
            "tier": candidate.tier,
            "provider": candidate.provider.id,
            "model": candidate.model,
            "route": candidate.route,
            "window": window_of(candidate),
            "refusals": [*_unfit(candidate, steered, is_asked), *refusals(candidate)],
            "remedies": list(remedies(candidate)),
        }


def _unfit(candidate: Candidate, steered: Steered, is_asked: bool) -> Iterator[str]:
    facts = steered.facts
    if candidate.tier == "emergency" and not shape.fits(candidate.provider, candidate.model, facts.body):
        yield "it does not take what the request holds (tools or images)"
    if not is_asked:
        words = {"too small": "its window is too small", "tight": "its window may be too small"}
        yield words.get(fit(candidate, _size(steered)), "another has more room for certain")


def in_words(explanation: JsonObject) -> Iterator[str]:
    """Give the lines of an explanation for somebody who reads."""
    tokens = explanation["tokens"]
    yield f"{explanation['model']} ({explanation['dialect']}, {explanation['kind']})"
    yield f"  tokens: {tokens['input']} to read, up to {tokens['output']} to write"
    yield f"  long context: from {tokens['token_threshold']} on; {tokens['counted']} count"
    yield f"  tasks: {', '.join(explanation['tasks']) or 'none'}"
    yield from _names(explanation)
    yield "  steps:"
    for step in explanation["steps"]:
        mark = "  <- decides" if step["decides"] else ""
        yield f"    {step['step']:<9} {', '.join(step['targets']) or 'nobody'}{mark}"
    yield from _rule_words(explanation)
    if explanation["error"] is not None:
        yield f"  refused: {explanation['error']['status']} {explanation['error']['message']}"
    yield "  asked, in this order:"
    for entry in explanation["candidates"]:
        order = "-" if entry["order"] is None else entry["order"]
        window = "" if entry["window"] is None else f", window {entry['window']}"
        why = f"  not now: {'; '.join(entry['refusals'])}" if entry["refusals"] else ""
        yield f"    {order} {entry['tier']:<9} {entry['provider']}/{entry['model']} ({entry['route']}{window}){why}"
        if entry["remedies"]:
            yield f"      since it refused: {'; '.join(entry['remedies'])}"
    if explanation["disabled"]:
        yield f"  not enabled: {', '.join(explanation['disabled'])}"


def _names(explanation: JsonObject) -> Iterator[str]:
    """Give the lines of what only some requests have."""
    if explanation["routed_as"] != explanation["model"]:
        yield f"  routed as: {explanation['routed_as']}"
    if explanation["rewritten"]:
        yield f"  rewritten: {'; '.join(explanation['rewritten'])}"
    if explanation["affinity"] is not None:
        equals = "; ".join(", ".join(group) for group in explanation["affinity"]["equals"])
        prefers = explanation["affinity"]["prefers"] or "nobody: it is none"
        yield f"  equals: {equals}; the session prefers {prefers}"


def _rule_words(explanation: JsonObject) -> Iterator[str]:
    if explanation["rules"]:
        yield "  rules:"
    for rule in explanation["rules"]:
        held = {True: "holds", None: "was not looked at"}.get(
            rule["holds"], f"does not hold: {rule['because']}"
        )
        yield f"    {rule['rule']:<9} {held}"
    if explanation["custom"] is not None:
        said = explanation["custom"]
        yield f"  custom router: {' '.join((said['outcome'], *said['targets'], said['words']))}".rstrip()
