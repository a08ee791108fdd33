"""How urgent a request is: somebody waits for it, or it is work on the side.

Claude Code says what a request is for in headers, when it is told to (`CLAUDE_CODE_GATEWAY_HINT_HEADERS`), and
otherwise shows it by what it sends. Whatever is not known to be work on the side is waited for.
"""

from actors import Urgency
from ucr.dialects.roles import Request
from ucr.kind import is_subagent, names_a_session

_HINTS = (
    ("x-claude-code-request-class", frozenset({"subagent", "auxiliary"})),
    (
        "x-claude-1p-request-class",
        frozenset({"blocking-subagent", "summary-extraction", "background-task", "followup-generation"}),
    ),
)


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
    is_aside = is_subagent(request) or names_a_session(request.body)
    return "background" if is_aside else "interactive"
