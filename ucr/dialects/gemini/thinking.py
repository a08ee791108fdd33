"""How much a Gemini model shall think.

Gemini 3 takes a level, Gemini 2.5 a budget of tokens; what is older does not think. Sources: the page on thinking
of the Gemini API. What share of a budget an effort is, is this router's own policy.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ucr.dialects.openai_chat.reasoning import Wish, nearest_effort, thinking_is_wanted, wish_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject
from ucr.quirks import matches

UNTHINKING = ("gemini-1*", "gemini-2.0*", "gemma*", "learnlm*")
BUDGETED = ("gemini-2.5*",)
PRO = ("gemini-2.5-pro*",)

FLASH_BUDGETS = (0, 24_576)
PRO_BUDGETS = (128, 32_768)
"""The least and the most that may be thought; a Pro model always thinks."""

AUTOMATIC = -1
"""The budget that leaves it to the model."""

_SHARES: Mapping[str, float] = MappingProxyType(
    {"minimal": 0.02, "low": 0.1, "medium": 0.3, "high": 0.6, "xhigh": 0.9, "max": 1.0}
)
_LEAST_BUDGET = 512
"""The smallest budget of Flash-Lite, should a model think at all."""


def write_thinking(body: JsonObject, target: Target, max_tokens: int | None) -> JsonObject:
    """Return the `thinkingConfig`, {} to leave all to the model."""
    wish, model = wish_of(body), target.model
    if matches(model, UNTHINKING):
        return {}
    is_budgeted = matches(model, BUDGETED)
    made = _budget(wish, model, max_tokens) if is_budgeted else _level(wish, target.profile.efforts)
    return {**made, "includeThoughts": True} if thinking_is_wanted(body) else made


def _level(wish: Wish, efforts: tuple[str, ...]) -> JsonObject:
    """Thinking cannot be switched off: who wants none gets the weakest level that every model has."""
    wanted = "low" if wish.is_off else wish.strength
    level = nearest_effort(wanted, efforts) if wanted else None
    return {} if level is None else {"thinkingLevel": level.upper()}


def _budget(wish: Wish, model: str, max_tokens: int | None) -> JsonObject:
    least, most = PRO_BUDGETS if matches(model, PRO) else FLASH_BUDGETS
    if wish.is_off:
        return {"thinkingBudget": least}
    if wish.budget is None and wish.effort is None:
        return {"thinkingBudget": AUTOMATIC} if wish.is_on else {}
    if wish.effort is None:
        wanted = wish.budget or 0
    else:
        wanted = int(most * _SHARES.get(wish.effort, 0.0))
    ceiling = most if max_tokens is None else min(most, max_tokens - 1)
    budget = min(max(wanted, _LEAST_BUDGET), ceiling)
    return {"thinkingBudget": max(budget, least)}
