"""Errors in the shape of Google's APIs, and the canonical names of their statuses.

Source: `google.rpc.Status` and `google.rpc.Code`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ucr import jsontext
from ucr.errors import ApiError, ErrorType

STATUSES: Mapping[ErrorType, str] = MappingProxyType(
    {
        "invalid_request_error": "INVALID_ARGUMENT",
        "authentication_error": "UNAUTHENTICATED",
        "billing_error": "FAILED_PRECONDITION",
        "permission_error": "PERMISSION_DENIED",
        "not_found_error": "NOT_FOUND",
        "conflict_error": "ABORTED",
        "request_too_large": "INVALID_ARGUMENT",
        "rate_limit_error": "RESOURCE_EXHAUSTED",
        "api_error": "INTERNAL",
        "timeout_error": "DEADLINE_EXCEEDED",
        "overloaded_error": "UNAVAILABLE",
    }
)


def body_of(error: ApiError) -> bytes:
    """Write an error; how long to wait stands among its details too, where Google's clients look for it."""
    written = {"code": error.status, "message": error.message, "status": STATUSES[error.type]}
    if error.retry_after_s is None:
        return jsontext.dumps({"error": written})
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{error.retry_after_s}s"}
    return jsontext.dumps({"error": {**written, "details": [wait]}})
