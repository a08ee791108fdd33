"""How much a model shall think, in each provider's words.

The bands that turn a budget of tokens into an effort are this router's own policy; no provider states any.
"""

from typing import assert_never

from msgspec import Struct

from ucr.dialects.openai_chat.notes import Notes, name
from ucr.dialects.openai_chat.source import object_of
from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

RANKS = ("none", "minimal", "low", "default", "medium", "high", "xhigh", "max")
BANDS = ((2_048, "low"), (8_192, "medium"), (24_576, "high"))
BUDGET_MIN = 1_024


class Wish(Struct, frozen=True):
    """What the client wants: `is_on` and `is_off` are both False when it said nothing of thinking."""

    is_on: bool = False
    is_off: bool = False
    effort: str | None = None
    budget: int | None = None

    @property
    def strength(self) -> str | None:
        """The effort wanted, from the budget when only that was given; None leaves it to the model."""
        if self.effort is not None or self.budget is None:
            return self.effort
        return next((effort for limit, effort in BANDS if self.budget <= limit), "xhigh")


NO_WISH = Wish()


def wish_of(body: JsonObject) -> Wish:
    """Read `thinking` and `output_config.effort` of a canonical body."""
    if "thinking" not in body and "output_config" not in body:
        return NO_WISH
    thinking = object_of(body.get("thinking"))
    effort = object_of(body.get("output_config")).get("effort")
    budget = thinking.get("budget_tokens")
    kind = thinking.get("type")
    return Wish(
        is_on=kind in ("enabled", "adaptive"),
        is_off=kind in ("disabled", "between_tools"),
        effort=effort if isinstance(effort, str) and effort in RANKS else None,
        budget=budget if kind == "enabled" and type(budget) is int and budget > 0 else None,
    )


def thinking_is_wanted(body: JsonObject) -> bool:
    """True when the client asked to see thinking."""
    thinking = body.get("thinking")
    if not isinstance(thinking, dict):
        return False
    return thinking.get("type") in ("enabled", "adaptive") and thinking.get("display") != "omitted"


def nearest_effort(wanted: str, allowed: tuple[str, ...]) -> str | None:
    """Return the wanted effort, else the nearest weaker one that still thinks, else the weakest.

    None when nothing is allowed. `none` is given for `none` alone.
    """
    if wanted in allowed:
        return wanted
    known = sorted((effort for effort in allowed if effort in RANKS[1:]), key=RANKS.index)
    weaker = [effort for effort in known if RANKS.index(effort) < RANKS.index(wanted)]
    return weaker[-1] if weaker else next(iter(known), None)


def write_reasoning(
    wish: Wish, target: Target, *, has_tools: bool, max_tokens: int | None, notes: Notes
) -> JsonObject:
    """Return the fields of the body that ask for thinking."""
    quirks = target.quirks
    efforts = target.profile.efforts
    if not efforts:
        return {}
    match quirks.reasoning:
        case "effort":
            if has_tools and target.profile.reasons_without_tools:
                return _without(wish, target, notes)
            return {} if wish is NO_WISH else _effort(wish, efforts)
        case "openrouter":
            return _openrouter(wish, efforts, max_tokens)
        case "deepseek":
            return {**_switch(wish), **({} if wish.is_off else _effort(wish, efforts))}
        case "thinking":
            return _switch(wish)
        case "groq":
            return _groq(wish, efforts)
        case "together":
            return {"reasoning": {"enabled": wish.is_on}} if wish.is_on or wish.is_off else {}
        case "mistral":
            return _mistral(wish, efforts)
        case "none":
            return {}
        case _ as never:
            assert_never(never)


def _without(wish: Wish, target: Target, notes: Notes) -> JsonObject:
    if not wish.is_off:
        notes.add(f"reasoning off: {name(target.model)} takes no tools beside reasoning on chat completions")
    return {"reasoning_effort": "none"}


def _effort(wish: Wish, efforts: tuple[str, ...]) -> JsonObject:
    if wish.is_off:
        effort = next((least for least in RANKS[:3] if least in efforts), None)
    else:
        effort = nearest_effort(wish.strength, efforts) if wish.strength else None
    return {} if effort is None else {"reasoning_effort": effort}


def _switch(wish: Wish) -> JsonObject:
    if wish.is_on or wish.is_off:
        return {"thinking": {"type": "enabled" if wish.is_on else "disabled"}}
    return {}


def _openrouter(wish: Wish, efforts: tuple[str, ...], max_tokens: int | None) -> JsonObject:
    if wish.is_off:
        return {"reasoning": {"enabled": False}}
    if wish.budget is not None and wish.effort is None:
        budget = wish.budget if max_tokens is None else min(wish.budget, max_tokens - 1)
        if budget >= BUDGET_MIN:
            return {"reasoning": {"max_tokens": budget}}
    if wish.strength is not None:
        return {"reasoning": {"effort": nearest_effort(wish.strength, efforts)}}
    return {"reasoning": {"enabled": True}} if wish.is_on else {}


def _groq(wish: Wish, efforts: tuple[str, ...]) -> JsonObject:
    """Models of the `none default` kind write their thinking into the text unless told to part it."""
    fields = _effort(wish, efforts)
    if "default" in efforts and fields.get("reasoning_effort") != "none":
        fields["reasoning_format"] = "parsed"
    return fields


def _mistral(wish: Wish, efforts: tuple[str, ...]) -> JsonObject:
    if "none" in efforts:
        return _effort(wish, efforts)
    return {"prompt_mode": "reasoning"} if wish.is_on else {}
