"""Explains requests of a running router: as they would be routed now, with breakers and keys as they are."""

import trio

from ucr import access
from ucr.call import Router
from ucr.config.model import Client
from ucr.dialects.roles import ClientDialect, Request
from ucr.explain import explained
from ucr.jsontext import JsonObject
from ucr.routing import Candidate, plain_name
from ucr.steering import Steer

HEADER = "x-ucr-explain"
"""A request with this header and the value 1 is explained instead of being sent."""


async def explanation(
    router: Router, client: ClientDialect, request: Request, caller: Client | None
) -> JsonObject:
    """Return why a request would be routed as it would be.

    Raise `ApiError` 403 for a model that the caller may not ask for, and what rules that make a request invalid raise.
    """
    if caller is not None:
        access.check_model(caller, plain_name(request.model))
    steer = router.steer or Steer(
        router.config, router.decisions, router.custom, router.unix_time, router.reading
    )
    steered = await steer.steered(request, None if caller is None else caller.name, client.parse)

    def refusals(candidate: Candidate) -> tuple[str, ...]:
        return refusals_of(router, candidate)

    def remedies(candidate: Candidate) -> tuple[str, ...]:
        known = router.healing.of(candidate.provider.id, candidate.model, trio.current_time())
        return tuple(map(str, known))

    return explained(router.config, steered, refusals, remedies)


def refusals_of(router: Router, candidate: Candidate) -> tuple[str, ...]:
    """Return why a candidate would not be asked at this moment."""
    child = router.children.get(candidate.provider.id)
    if child is None:
        return ("it is being started",)
    refusal = child.refusal(candidate.model)
    words = () if refusal is None else (str(refusal),)
    waiting = child.status.waiting
    return (*words, f"waiting for a place there: {waiting}") if waiting else words
