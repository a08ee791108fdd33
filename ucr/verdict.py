"""What follows from an upstream's failure: another candidate, or an answer for the client."""

from collections.abc import Sequence

from ucr.errors import ApiError, ErrorType, Fault, UpstreamError

_IN_THE_REQUEST: frozenset[Fault] = frozenset({"request", "overflow", "model"})
_HOPE: tuple[Fault, ...] = (
    "rate_limit",
    "overload",
    "connect",
    "timeout",
    "reset",
    "gateway",
    "server",
    "protocol",
    "midstream",
    "quota",
    "auth",
)
"""Faults by how much waiting helps, most first."""

OVERLOAD_RETRY_S = 1


def tries_next(error: ApiError) -> bool:
    """True when another candidate may do better: whenever the fault lies neither in the request nor in us."""
    return isinstance(error, UpstreamError) and error.fault not in _IN_THE_REQUEST


def to_tell(errors: Sequence[ApiError]) -> ApiError:
    """Return the error that the client is told of after every candidate failed.

    A fault of the request is final by itself; otherwise the most hopeful error is told, the later one of two
    alike, so that a client that can wait learns for how long: as the provider said it, or, where no provider was
    asked, until the first one may be.
    """
    told = min(reversed(errors), key=lambda error: (_rank(error), _is_own(error)))
    if _is_own(told):
        return min(
            (error for error in errors if _is_own(error) and _rank(error) == _rank(told)),
            key=lambda error: error.retry_after_s or 0,
        )
    return told


def _is_own(error: ApiError) -> bool:
    return isinstance(error, UpstreamError) and error.is_own


def _rank(error: ApiError) -> int:
    return _HOPE.index(error.fault) if isinstance(error, UpstreamError) and error.fault in _HOPE else -1


def for_client(error: ApiError) -> ApiError:
    """Say an error to the client with the status that makes the client do the right thing."""
    if not isinstance(error, UpstreamError):
        return error
    if error.fault == "auth":
        return _told(error, "permission_error")
    if error.fault == "connect":
        return _told(error, "overloaded_error", retry_after_s=OVERLOAD_RETRY_S)
    if error.fault in _IN_THE_REQUEST or error.fault in ("rate_limit", "quota", "overload"):
        return error
    told = _told(error, error.type)
    told.body = error.body
    return told


def _told(error: UpstreamError, type_: ErrorType, *, retry_after_s: int | None = None) -> UpstreamError:
    waiting = error.retry_after_s if retry_after_s is None else retry_after_s
    return UpstreamError(
        type_,
        error.message,
        fault=error.fault,
        upstream_status=error.upstream_status,
        retry_after_s=waiting,
        should_retry=None if waiting is not None else False,
        code=error.code,
    )
