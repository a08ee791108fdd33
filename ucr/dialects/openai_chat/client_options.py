"""The parameters of a chat request beside its messages and tools, as canonical fields."""

import hashlib
import re
from collections.abc import Callable, Iterable, Set
from types import MappingProxyType
from typing import Any

from ucr.dialects.openai_chat import client_schema
from ucr.dialects.openai_chat.client_shape import array, count, name, number, object_, shown, text, wrong
from ucr.jsontext import JsonObject

USER_ID_LIMIT_CHARS = 256
THINKING_BUDGET_MINIMUM = 1024
"""Both from the Anthropic API reference: `metadata.user_id` and `thinking.budget_tokens`."""

JSON_INSTRUCTION = "Answer with one valid JSON object and nothing else: no prose and no code fence."

EFFORTS = MappingProxyType(
    {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
)
_EFFORT_NAMES = ", ".join(["none", *EFFORTS])

_E_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"\+?[\d\s().-]{7,20}")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")

LOST = (
    "audio", "frequency_penalty", "logit_bias", "logprobs", "moderation", "prediction", "presence_penalty",
    "seed", "top_logprobs", "verbosity", "web_search_options",
)  # fmt: skip
"""Parameters that change the answer and have no canonical form: dropped, and the client is told."""

_QUIET = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "store",
        "stream_options",
    }
)
"""Parameters that do not change the answer."""

_READ_ELSEWHERE = frozenset(
    {"function_call", "functions", "messages", "model", "parallel_tool_calls", "stream", "tool_choice", "tools"}
)

Reader = Callable[[JsonObject, list[str]], JsonObject]


def options(body: JsonObject, notes: list[str]) -> JsonObject:
    """Return the canonical fields that the body's parameters amount to; `output_config` is merged into one."""
    made: JsonObject = {}
    config: JsonObject = {}
    for read in _READERS:
        found = read(body, notes)
        config |= found.pop("output_config", {})
        made |= found
    if config:
        made["output_config"] = config
    notes += lost(body, LOST, _KNOWN)
    return made


def instruction(body: JsonObject, notes: list[str]) -> list[JsonObject]:
    """Return the system text that stands for `response_format: json_object`."""
    match body.get("response_format"):
        case {"type": "json_object"}:
            notes.append("response_format json_object was sent as an instruction")
            return [{"type": "text", "text": JSON_INSTRUCTION}]
        case _:
            return []


def _limit(body: JsonObject, notes: list[str]) -> JsonObject:
    for field in ("max_completion_tokens", "max_tokens"):
        if body.get(field) is not None:
            return {"max_tokens": count(body[field], field)}
    return {}


def sampling_of(body: JsonObject, notes: list[str]) -> JsonObject:
    """Return how freely the model may choose its words."""
    return {
        field: number(body[field], field)
        for field in ("temperature", "top_p", "top_k")
        if body.get(field) is not None
    }


def _stop(body: JsonObject, notes: list[str]) -> JsonObject:
    given = body.get("stop")
    if given is None:
        return {}
    if not isinstance(given, str | list):
        raise wrong("stop", f"expected a string or an array of strings, not {shown(given)}")
    items = [given] if isinstance(given, str) else given
    sequences = [text(item, f"stop[{index}]") for index, item in enumerate(items)]
    kept = [sequence for sequence in sequences if sequence.strip()]
    if len(kept) < len(sequences):
        notes.append("blank stop sequences were dropped")
    return {"stop_sequences": kept} if kept else {}


def _format(body: JsonObject, notes: list[str]) -> JsonObject:
    given = body.get("response_format")
    if given is None:
        return {}
    match object_(given, "response_format").get("type"):
        case "text" | "json_object":
            return {}
        case "json_schema":
            path = "response_format.json_schema"
            wrapper = object_(given.get("json_schema"), path)
            schema = object_(wrapper.get("schema"), f"{path}.schema")
            compiled = client_schema.compiled(schema, f"{path}.schema")
            return {"output_config": {"format": {"type": "json_schema", "schema": compiled}}}
        case other:
            raise wrong(
                "response_format.type", f"expected text, json_object or json_schema, not {shown(other)}"
            )


def _thinking(body: JsonObject, notes: list[str]) -> JsonObject:
    """Read how much to think: OpenAI's effort, OpenRouter's `reasoning`, or the `thinking` of Anthropic."""
    reasoning = object_(body["reasoning"], "reasoning") if body.get("reasoning") is not None else {}
    effort = effort_of(body.get("reasoning_effort"), "reasoning_effort") or effort_of(
        reasoning.get("effort"), "reasoning.effort"
    )
    wish = body.get("thinking")
    mode = _reasoning_mode(reasoning) if wish is None else _thinking_mode(object_(wish, "thinking"))
    if effort == "none":
        return {"thinking": mode or {"type": "disabled"}}
    if effort is None:
        return {"thinking": mode} if mode else {}
    return {"thinking": mode or {"type": "adaptive"}, "output_config": {"effort": EFFORTS[effort]}}


