"""Budgets of clients: from which account a request spends, and what it may cost at most. Pure.

How this works. The most that a request can cost is held before it is sent: its input as large as it is likely to be and
all of it written to a cache, and as much output as it allows. Candidates that cost more than those whom the routing chose
first are left out, so that no fallback costs more than was held; those whose price nobody knows are left out as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ucr.config.model import Budget, Client
from ucr.dialects.roles import Request
from ucr.errors import ApiError
from ucr.jsontext import JsonObject
from ucr.pricing import Pricing, usd
from ucr.routing import Candidate

UNKNOWN_OUTPUT_TOKENS = 16_384
"""What a request that limits its output nowhere is taken to allow."""
MARGIN = 1.25
"""How much larger than estimated the input may be."""
HELD_RETRY_S = 5
"""When to try again while running requests hold what is missing."""

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_TIMES = ("n",)
_NESTED = (
    ("generationConfig", ("maxOutputTokens",), ("candidateCount",)),
    ("generation_config", ("max_output_tokens",), ("candidate_count",)),
)
_PERIODS = (("day", "a day"), ("month", "a month"), ("total", "in all"))


@dataclass(frozen=True, slots=True)
class Account:
    """A client's account of a day or a month (UTC), or for ever; it ends at `until_s`, Unix time."""

    name: str
    until_s: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that a request may cost, in billionths of a US dollar, and who may serve it for that."""

    amount: int
    choices: tuple[Candidate, ...]


def account_of(client: Client, budget: Budget, now_s: float) -> Account:
    """Return the account from which a client spends now."""
    if budget.per == "total":
        return Account(f"{client.name}/total", math.inf)
    day = datetime.fromtimestamp(now_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if budget.per == "day":
        return Account(f"{client.name}/{day:%Y-%m-%d}", (day + timedelta(days=1)).timestamp())
    later = day.replace(day=1) + timedelta(days=32)
    return Account(f"{client.name}/{day:%Y-%m}", later.replace(day=1).timestamp())


def estimated(
    client: Client, request: Request, input_tokens: int, choices: Sequence[Candidate], pricing: Pricing
) -> Estimate:
    """Return what a request costs at most; raise `ApiError` 403 when nobody knows that of any candidate."""
    costs = [(choice, _most(request, input_tokens, choice, pricing)) for choice in choices]
    known = [(choice, cost) for choice, cost in costs if cost is not None]
    if not known:
        raise _unpriced(client, choices[0])
    amount = max(cost for choice, cost in known if choice.tier == known[0][0].tier)
    return Estimate(amount, tuple(choice for choice, cost in known if cost <= amount))


def _most(request: Request, input_tokens: int, choice: Candidate, pricing: Pricing) -> int | None:
    output, answers = _output_limit(request.own_body)
    if output is None:
        output = choice.provider.quirks.output_limit_for(choice.model) or UNKNOWN_OUTPUT_TOKENS
    return pricing.most_for(
        choice.provider.id, choice.model, math.ceil(input_tokens * MARGIN), output * answers
    )


def _output_limit(body: JsonObject) -> tuple[int | None, int]:
    """Return how much output a request allows for an answer, None when it does not say, and how many answers it wants.

    Of several limits the highest counts: which of them a provider looks at is not known here.
    """
    limits, answers = _numbers(body, _LIMITS), _numbers(body, _TIMES)
    for outer, inner, times in _NESTED:
        nested = body.get(outer)
        if isinstance(nested, dict):
            limits += _numbers(nested, inner)
            answers += _numbers(nested, times)
    return max(limits, default=None), max(answers, default=1) or 1


def _numbers(body: JsonObject, names: Sequence[str]) -> list[int]:
    """Return the amounts among these fields; some providers take 100.0 for 100."""
    found = [body.get(name) for name in names]
    return [
        math.ceil(value)
        for value in found
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
    ]


def _unpriced(client: Client, choice: Candidate) -> ApiError:
    where = f"provider = {choice.provider.id!r} and model = {choice.model!r}"
    return ApiError(
        "permission_error",
        f"client {client.name!r} has a budget, and what {choice.provider.id}/{choice.model} costs is not known; "
        f"add [[prices]] with {where}",
        should_retry=False,
    )


def overspent(
    client: Client, budget: Budget, estimate: int, spent: int, held: int, seconds_left: float
) -> ApiError:
    """Return what a client is told whose budget has not so much left."""
    period = next(words for name, words in _PERIODS if name == budget.per)
    is_held = estimate <= budget.nano - spent
    words = (
        f"client {client.name!r}: this request may cost {usd(estimate):.4f} USD, which is not left of the budget of "
        f"{budget.usd:g} USD {period}: {usd(spent):.4f} USD are spent"
    )
    if held:
        words += f", and running requests hold {usd(held):.4f} USD"
    retry_after_s = HELD_RETRY_S if is_held else None if seconds_left == math.inf else math.ceil(seconds_left)
    return ApiError(
        "rate_limit_error",
        f"{words}; ask for fewer tokens of output, or raise clients.{client.name}.budget",
        retry_after_s=retry_after_s,
        should_retry=None if is_held else False,
        code="budget_exceeded",
    )
