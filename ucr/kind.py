"""What an agent sends a request for: its main work, or one of the things that go on beside it.

Claude Code says it in headers, when it is told to (`CLAUDE_CODE_GATEWAY_HINT_HEADERS`), and otherwise shows it by
what it sends. The words are those of Claude Code 2.1 and opencode 1.18.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from ucr.dialects.roles import Headers, Request
from ucr.jsontext import JsonObject
from ucr.shape import last_user_turn, table, texts, turn_texts, turns

Kind = Literal["main", "subagent", "compaction", "title", "classifier", "auxiliary"]
"""`classifier` judges whether a tool may run; `auxiliary` is what nobody waits for and has no name here."""

_HINTS: tuple[tuple[str, Mapping[str, Kind]], ...] = (
    (
        "x-claude-code-request-class",
        MappingProxyType(
            {"main": "main", "subagent": "subagent", "compaction": "compaction", "auxiliary": "auxiliary"}
        ),
    ),
    (
        "x-claude-1p-request-class",
        MappingProxyType(
            {
                "main": "main",
                "blocking-subagent": "subagent",
                "summary-extraction": "auxiliary",
                "background-task": "auxiliary",
                "followup-generation": "auxiliary",
            }
        ),
    ),
)
_SUBAGENT = "cc_is_subagent=true"
_COMPACTION_HEADER = "x-claude-code-compaction"
_PARENT_HEADER = "x-parent-session-id"
_COMPACTION_BEGINS = "CRITICAL: Respond with TEXT ONLY"
_COMPACTION_HOLDS = "detailed summary of the conversation so far"
_CLASSIFIER = "You are a security monitor for autonomous AI coding agents"
_CLASSIFIER_STOP = "</block>"
_TITLE = "You are a title generator"


def kind_of(request: Request) -> Kind:
    """Return what a request is for; whatever is not known to be something else is main work."""
    said = hint_of(request.headers)
    if said is not None and said != "auxiliary":
        return said
    aside = None if request.body.get("tools") else _aside(request.body)
    if aside is not None or said is not None:
        return aside or said or "main"
    if _COMPACTION_HEADER in request.headers or _compacts(request.body):
        return "compaction"
    return "subagent" if is_subagent(request) else "main"


def hint_of(headers: Headers) -> Kind | None:
    """Return what the headers say that a request is for; None when they do not."""
    for name, kinds in _HINTS:
        kind = kinds.get(headers.get(name, ""))
        if kind is not None:
            return kind
    return None


def names_a_session(body: JsonObject) -> bool:
    """True for a request that wants nothing but a title, in a form of its own."""
    output = body.get("output_config")
    if not output or body.get("tools"):
        return False
    schema = table(table(table(output).get("format")).get("schema"))
    return "title" in table(schema.get("properties"))


def is_subagent(request: Request) -> bool:
    """True for the work of an agent that another agent has started."""
    if request.agent_id is not None or _PARENT_HEADER in request.headers:
        return True
    system = request.body.get("system")
    first = system[0] if isinstance(system, list) and system else None
    text = first.get("text") if isinstance(first, dict) else None
    return isinstance(text, str) and _SUBAGENT in text


def _aside(body: JsonObject) -> Kind | None:
    """Return which of the things that need no tools a request is; None when it is neither of them."""
    stops, told = body.get("stop_sequences"), _told(body)
    if isinstance(stops, list) and _CLASSIFIER_STOP in stops:
        return "classifier"
    if any(text.startswith(_CLASSIFIER) for text in told):
        return "classifier"
    if names_a_session(body) or any(text.startswith(_TITLE) for text in told):
        return "title"
    return None


def _told(body: JsonObject) -> tuple[str, ...]:
    """Return the parts of the system prompt, or of a first turn that stands for it."""
    given = body.get("system") or table(body.get("systemInstruction")).get("parts") or body.get("instructions")
    if given is not None:
        return texts(given)
    first = next(iter(turns(body)), {})
    return turn_texts(first) if first.get("role") in ("system", "developer") else ()


def _compacts(body: JsonObject) -> bool:
    said = turn_texts(last_user_turn(body))
    return bool(said) and (said[-1].startswith(_COMPACTION_BEGINS) or _COMPACTION_HOLDS in said[-1])