def effort_of(given: Any, path: str) -> str | None:
    """Return an effort as the client names it; `EFFORTS` has its canonical name."""
    if given is None:
        return None
    if given != "none" and (not isinstance(given, str) or given not in EFFORTS):
        raise wrong(path, f"expected one of {_EFFORT_NAMES}, not {shown(given)}")
    return str(given)


def _reasoning_mode(reasoning: JsonObject) -> JsonObject | None:
    if reasoning.get("max_tokens") is not None:
        return _budget(count(reasoning["max_tokens"], "reasoning.max_tokens"))
    match reasoning.get("enabled"):
        case True:
            return {"type": "adaptive"}
        case False:
            return {"type": "disabled"}
        case _:
            return None


def _thinking_mode(thinking: JsonObject) -> JsonObject:
    match thinking.get("type"):
        case "enabled" if thinking.get("budget_tokens") is not None:
            return _budget(count(thinking["budget_tokens"], "thinking.budget_tokens"))
        case "enabled" | "adaptive":
            return {"type": "adaptive"}
        case "disabled":
            return {"type": "disabled"}
        case other:
            raise wrong("thinking.type", f"expected enabled, adaptive or disabled, not {shown(other)}")


def _budget(tokens: int) -> JsonObject:
    return {"type": "enabled", "budget_tokens": max(tokens, THINKING_BUDGET_MINIMUM)}


def _answers(body: JsonObject, notes: list[str]) -> JsonObject:
    """Refuse what would need another kind of answer: several choices, or sound."""
    if body.get("n") is not None and count(body["n"], "n") != 1:
        raise wrong("n", "this provider gives one answer; ask again for another")
    modalities = array(body["modalities"], "modalities") if body.get("modalities") is not None else []
    if any(modality != "text" for modality in modalities):
        raise wrong("modalities", "this provider answers in text only")
    return {}


def user_of(body: JsonObject, notes: list[str]) -> JsonObject:
    """Return who the client's user is, unless that would tell too much."""
    field = "safety_identifier" if body.get("safety_identifier") is not None else "user"
    if body.get(field) is None:
        return {}
    user = text(body[field], field)
    if _E_MAIL.fullmatch(user) or _PHONE.fullmatch(user):
        notes.append(f"{field} was dropped because it looks like an e-mail address or a phone number")
        return {}
    if len(user) > USER_ID_LIMIT_CHARS:
        user = hashlib.sha256(user.encode("utf-8", "replace")).hexdigest()
    return {"metadata": {"user_id": user}} if user else {}


_TIERS = MappingProxyType({"auto": "auto", "default": "standard_only"})


def tier_of(body: JsonObject, notes: list[str]) -> JsonObject:
    """Return the service tier."""
    if body.get("service_tier") is None:
        return {}
    tier = _TIERS.get(name(body["service_tier"], "service_tier"))
    if tier is None:
        notes.append("service_tier was dropped because only auto and default can be translated")
        return {}
    return {"service_tier": tier}


def lost(body: JsonObject, unsayable: Iterable[str], known: Set[str]) -> list[str]:
    """Return notes on the parameters that have no canonical form, and on those that are not known at all."""
    dropped = [field for field in unsayable if _is_set(field, body.get(field))]
    unknown = [
        field
        for field in sorted(body.keys() - known)
        if body[field] is not None and _FIELD_NAME.fullmatch(field)
    ]
    notes = [f"dropped: {' '.join(dropped)}"] if dropped else []
    return [*notes, f"unknown and dropped: {' '.join(unknown[:8])}"] if unknown else notes


def _is_set(field: str, value: Any) -> bool:
    """True when a parameter is given and says something: a penalty of 0 and `logprobs: false` do not."""
    return (
        value is not None
        and value is not False
        and value != {}
        and not (field.endswith("penalty") and value == 0)
    )


_READERS: tuple[Reader, ...] = (_limit, sampling_of, _stop, _thinking, _format, _answers, user_of, tier_of)
_KNOWN = frozenset(
    {
        "max_completion_tokens", "max_tokens", "modalities", "n", "reasoning", "reasoning_effort",
        "response_format", "safety_identifier", "service_tier", "stop", "temperature", "thinking", "top_k",
        "top_p", "user", *LOST, *_QUIET, *_READ_ELSEWHERE,
    }
)  # fmt: skip
