"""How urgent a request is: somebody waits for it, or it is work on the side.

Claude Code says what a request is for in headers, when it is told to (`CLAUDE_CODE_GATEWAY_HINT_HEADERS`), and
otherwise shows it by what it sends. Whatever is not known to be work on the side is waited for.
"""

from actors import Urgency
from ucr.dialects.roles import Request
from ucr.jsontext import JsonObject

_HINTS = (
    ("x-claude-code-request-class", frozenset({"subagent", "auxiliary"})),
    (
        "x-claude-1p-request-class",
        frozenset({"blocking-subagent", "summary-extraction", "background-task", "followup-generation"}),
    ),
)
_SUBAGENT = "cc_is_subagent=true"


def urgency_of(request: Request) -> Urgency:
    """Return whether a request may wait while others are served."""
    has_hint = False
    for name, words in _HINTS:
        hint = request.headers.get(name)
        if hint in words:
            return "background"
        has_hint = has_hint or hint is not None
    if has_hint:
        return "interactive"
    is_aside = request.agent_id is not None or _names_a_session(request.body) or _is_subagent(request.body)
    return "background" if is_aside else "interactive"


def _names_a_session(body: JsonObject) -> bool:
    """True for a request that wants nothing but a title, in a form of its own."""
    output = body.get("output_config")
    format_ = output.get("format") if isinstance(output, dict) else None
    schema = format_.get("schema") if isinstance(format_, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return isinstance(properties, dict) and "title" in properties and not body.get("tools")


def _is_subagent(body: JsonObject) -> bool:
    system = body.get("system")
    first = system[0] if isinstance(system, list) and system else None
    text = first.get("text") if isinstance(first, dict) else None
    return isinstance(text, str) and _SUBAGENT in text
