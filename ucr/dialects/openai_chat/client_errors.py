"""Errors in OpenAI's shape and words.

Sources: the error codes page of the OpenAI API documentation, and the exception classes of its SDK, which tell
errors apart by status first and by `code` second.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ucr import jsontext
from ucr.errors import STATUS_OF, ApiError, ErrorType

WORDS: Mapping[ErrorType, tuple[str, str | None]] = MappingProxyType(
    {
        "invalid_request_error": ("invalid_request_error", None),
        "authentication_error": ("invalid_request_error", "invalid_api_key"),
        "billing_error": ("insufficient_quota", "insufficient_quota"),
        "permission_error": ("invalid_request_error", "permission_denied"),
        "not_found_error": ("invalid_request_error", "model_not_found"),
        "conflict_error": ("invalid_request_error", "conflict"),
        "request_too_large": ("invalid_request_error", "request_too_large"),
        "rate_limit_error": ("rate_limit_error", "rate_limit_exceeded"),
        "api_error": ("server_error", None),
        "timeout_error": ("server_error", "timeout"),
        "overloaded_error": ("server_error", "server_is_overloaded"),
    }
)
"""Each of our error types: OpenAI's `type`, and the `code` where the error brings none of its own."""

_OUR_TYPES = frozenset(name for name, _ in STATUS_OF)


def body_of(error: ApiError) -> bytes:
    """Write an error.

    A `code` that is the name of an Anthropic error type, as Anthropic upstreams give, is no code for an OpenAI
    client and gives way to OpenAI's own.
    """
    type_, code = WORDS[error.type]
    if error.code is not None and error.code not in _OUR_TYPES:
        code = error.code
    return jsontext.dumps(
        {"error": {"message": error.message, "type": type_, "param": error.param, "code": code}}
    )
