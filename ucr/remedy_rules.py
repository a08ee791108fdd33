"""What providers say when they refuse a part of a request, as data, and the remedy that their words ask for.

A rule has a pattern of words. Its groups are `field` (where the part stands), `limit` (the highest number), `below` (the
lowest that is too high), `to` (another name) and `beta`; `at` names the field where the words do not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ucr.config.rule_model import Path
from ucr.dialects.anthropic import betas
from ucr.jsontext import JsonObject
from ucr.remedies import Kind, Remedy, value_at

WORDS_CHARS = 2000
"""How much of a refusal is read."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`of_value`: it is the value that is refused, and not the field."""

    kind: Kind
    pattern: re.Pattern[str]
    at: tuple[str, ...] = ()
    of_value: bool = False


_F = r"[`'\"]?(?P<field>[A-Za-z_$][\w.$\[\]-]{0,120})[`'\"]?"


def _rule(kind: Kind, words: str, *at: str, of_value: bool = False) -> Rule:
    return Rule(kind, re.compile(words.replace("FIELD", _F), re.IGNORECASE), at, of_value)


RULES: tuple[Rule, ...] = (
    # Names of the output limit, and limits.
    _rule(
        "rename",
        r"unsupported parameter: FIELD is not supported with this model\. use [`'\"](?P<to>\w{1,40})[`'\"] instead",
    ),
    _rule("cap", r"^FIELD: \d+ > (?P<limit>\d+), which is the maximum allowed"),
    _rule("cap", r"FIELD is too large: \d+\. this model supports at most (?P<limit>\d+)"),
    _rule("cap", r"invalid FIELD: integer above maximum value\. expected a value <= (?P<limit>\d+)"),
    _rule("cap", r"FIELD must be less than or equal to [`'\"]?(?P<limit>\d+)"),
    _rule("cap", r"invalid FIELD value, the valid range of \w+ is \[\d+, ?(?P<limit>\d+)\]"),
    _rule(
        "cap",
        r"a FIELD value of \d+ but the supported range is from \d+ \(inclusive\) to (?P<below>\d+) \(exclusive\)",
    ),
    _rule("cap", r"FIELD: input should be less than or equal to (?P<limit>\d+)"),
    _rule(
        "cap",
        r"thinking budget \d+ is invalid\. please choose a value between \d+ and (?P<limit>\d+)",
        "generationConfig.thinkingConfig.thinkingBudget",
    ),
    # Betas and thinking.
    _rule("beta", r"unexpected value\(s\) [`'\"](?P<beta>[\w-]{1,80})[`'\"] for the `?anthropic-beta`? header"),
    _rule("adaptive", r"thinking\.type\.enabled\W{1,3} is not supported for this model\. use"),
    _rule("drop", r"adaptive thinking is not supported", "thinking"),
    _rule(
        "drop",
        r"does not support (?:the )?effort",
        "output_config.effort",
        "reasoning_effort",
        "reasoning.effort",
    ),
    _rule(
        "drop",
        r"thinking is not (?:supported|enabled)|thinking level is not supported|does not support thinking"
        r"|only works in thinking mode",
        "thinkingConfig",
        "thinking",
        "think",
        "reasoning",
    ),
    _rule(
        "thoughts",
        r"invalid [`'\"]?(?:signature|data)[`'\"]? in [`'\"]?(?:redacted_)?thinking"
        r"|thinking[`'\"]? blocks in the latest assistant message cannot be modified"
        r"|expected [`'\"]thinking[`'\"] or [`'\"]redacted_thinking[`'\"], but found"
        r"|encrypted content .{0,200}could not be verified|corrupted thought signature"
        r"|thought signature is (?:not valid|invalid)",
    ),
    # Schemas of tools.
    _rule("root", r"does not support oneOf, allOf, or anyOf at the top level"),
    _rule("keyword", r"unknown name \\?\"FIELD\\?\" at '[^']*(?:parameters|schema)"),
    _rule(
        "keyword",
        r"invalid schema .{0,300}?[`'\"](?P<field>[\w$]{1,40})[`'\"] is not (?:permitted|supported|allowed)",
    ),
    _rule(
        "keyword",
        r"schema .{0,200}?(?:unsupported|unknown|unrecognized) keyword:? [`'\"]?(?P<field>[\w$]{1,40})",
    ),
    _rule("keyword", r"for '\w+' type, property '(?P<field>[\w$]{1,40})' is not supported"),
    # Values.
    _rule("drop", r"unsupported value: FIELD does not support", of_value=True),
    _rule("drop", r"invalid FIELD: only [\d.]+ is allowed for this model", of_value=True),
    _rule("drop", r"FIELD may only be set to 1 when thinking is enabled", of_value=True),
    _rule("drop", r"temperature[`'\"]? and [`'\"]?top_p[`'\"]? cannot both be specified", "top_p"),
    # Fields.
    _rule("drop", r"unknown name \\?\"FIELD\\?\""),
    _rule(
        "drop",
        r"(?:unsupported|unknown|unrecognized|unexpected) (?:request )?(?:parameter|field|property|argument)s?"
        r"(?: supplied)?:? FIELD",
    ),
    _rule("drop", r"FIELD: extra (?:inputs|fields) are not (?:permitted|allowed)"),
    _rule("drop", r"extra (?:inputs|fields) are not (?:permitted|allowed),? (?:field|key): FIELD"),
    _rule("drop", r"extraneous key \[FIELD\] is not permitted"),
    _rule("drop", r"property FIELD is (?:unsupported|not supported)"),
    _rule("drop", r"does not support (?:the )?(?:parameter|field) FIELD"),
    _rule("drop", r"argument not supported on this model: FIELD"),
    _rule(
        "drop",
        r"(?:parameter |field )?[`'\"](?P<field>[\w.$\[\]-]{1,120})[`'\"] is (?:not supported|unsupported|deprecated)"
        r" (?:with|by|for|on) this model",
    ),
    _rule("drop", r"FIELD is deprecated for this model"),
    _rule("drop", r"penalty is not enabled for this model", "presencePenalty", "frequencyPenalty"),
)

