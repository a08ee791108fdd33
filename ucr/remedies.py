"""The smallest rewrites of a request that a provider refused, and how they are carried out.

A remedy works on the body as the provider gets it, whatever its dialect. It changes what is asked for, never what
was said: turns, tools, and the shape that the client wants its answer in are left alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from ucr.config.rule_model import Path
from ucr.dialects.anthropic import betas, history, thinking
from ucr.jsontext import JsonObject
from ucr.rewriting import with_value

Kind = Literal["drop", "rename", "cap", "keyword", "root", "beta", "adaptive", "thoughts"]
Part = tuple[JsonObject, str]
"""A body, and the value of its header of betas."""

SKIP_SIGNATURE = "skip_thought_signature_validator"
SCHEMA_DEPTH = 64
"""Nesting below which the schema of a tool is sent as it is."""

_SCHEMAS = ("input_schema", "parameters", "parametersJsonSchema")
_CHOICES = ("anyOf", "oneOf", "allOf")


@dataclass(frozen=True, slots=True)
class Remedy:
    """One rewrite: `path` leads to the field (lists on the way: each item), `value` is what the kind needs.

    drop
        leave a field out; with a value only where it has that one.
    rename
        give the field the name `value`.
    cap
        lower the number to `value`.
    keyword, root
        leave a keyword out of the schemas of tools, or choices out of their roots.
    beta
        leave a beta out, and the fields that come with it.
    adaptive
        let the model choose how much it thinks.
    thoughts
        leave out earlier thinking, which is no longer accepted. It is good for one request alone.
    """

    kind: Kind
    path: Path = ()
    value: Any = None

    @property
    def is_kept(self) -> bool:
        """True when later requests need it, too."""
        return self.kind != "thoughts"

    def __str__(self) -> str:
        field = ".".join(self.path)
        match self.kind:
            case "drop":
                return f"left out {field}" + ("" if self.value is None else f" {self.value}")
            case "rename":
                return f"{field} written as {self.value}"
            case "cap":
                return f"{field} lowered to {self.value}"
            case "beta":
                return f"left out beta {self.value}"
            case "keyword":
                return f"left out {self.value} of tool schemas"
        return _PHRASES[self.kind]


_PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "root": "left out choices at the root of tool schemas",
        "adaptive": "thinking made adaptive",
        "thoughts": "left out earlier thinking",
    }
)


def applied(remedies: Iterable[Remedy], part: Part) -> tuple[Part, tuple[str, ...]]:
    """Return a request after some remedies, and what each of them did that did anything."""
    notes = []
    for remedy in remedies:
        made = _CARRIED_OUT[remedy.kind](remedy, part)
        if made[0] is not part[0] or made[1] != part[1]:
            notes.append(str(remedy))
            part = made
    return part, tuple(notes)


def value_at(body: Any, path: Path) -> Any:
    """Return the first value that a path leads to; None where it leads nowhere."""
    if not path:
        return body
    if isinstance(body, list):
        return next((found for item in body if (found := value_at(item, path)) is not None), None)
    return value_at(body.get(path[0]), path[1:]) if isinstance(body, dict) else None


def _drop(remedy: Remedy, part: Part) -> Part:
    body, header = part
    found = value_at(body, remedy.path)
    if found is None or (remedy.value is not None and found != remedy.value):
        return part
    return _without_betas(
        betas.without_path(body, remedy.path), header, betas.of_field(remedy.path, betas.named(header))
    )


def _without_betas(body: JsonObject, header: str, left_out: tuple[str, ...]) -> Part:
    if not left_out:
        return body, header
    kept = [name for name in betas.named(header) if name not in left_out]
    return betas.without_fields(body, left_out, kept), ",".join(kept)


def _rename(remedy: Remedy, part: Part) -> Part:
    body, header = part
    if len(remedy.path) != 1 or remedy.path[0] not in body or remedy.value in body:
        return part
    return {remedy.value if key == remedy.path[0] else key: value for key, value in body.items()}, header


def _cap(remedy: Remedy, part: Part) -> Part:
    body, header = part
    found = value_at(body, remedy.path)
    if not isinstance(found, int | float) or isinstance(found, bool) or found <= remedy.value:
        return part
    body = with_value(body, remedy.path, remedy.value)
    budget = value_at(body, ("thinking", "budget_tokens"))
    if remedy.path == ("max_tokens",) and isinstance(budget, int) and budget >= remedy.value:
        if remedy.value <= thinking.MIN_BUDGET:
            return thinking.without(body), header
        body = with_value(body, ("thinking", "budget_tokens"), remedy.value - 1)
    return body, header


def _keyword(remedy: Remedy, part: Part) -> Part:
    def purged(schema: Any) -> Any:
        return _purged(schema, remedy.value, SCHEMA_DEPTH)

    return _with_schemas(part[0], purged), part[1]


def _root(_remedy: Remedy, part: Part) -> Part:
    def purged(schema: Any) -> Any:
        if not any(key in schema for key in _CHOICES):
            return schema
        return {"type": "object"} | {key: value for key, value in schema.items() if key not in _CHOICES}

    return _with_schemas(part[0], purged), part[1]


def _beta(remedy: Remedy, part: Part) -> Part:
    body, header = part
    return _without_betas(body, header, tuple(name for name in betas.named(header) if name == remedy.value))


def _adaptive(_remedy: Remedy, part: Part) -> Part:
    body, header = part
    if value_at(body, ("thinking", "type")) != "enabled":
        return part
    return {**body, "thinking": {"type": "adaptive"}}, header


def _thoughts(_remedy: Remedy, part: Part) -> Part:
    body, header = part
    if isinstance(body.get("input"), list):
        items = [
            item for item in body["input"] if not isinstance(item, dict) or item.get("type") != "reasoning"
        ]
        return (part[0] if len(items) == len(body["input"]) else {**body, "input": items}), header
    if isinstance(body.get("contents"), list):
        return with_signatures(body), header
    turns = body.get("messages")
    if not isinstance(turns, list) or not all(map(_is_of_blocks, turns)):
        return part
    made = history.without_thinking(turns)
    if made is turns:
        return part
    return thinking.without_interrupted({**body, "messages": made})[0], header


def _is_of_blocks(turn: Any) -> bool:
    """True for a turn of the Messages API."""
    content = turn.get("content") if isinstance(turn, dict) else None
    if isinstance(content, list):
        return all(isinstance(block, dict) and "type" in block for block in content)
    return isinstance(content, str)


def with_signatures(body: JsonObject) -> JsonObject:
    """Put Google's word for "do not check" in the place of every thought signature."""
    if value_at(body, ("contents", "parts", "thoughtSignature")) in (None, SKIP_SIGNATURE):
        return body
    contents = [
        {**turn, "parts": [_with_signature(piece) for piece in turn["parts"]]}
        if isinstance(turn.get("parts"), list)
        else turn
        for turn in body["contents"]
    ]
    return {**body, "contents": contents}


