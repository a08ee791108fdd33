"""A session stays with one of several candidates that are as good as each other.

Providers that list a model with the same priority are of equal standing: which of them is asked first is for a
session to say, by rendezvous hashing, so that what a provider remembers of its prompt is found again and sessions
spread over the providers. Whom a route names one after the other has an order, and keeps it.
"""

from itertools import groupby

from actors import ranked
from ucr.routing import Candidate

Ties = tuple[tuple[int, int], ...]
"""Spans of candidates of equal standing: where each begins and ends."""


def ties_of(candidates: tuple[Candidate, ...]) -> Ties:
    """Return the spans in which there is a choice."""
    spans, start = [], 0
    for _, group in groupby(candidates, key=_standing):
        size = len(tuple(group))
        if size > 1 and candidates[start].route == "listed":
            spans.append((start, start + size))
        start += size
    return tuple(spans)


def preferred(candidates: tuple[Candidate, ...], ties: Ties, session: str) -> tuple[Candidate, ...]:
    """Return the candidates as a session prefers them."""
    order = list(candidates)
    for start, end in ties:
        by_name = {candidate.provider.id: candidate for candidate in order[start:end]}
        order[start:end] = [by_name[name] for name in ranked(session, by_name)]
    return tuple(order)


def _standing(candidate: Candidate) -> tuple[str, str, int]:
    return candidate.tier, candidate.route, candidate.provider.priority
