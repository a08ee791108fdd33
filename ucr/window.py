"""Requests that do not fit into a model's window: to whom they go instead, or the error that they get.

How this works: of most windows nothing is known, and then a request fits. Where one is known, the tokens are an
estimate; so a candidate is certainly too small only when what is to be read exceeds its window by a tenth. Between
that and a window with room for an answer, nobody knows: such a candidate is asked when there is no roomier one.
Nobody is asked who is certainly too small. When nobody is left, the client gets at once the words at which Claude
Code compacts the conversation; a provider would say the same, only later.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ucr.errors import ApiError
from ucr.facts import OUTPUT_COUNTED_TOKENS
from ucr.routing import TIERS, Candidate, without_repeats

CERTAINTY = 1.1
"""By what factor an estimate must exceed a window before a candidate is certainly too small."""

Fit = Literal["roomy", "tight", "unknown", "too small"]


@dataclass(frozen=True, slots=True)
class Size:
    """About how many tokens a request makes a model read, and how many it may write."""

    input_tokens: int
    output_tokens: int

    @property
    def tokens(self) -> int:
        """Everything that has to find room; a client's limit counts as far as an answer is likely to go."""
        return self.input_tokens + min(self.output_tokens, OUTPUT_COUNTED_TOKENS)


def narrowest(candidates: Iterable[Candidate]) -> int:
    """Return the smallest window that is known; `sys.maxsize` when none is."""
    return min((w for c in candidates if (w := window_of(c)) is not None), default=sys.maxsize)


def window_of(candidate: Candidate) -> int | None:
    """Return how many tokens a candidate's model can hold; None when that is not known."""
    return candidate.provider.quirks.window_for(candidate.model)


def fit(candidate: Candidate, size: Size) -> Fit:
    """Return whether a request finds room with a candidate.

    Where nothing is known a request is taken to fit, but not with an emergency candidate: nobody chose that one.
    """
    window = window_of(candidate)
    if window is None:
        return "unknown" if candidate.tier == "emergency" else "roomy"
    if size.tokens <= window:
        return "roomy"
    return "too small" if size.input_tokens > window * CERTAINTY else "tight"


def fitting(
    candidates: tuple[Candidate, ...], size: Size, instead: tuple[Candidate, ...] = ()
) -> tuple[Candidate, ...]:
    """Return who is asked for a request of this size; raise `ApiError` 400 when everybody is too small.

    When the first candidate lacks room, those that stand `instead` of it come first, and whoever has room before
    whoever may have it; nobody of an earlier tier than the first that has room is asked.
    """
    if fit(candidates[0], size) == "roomy":
        return tuple(c for c in candidates if fit(c, size) != "too small")
    others = without_repeats((*instead, *candidates))
    roomy = [c for c in others if fit(c, size) == "roomy"]
    tight = [c for c in others if fit(c, size) == "tight"]
    if not (roomy or tight):
        raise too_long(others, size)
    first = min((TIERS.index(c.tier) for c in roomy), default=0)
    rest = (*tight, *(c for c in others if fit(c, size) == "unknown"))
    return (*roomy, *(c for c in rest if TIERS.index(c.tier) >= first))


def too_long(candidates: Iterable[Candidate], size: Size) -> ApiError:
    """Return the error for a request that fits nobody, in the words at which Claude Code compacts."""
    largest = max((window_of(c) or 0 for c in candidates), default=0)
    words = f"prompt is too long: {size.input_tokens} tokens > {largest} maximum"
    return ApiError("invalid_request_error", words, code="context_length_exceeded", should_retry=False)
