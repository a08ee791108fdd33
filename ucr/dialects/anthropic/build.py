"""Bodies for an Anthropic upstream: translated ones, and those whose model the router changed."""

from ucr.bridges.history import without_own
from ucr.catalogue import Quirks
from ucr.dialects.anthropic import history, pairing, thinking, validate
from ucr.dialects.anthropic.family import DEFAULT_OUTPUT_TOKENS, Family, family_of
from ucr.dialects.roles import Canonical, Request, Target
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

Changed = tuple[JsonObject, tuple[str, ...]]

_SAMPLING = ("temperature", "top_p", "top_k")


def translated(canonical: Canonical, request: Request, target: Target) -> Changed:
    """Return the body for a request of another dialect, and notes of what was changed or lost."""
    family = family_of(target.model)
    body = {key: value for key, value in canonical.body.items() if value is not None and key != "openai"}
    validate.check({**body, "model": target.model}, is_count=True)
    body |= {"model": target.model, "max_tokens": _output_limit(body, target.quirks, family)}
    body.pop("stream", None)
    if request.stream:
        body["stream"] = True
    body, paired = _with_turns(body, target.quirks, family)
    body, thought = _with_thinking(body, family)
    body, sampled = with_sampling(body, family)
    body = _with_tools(_without(body, target.quirks.drop))
    return body, (*canonical.notes, *paired, *thought, *sampled)


def adapted(body: JsonObject, asked: str, target: Target, *, has_own: bool) -> Changed:
    """Return the body of a Messages request as the target takes it: the very same object where nothing changes.

    Thinking that UCR signed is taken out for every upstream, and what its own tools found becomes words. Everything
    else is adapted only when the router sends the request to a model of another family than the client asked for: a
    client that names its model itself gets that model's own answer. `has_own` is False when nothing in it is UCR's own.
    """
    notes: tuple[str, ...] = ()
    if has_own:
        body, notes = _without_own_thinking(body)
        body = _with_messages(body, without_own(body["messages"]))
    if any(key in body for key in target.quirks.drop):
        body = _without(body, target.quirks.drop)
    family, asked_family = family_of(target.model), family_of(asked)
    takes_system = target.quirks.mid_system
    if family is not None and family != asked_family:
        body, moved = _moved(body, asked_family, family)
        notes, takes_system = (*notes, *moved), takes_system and family.takes_system_turns
    elif family is None and asked_family is not None:
        body = _with_messages(body, history.without_redacted(body["messages"]))
    if not takes_system:
        body = _with_reminders(body)
    return body, notes


def _moved(body: JsonObject, asked: Family | None, family: Family) -> Changed:
    notes: tuple[str, ...] = ()
    if asked is not None and not family.ignores_foreign_thinking:
        whole, body = body, _with_messages(body, history.without_thinking(body["messages"]))
        notes = () if body is whole else ("thinking of another model left out",)
    body, thought = _with_thinking(body, family)
    body, sampled = with_sampling(body, family)
    return body, (*notes, *thought, *sampled)


def _without_own_thinking(body: JsonObject) -> Changed:
    cleaned = _with_messages(body, history.without_own_thinking(body["messages"]))
    return (body, ()) if cleaned is body else thinking.without_interrupted(cleaned)


def _with_messages(body: JsonObject, turns: history.Turns) -> JsonObject:
    return body if turns is body["messages"] else {**body, "messages": turns}


def _with_reminders(body: JsonObject) -> JsonObject:
    """Write system turns as the user's reminders; the settings of a turn, which came with them, go too."""
    if all(turn["role"] != "system" for turn in body["messages"]):
        return body
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in body["messages"] if turn["content"]]
    return {**body, "messages": history.with_reminders(turns, takes_system=False)}


def _output_limit(body: JsonObject, quirks: Quirks, family: Family | None) -> int:
    limit = quirks.max_output_tokens
    known = family.output_tokens if family else DEFAULT_OUTPUT_TOKENS
    asked: int = body.get("max_tokens", known if limit is None else limit)
    return asked if limit is None else min(asked, limit)


def _with_turns(body: JsonObject, quirks: Quirks, family: Family | None) -> Changed:
    turns = history.without_unsigned_thinking(history.without_empty(body["messages"]))
    turns, notes = pairing.paired(turns)
    takes_system = quirks.mid_system and (family is None or family.takes_system_turns)
    turns = history.opened_by_user(history.with_reminders(turns, takes_system))
    turns, dropped = _without_prefill(turns, quirks, family)
    if not turns:
        raise ApiError("invalid_request_error", "messages: at least one message with content is required")
    return {**body, "messages": history.trimmed(turns)}, (*notes, *dropped)


def _without_prefill(
    turns: history.Turns, quirks: Quirks, family: Family | None
) -> tuple[history.Turns, tuple[str, ...]]:
    """Leave out a last turn of the assistant's where the model does not go on with one."""
    is_taken = quirks.prefill != "drop" and (family is None or family.takes_prefill)
    if is_taken or not turns or turns[-1]["role"] != "assistant":
        return turns, ()
    return turns[:-1], ("last assistant turn left out: the model takes no prefill",)


def _with_thinking(body: JsonObject, family: Family | None) -> Changed:
    notes: tuple[str, ...] = ()
    if family is not None:
        body, notes = thinking.fitted(body, family)
    body, interrupted = thinking.without_interrupted(body)
    return body, (*notes, *interrupted)


def with_sampling(body: JsonObject, family: Family | None) -> Changed:
    """Leave out the sampling parameters that the model, or its thinking, refuses; temperature ends at 1."""
    given = [key for key in _SAMPLING if body.get(key) is not None]
    if not given or family is None:
        return body, ()
    if not family.takes_sampling or thinking.is_on(body):
        return _without(body, _SAMPLING), (f"left out for this model: {' '.join(given)}",)
    if (body.get("temperature") or 0) > 1:
        return {**body, "temperature": 1}, ("temperature lowered to 1",)
    return body, ()


def _with_tools(body: JsonObject) -> JsonObject:
    return body if body.get("tools") else _without(body, ("tools", "tool_choice"))


def _without(body: JsonObject, keys: tuple[str, ...]) -> JsonObject:
    return {key: value for key, value in body.items() if key not in keys}
