"""Makes a plan that fails smaller, as long as it still fails in the same way. Pure.

How this works. What was left out stays out when the smaller plan still breaks the same law: first the time after the
failure, then halves and then single ones of the spells and blows, then habits and features, then half of the clients.
It begins again until nothing more can go, or `tries` runs were made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ucr.stress.plan import Plan, changed

Try = Callable[[Plan], bool]
"""Whether a plan still fails in the same way."""

TRIES = 60


@dataclass(slots=True)
class _Budget:
    left: int


def shrink(plan: Plan, failed_at_s: float, fails: Try, tries: int = TRIES) -> Plan:
    """Return the smallest plan that was found and fails; the plan itself when none does."""
    budget = _Budget(tries)
    first = changed(plan, seconds=min(plan.seconds, failed_at_s + 1))
    if first != plan and _fails(first, fails, budget):
        plan = first
    smaller: Plan | None = plan
    while smaller is not None:
        plan = smaller
        smaller = next((one for one in _smaller(plan) if _fails(one, fails, budget)), None)
    return plan


def _fails(plan: Plan, fails: Try, budget: _Budget) -> bool:
    if budget.left <= 0:
        return False
    budget.left -= 1
    return fails(plan)


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Give plans that are a little smaller, those that are much smaller first."""
    for size in sorted({max(1, len(plan.spells) // 2), 1}, reverse=True) if plan.spells else ():
        for at in range(0, len(plan.spells), size):
            yield changed(plan, spells=plan.spells[:at] + plan.spells[at + size :])
    for size in sorted({max(1, len(plan.blows) // 2), 1}, reverse=True) if plan.blows else ():
        for at in range(0, len(plan.blows), size):
            yield changed(plan, blows=plan.blows[:at] + plan.blows[at + size :])
    if plan.clients > 1:
        half = plan.clients // 2
        yield changed(plan, clients=half, rate=plan.rate * half / plan.clients)
    for habit in plan.habits:
        yield changed(plan, habits=tuple(one for one in plan.habits if one != habit))
    for feature in ("has_cache", "has_limits", "is_narrow", "has_hedges"):
        if getattr(plan, feature):
            yield changed(plan, **{feature: False})
    if plan.seconds > 2:
        yield changed(plan, seconds=plan.seconds / 2)
