"""What a request is a task of, and the routes that a configuration has for tasks.

How this works: a request may be several tasks at once; the first that it is and that has a route decides. What
a model must be able to do goes before what it is used for: a search of the web, an image and a long conversation
need the right model whoever asks. The judge of the auto mode is never taken for anything else: a weak answer of
its would stop an agent's tools.
"""

from collections.abc import Callable

from ucr.config.model import Config, Task
from ucr.facts import Facts
from ucr.routing import Claim

_EFFORTS = frozenset({"xhigh", "max"})
_FAMILY = "claude"
_BACKGROUND_TIER = "haiku"

KEYWORDS: tuple[tuple[Task, tuple[str, ...]], ...] = (
    (
        "web_search",
        (
            "search for",
            "look up",
            "find information about",
            "what is the latest",
            "current events",
            "recent news",
            "browse",
            "web search",
        ),
    ),
    ("background", ("in the background", "asynchronously", "run this later", "schedule", "batch process")),
    (
        "think",
        (
            "think about",
            "analyze",
            "reason through",
            "step by step",
            "explain why",
            "reasoning",
            "let's think",
            "chain of thought",
        ),
    ),
)
"""The words by which the universal-claude-router tells tasks, in its order."""


def claimer_of(config: Config) -> Callable[[Facts], Claim | None] | None:
    """Return what claims requests for the routes of their tasks; None where no task has a route."""
    router = config.router
    claims = {task: Claim("task", task, targets) for task, targets in router.tasks.items() if targets}
    if not claims:
        return None
    tests = tuple((claims[task], test) for task, test in _tests(router.token_threshold) if task in claims)
    words = tuple((claims[task], words) for task, words in KEYWORDS if task in claims and router.keywords)

    def claim(facts: Facts) -> Claim | None:
        if facts.kind == "classifier":
            return claims.get("classifier")
        found = next((claim for claim, test in tests if test(facts)), None)
        return found or (_by_words(facts, words) if words else None)

    return claim


def tasks_of(facts: Facts, token_threshold: int) -> tuple[Task, ...]:
    """Return everything that a request is, in the order in which routes are looked for."""
    if facts.kind == "classifier":
        return ("classifier",)
    return tuple(task for task, test in _tests(token_threshold) if test(facts))


def _by_words(facts: Facts, words: tuple[tuple[Claim, tuple[str, ...]], ...]) -> Claim | None:
    if facts.kind != "main":
        return None
    said = facts.last_user_text.lower()
    return next((claim for claim, phrases in words if any(phrase in said for phrase in phrases)), None)


def _tests(token_threshold: int) -> tuple[tuple[Task, Callable[[Facts], bool]], ...]:
    return (
        ("title", lambda facts: facts.kind == "title"),
        ("compaction", lambda facts: facts.kind == "compaction"),
        ("web_search", lambda facts: facts.has_web_search),
        ("image", lambda facts: facts.has_images),
        ("long_context", lambda facts: facts.reaches(token_threshold)),
        ("subagent", lambda facts: facts.kind == "subagent"),
        ("background", _is_background),
        ("think", _thinks),
    )


def _is_background(facts: Facts) -> bool:
    """True for what goes on beside the work, and for what asks for the tier that such things ask for.

    What says of itself that it is main work asks for that tier because its user chose it.
    """
    if facts.kind in ("title", "auxiliary"):
        return True
    return _BACKGROUND_TIER in facts.model.lower() and not facts.is_said_to_be_main


def _thinks(facts: Facts) -> bool:
    """True when thinking is asked for by a budget, or a high effort.

    Adaptive thinking alone says nothing: Claude Code asks for it in each request; nor does the effort `high`
    beside it for a name that Claude Code does not know, for which it is the default.
    """
    if facts.kind in ("title", "auxiliary") or facts.thinking == "disabled":
        return False
    is_default = facts.thinking == "adaptive" and _FAMILY not in facts.model.lower()
    is_high = facts.effort in _EFFORTS or (facts.effort == "high" and not is_default)
    return facts.thinking == "enabled" or is_high