def _with_signature(piece: Any) -> Any:
    is_signed = isinstance(piece, dict) and "thoughtSignature" in piece
    return {**piece, "thoughtSignature": SKIP_SIGNATURE} if is_signed else piece


def _with_schemas(body: JsonObject, change: Callable[[Any], Any]) -> JsonObject:
    tools = body.get("tools")
    made = _changed_tools(tools, change)
    return body if made is tools else {**body, "tools": made}


def _changed_tools(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change the schemas of tools: they stand in the tools, or in what the tools hold."""
    if isinstance(value, list):
        items = [_changed_tools(item, change) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if not isinstance(value, dict):
        return value
    made = value
    for key in (*_SCHEMAS, "function", "functionDeclarations"):
        inner = value.get(key)
        if inner is None:
            continue
        changed = (
            change(inner) if key in _SCHEMAS and isinstance(inner, dict) else _changed_tools(inner, change)
        )
        if changed is not inner:
            made = {**made, key: changed}
    return made


def _purged(schema: Any, keyword: str, depth: int, *, is_names: bool = False) -> Any:
    """Leave a keyword out of a schema; `is_names` says that its keys are names of properties."""
    if depth == 0 or not isinstance(schema, dict | list):
        return schema
    if isinstance(schema, list):
        items = [_purged(item, keyword, depth - 1) for item in schema]
        return schema if all(new is old for new, old in zip(items, schema, strict=True)) else items
    made = {
        key: _purged(
            value, keyword, depth - 1, is_names=not is_names and key in ("properties", "$defs", "definitions")
        )
        for key, value in schema.items()
        if is_names or key != keyword
    }
    is_same = len(made) == len(schema) and all(made[key] is value for key, value in schema.items())
    return schema if is_same else made


_CARRIED_OUT: Mapping[Kind, Callable[[Remedy, Part], Part]] = MappingProxyType(
    {
        "drop": _drop,
        "rename": _rename,
        "cap": _cap,
        "keyword": _keyword,
        "root": _root,
        "beta": _beta,
        "adaptive": _adaptive,
        "thoughts": _thoughts,
    }
)