KEYWORDS = frozenset(
    {
        "$schema",
        "$id",
        "$comment",
        "additionalProperties",
        "contentEncoding",
        "contentMediaType",
        "default",
        "deprecated",
        "else",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "if",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "pattern",
        "patternProperties",
        "propertyNames",
        "readOnly",
        "strict",
        "then",
        "title",
        "unevaluatedProperties",
        "uniqueItems",
        "writeOnly",
    }
)
"""What may be left out of a schema: what is said without them is wider, but of the same shape."""

CONTAINERS = ("generationConfig", "output_config", "options", "reasoning", "text", "thinking")
"""Where a field stands that the words name alone."""

_SAID = frozenset(
    {
        "model",
        "messages",
        "contents",
        "input",
        "system",
        "systemInstruction",
        "instructions",
        "prompt",
        "tools",
        "tool_choice",
        "toolConfig",
        "stream",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "maxOutputTokens",
        "response_format",
        "output_format",
        "conversation",
        "previous_response_id",
        "responseSchema",
        "responseJsonSchema",
        "responseMimeType",
        "safetySettings",
    }
)
_SHAPES = frozenset(
    {("output_config", "format"), ("text", "format"), ("output_config",), ("text",), ("generationConfig",)}
)
_TURNS = frozenset({"messages", "contents", "input", "system", "systemInstruction"})
_MARKS = frozenset(
    {
        "cache_control",
        "scope",
        "ttl",
        "citations",
        "refusal",
        "annotations",
        "audio",
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "extra_content",
        "output_config",
        "caller",
        "context_management",
        "phase",
        "status",
    }
)
"""What may be left out of turns: none of it are their words."""

