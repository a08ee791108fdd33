"""Whether a provider that failed is asked once more, and after how long. Pure: the dice are an argument.

Another provider is asked at once and needs no permission. The same one again is a retry: only for faults that
pass by themselves, after a pause (exponential back-off with full jitter, AWS Architecture Blog, "Exponential
Backoff And Jitter"), and within the provider's retry budget.
"""

from ucr.errors import ApiError, Fault, UpstreamError

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 4.0
LONGEST_WAIT_S = 8.0
"""A provider that asks for a longer wait is not waited for: the client may, and is told for how long."""

_PASSING: frozenset[Fault] = frozenset({"connect", "reset", "gateway", "server", "overload"})
"""Not among them: a timeout, which has cost too much time already, and an answer that could not be read."""


def pause_s(error: ApiError, times_asked: int, dice: float) -> float | None:
    """Return the seconds to wait before a provider is asked again; None when it is not asked again.

    `times_asked` is how often it was asked for this request. A reset after the whole request was sent may have
    cost a call already, so that it is tried once more and not again. Whoever was refused by the router itself (a
    breaker is open, the places to wait are taken) has waited as long as he should.
    """
    if not isinstance(error, UpstreamError) or error.is_own or error.fault not in _PASSING:
        return None
    if error.fault == "reset" and times_asked > 1:
        return None
    pause: float = dice * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (times_asked - 1))
    if error.retry_after_s is None:
        return pause
    return None if error.retry_after_s > LONGEST_WAIT_S else max(float(error.retry_after_s), pause)
