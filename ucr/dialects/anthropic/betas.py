"""Betas of the Messages API and the body fields that come with them: they travel together, or not at all."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from ucr.config.rule_model import Path
from ucr.jsontext import JsonObject
from ucr.rewriting import without

HEADER = "anthropic-beta"
ALL = ("*",)

_CACHE_PLACES: tuple[Path, ...] = (
    (),
    ("system",),
    ("tools",),
    ("messages", "content"),
    ("messages", "content", "content"),
)

_FIELDS: tuple[tuple[str, tuple[Path, ...]], ...] = (
    ("context-management-*", (("context_management",),)),
    ("compact-*", (("context_management",),)),
    ("effort-*", (("output_config", "effort"),)),
    ("task-budgets-*", (("output_config", "task_budget"),)),
    ("structured-outputs-*", (("output_format",), ("output_config", "format"), ("tools", "strict"))),
    ("per-turn-control-*", (("messages", "output_config"),)),
    (
        "advanced-tool-use-*",
        (("tools", "defer_loading"), ("tools", "input_examples"), ("tools", "allowed_callers")),
    ),
    ("fine-grained-tool-streaming-*", (("tools", "eager_input_streaming"),)),
    ("mcp-client-*", (("mcp_servers",),)),
    ("extended-cache-ttl-*", tuple((*place, "cache_control", "ttl") for place in _CACHE_PLACES)),
    ("prompt-caching-scope-*", tuple((*place, "cache_control", "scope") for place in _CACHE_PLACES)),
)
"""A path leads through the keys of a body; each item of a list on the way is meant."""


def named(header: str) -> tuple[str, ...]:
    """Return the betas of a header, which is a list with commas."""
    return tuple(name for part in header.split(",") if (name := part.strip()))


def refused(names: Iterable[str], taken: tuple[str, ...]) -> tuple[str, ...]:
    """Return the betas that fit none of the patterns that a provider takes."""
    if taken == ALL:
        return ()
    return tuple(name for name in names if not any(fnmatchcase(name, pattern) for pattern in taken))


def of_field(path: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the betas that bring a field."""
    return tuple(name for name in names if any(path[: len(field)] == field for field in _fields_of(name)))


def without_fields(body: JsonObject, left_out: Iterable[str], kept: Iterable[str] = ()) -> JsonObject:
    """Leave out the fields of some betas, but for those that a beta that is kept brings, too."""
    needed = {field for name in kept for field in _fields_of(name)}
    for field in (field for name in left_out for field in _fields_of(name)):
        if field not in needed:
            body = without_path(body, field)
    return body


def without_path(body: JsonObject, path: Path) -> JsonObject:
    """Leave out a field, and a table that was on the way to nothing else."""
    made: JsonObject = without(body, path)
    if len(path) == 2 and made is not body and made.get(path[0]) == {}:
        made = without(made, path[:1])
    return made


def _fields_of(name: str) -> tuple[Path, ...]:
    return tuple(field for pattern, fields in _FIELDS if fnmatchcase(name, pattern) for field in fields)