_TOOL_SAYS = frozenset(
    {
        "name",
        "description",
        "input_schema",
        "parameters",
        "parametersJsonSchema",
        "function",
        "functionDeclarations",
        "type",
        "properties",
    }
)


def remedies_for(words: str, body: JsonObject, header: str) -> Iterator[Remedy]:
    """Give the remedies that a refusal asks for and that the request has a place for; the first is the best.

    `header` names the request's betas.
    """
    words = words[:WORDS_CHARS]
    for rule in RULES:
        match = rule.pattern.search(words)
        if match is not None:
            yield from _remedies(rule, match, body, header)


def _remedies(rule: Rule, match: re.Match[str], body: JsonObject, header: str) -> Iterator[Remedy]:
    found = match.groupdict()
    if rule.kind == "beta":
        if found["beta"] in betas.named(header):
            yield Remedy("beta", value=found["beta"])
        return
    if rule.kind in ("root", "adaptive", "thoughts"):
        yield Remedy(rule.kind)
        return
    if rule.kind == "keyword":
        if found["field"] in KEYWORDS:
            yield Remedy("keyword", value=found["field"])
        return
    for name in rule.at or (found["field"],):
        path = _path_to(body, name)
        if path is not None:
            yield from _of_field(rule, path, found, body)


def _of_field(rule: Rule, path: Path, found: dict[str, str], body: JsonObject) -> Iterator[Remedy]:
    if rule.kind == "rename":
        yield Remedy("rename", path, found["to"])
    elif rule.kind == "cap":
        limit = int(found["limit"][:9]) if found.get("limit") else int(found["below"][:9]) - 1
        yield Remedy("cap", path, limit)
    elif _may_go(path):
        value = value_at(body, path) if rule.of_value else None
        if value is None or isinstance(value, str | int | float):
            yield Remedy("drop", path, value[:100] if isinstance(value, str) else value)


def _may_go(path: Path) -> bool:
    """True for what says nothing of the conversation, of the tools or of the answer's shape."""
    if path[0] in _TURNS and len(path) > 1:
        return path[-1] in _MARKS
    if path[0] == "tools" and len(path) > 1:
        return path[-1] not in _TOOL_SAYS and not {"properties", "required"} & set(path[:-1])
    return path[0] not in _SAID and path[-1] not in _SAID and path not in _SHAPES


def _path_to(body: JsonObject, name: str) -> Path | None:
    """Find a field by the name that a provider gives it: `tools.0.custom.strict`, `messages[1].name`, `body.seed`."""
    steps = [step for step in re.split(r"[.\[\]]+", name) if step and not step.isdecimal()]
    if len(steps) > 1 and steps[0] == "body":
        steps = steps[1:]
    if not steps:
        return None
    if len(steps) > 1 or steps[0] in body:
        return _resolved(body, steps)
    places = ([place, steps[0]] for place in CONTAINERS if isinstance(body.get(place), dict))
    inside = (path for place in places if (path := _resolved(body, place)) is not None)
    return next(inside, None) or _resolved(body, steps)


def _resolved(value: Any, steps: Sequence[str]) -> Path | None:
    """Return the keys to a field; a step that is no key (`custom`, the kind of a tool) is passed over."""
    if isinstance(value, list):
        return next((path for item in value if (path := _resolved(item, steps)) is not None), None)
    if not isinstance(value, dict) or not steps:
        return None
    key = next((key for key in value if _is_same(key, steps[0])), None)
    if key is not None and len(steps) == 1:
        return (key,)
    path = None if key is None else _resolved(value[key], steps[1:])
    if path is not None:
        return (key or "", *path)
    return _resolved(value, steps[1:]) if len(steps) > 1 else None


def _is_same(key: str, step: str) -> bool:
    """True for the same name in camel case and in snake case."""
    return key == step or (key.isascii() and key.replace("_", "").lower() == step.replace("_", "").lower())
