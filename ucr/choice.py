"""Who is asked for one request: those that were decided on, as its session and its size have it."""

from ucr.affinity import preferred
from ucr.config.model import Config, Task
from ucr.decision import Decision
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.routing import Candidate, plain_name, served
from ucr.window import Size, fitting

LONG_CONTEXT: Task = "long_context"


def chosen(config: Config, decision: Decision, request: Request) -> tuple[Candidate, ...]:
    """Return the candidates in the order in which they are asked; raise `ApiError` 400 when all are too small."""
    candidates = decision.candidates
    if decision.ties and request.session_id:
        candidates = preferred(candidates, decision.ties, request.session_id)
    if len(request.raw) > decision.narrowest:
        candidates = _with_room(config, candidates, request, decision.narrowest)
    return candidates


def _with_room(
    config: Config, candidates: tuple[Candidate, ...], request: Request, narrowest: int
) -> tuple[Candidate, ...]:
    facts = Facts(request)
    if not facts.reaches(narrowest + 1):
        return candidates
    targets = config.router.tasks.get(LONG_CONTEXT, ())
    instead = tuple(served(config, targets, plain_name(request.model), LONG_CONTEXT))
    return fitting(candidates, Size(facts.input_tokens, facts.output_tokens), instead)
