"""Thinking as the model at hand wants it asked for.

Only for requests whose model or dialect the router changed: what a client says to the model it named passes as
it is. The tables between budgets and efforts are UCR's own policy; no provider publishes one.
"""

from ucr.dialects.anthropic.family import Family
from ucr.jsontext import JsonObject

MIN_BUDGET = 1024
"""The least thinking budget that the API takes; a budget must also stay below `max_tokens`."""

_EFFORT_OF_BUDGET = ((2048, "low"), (8192, "medium"), (24_576, "high"))
_TENTHS_OF_EFFORT = (("low", 1), ("medium", 3), ("high", 6), ("xhigh", 9), ("max", 9))


def effort_of(budget: int) -> str:
    """Return the effort that comes nearest to a thinking budget."""
    return next((effort for limit, effort in _EFFORT_OF_BUDGET if budget <= limit), "xhigh")


def budget_of(effort: object, max_tokens: int) -> int:
    """Return the share of `max_tokens` that an effort may think; no effort is a high one, as at Anthropic."""
    tenths = next((share for name, share in _TENTHS_OF_EFFORT if name == effort), 6)
    return max(MIN_BUDGET, max_tokens * tenths // 10)


def fitted(body: JsonObject, family: Family) -> tuple[JsonObject, tuple[str, ...]]:
    """Return a body whose thinking and effort the family accepts, and notes of what was changed."""
    before = body.get("thinking"), _effort(body)
    limit = family.output_tokens if body.get("max_tokens") is None else body["max_tokens"]
    if family.thinking in ("none", "budget"):
        body = _by_budget(body, family, limit)
    elif family.thinking == "adaptive":
        body = _adaptive(body, family)
    elif _kind(body) == "between_tools":
        body = _with_thinking(body, {"type": "disabled"})
    body = _within_limit(body, limit)
    if (body.get("thinking"), _effort(body)) == before:
        return body, ()
    return body, (f"thinking adapted to {family.kind} {family.version[0]}.{family.version[1]}",)


def without_interrupted(body: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """Leave out budgeted thinking where the turn to go on with has calls but none of the thinking before them.

    The API refuses a turn of calls that does not begin with its thinking while a budget is set.
    """
    if _kind(body) != "enabled" or not _awaits_results(body["messages"]):
        return body, ()
    return without(body), ("thinking left out: this turn began without it",)


def without(body: JsonObject) -> JsonObject:
    """Return a body that asks for no thinking, and for nothing that needs it: the same where nothing does."""
    if "thinking" not in body and "context_management" not in body:
        return body
    body = {key: value for key, value in body.items() if key != "thinking"}
    context = body.get("context_management")
    if not isinstance(context, dict) or not isinstance(context.get("edits"), list):
        return body
    edits = [edit for edit in context["edits"] if not _clears_thinking(edit)]
    if len(edits) == len(context["edits"]):
        return body
    if edits:
        return {**body, "context_management": {**context, "edits": edits}}
    del body["context_management"]
    return body


def is_on(body: JsonObject) -> bool:
    """True when the body asks for thinking."""
    return _kind(body) in ("enabled", "adaptive", "between_tools")


def _by_budget(body: JsonObject, family: Family, limit: int) -> JsonObject:
    kind, effort = _kind(body), _effort(body)
    body = _with_effort(body, None)
    if family.thinking == "none" or kind == "between_tools":
        return without(body)
    if kind == "adaptive":
        return _with_thinking(body, {"type": "enabled", "budget_tokens": budget_of(effort, limit)})
    return body


def _adaptive(body: JsonObject, family: Family) -> JsonObject:
    kind = _kind(body)
    if kind == "enabled":
        budget = body["thinking"].get("budget_tokens")
        body = _with_thinking(body, {"type": "adaptive"})
        if _effort(body) or not isinstance(budget, int):
            return body
        return _with_effort(body, effort_of(budget))
    if kind == "disabled" and not family.takes_disabled_thinking:
        return without(body)
    if kind == "disabled" and family.limits_disabled_effort and _effort(body) in ("xhigh", "max"):
        return _with_effort(body, "high")
    return body


def _within_limit(body: JsonObject, limit: int) -> JsonObject:
    """Keep a budget below the output limit, or leave thinking out where the least budget has no room."""
    if _kind(body) != "enabled":
        return body
    budget = body["thinking"].get("budget_tokens")
    if isinstance(budget, int) and budget < limit:
        return body
    if limit <= MIN_BUDGET:
        return without(body)
    return _with_thinking(body, {"type": "enabled", "budget_tokens": limit - 1})


def _kind(body: JsonObject) -> object:
    thinking = body.get("thinking")
    return thinking.get("type") if isinstance(thinking, dict) else None


def _effort(body: JsonObject) -> object:
    config = body.get("output_config")
    return config.get("effort") if isinstance(config, dict) else None


def _with_thinking(body: JsonObject, thinking: JsonObject) -> JsonObject:
    """Replace how thinking is asked for; how it is shown stays."""
    display = body["thinking"].get("display")
    shown = {"display": display} if display is not None and thinking["type"] != "disabled" else {}
    return {**body, "thinking": {**thinking, **shown}}


def _with_effort(body: JsonObject, effort: str | None) -> JsonObject:
    """Replace the effort; the very same body where it has that one."""
    if _effort(body) == effort:
        return body
    config = {key: value for key, value in (body.get("output_config") or {}).items() if key != "effort"}
    if effort is not None:
        config["effort"] = effort
    body = {key: value for key, value in body.items() if key != "output_config"}
    return {**body, "output_config": config} if config else body


def _awaits_results(messages: list[JsonObject]) -> bool:
    """True when the last assistant turn is answered by tool results and does not begin with thinking."""
    for position in range(len(messages) - 1, -1, -1):
        if messages[position]["role"] == "assistant":
            content = messages[position]["content"]
            has_calls = isinstance(content, list) and any(block.get("type") == "tool_use" for block in content)
            return has_calls and content[0].get("type") not in ("thinking", "redacted_thinking")
    return False


def _clears_thinking(edit: object) -> bool:
    return isinstance(edit, dict) and str(edit.get("type", "")).startswith("clear_thinking_")
