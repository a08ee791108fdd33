"""Every error that UCR raises on purpose.

    UcrError
    ├─ ConfigError          the configuration cannot be used; all problems at once; exit status 2
    ├─ ClientGone           the client left; nobody is answered, nothing is counted against a provider
    └─ ApiError             has a status, a type, and words for a client
       └─ UpstreamError     a provider refused, failed or answered what cannot be read

An `ApiError` is written by a client dialect in the client's own shape; its `type` is one of the Anthropic
error types, which every dialect knows how to spell.
"""

from dataclasses import dataclass
from typing import Literal, Self

ErrorType = Literal[
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "conflict_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
]

Fault = Literal[
    "connect",
    "timeout",
    "reset",
    "gateway",
    "server",
    "overload",
    "rate_limit",
    "quota",
    "auth",
    "protocol",
    "midstream",
    "request",
    "overflow",
    "model",
]
"""Whose fault an upstream failure is. `request`, `overflow` and `model` lie in the request and pass on as
they are; `auth`, `quota` and `rate_limit` lie in our key; the others in the provider or the way to it."""

STATUS_OF: tuple[tuple[ErrorType, int], ...] = (
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("conflict_error", 409),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("api_error", 500),
    ("timeout_error", 504),
    ("overloaded_error", 529),
)
"""The pairs of the Anthropic API reference, "Errors"."""


def status_of(type_: ErrorType) -> int:
    """Return the HTTP status that belongs to an error type."""
    return next(status for name, status in STATUS_OF if name == type_)


class UcrError(Exception):
    """The root: catch it to catch whatever UCR raises on purpose."""


class ClientGone(UcrError):
    """The client closed its connection before it was answered."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration: where, what stands there, and what to do about it."""

    file: str
    key: str
    value: str
    remedy: str

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        return f"{self.file}: {self.key}{shown}: {self.remedy}"


class ConfigError(UcrError):
    """The configuration cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ApiError(UcrError):
    """An answer that is an error: what a client is told and whether a retry can help it.

    `retry_after_s` becomes the `retry-after` header; `should_retry` the `x-should-retry` header (None sends
    none). `param` and `code` appear in the OpenAI shape only. `headers` go with the answer.
    """

    def __init__(
        self,
        type_: ErrorType,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: int | None = None,
        should_retry: bool | None = None,
        param: str | None = None,
        code: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.type: ErrorType = type_
        self.message = message
        self.status = status_of(type_) if status is None else status
        self.retry_after_s = retry_after_s
        self.should_retry = should_retry
        self.param = param
        self.code = code
        self.headers = headers

    def without_frames(self) -> Self:
        """Return this error, and hold no traceback, of it or of what led to it.

        Frames hold all that they worked on, and those that called them. So an error that is kept holds its whole
        request, and one that is kept by what a frame holds is in a cycle: only the collector would free it.
        """
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.status} {self.type}: {self.message!r})"


class UpstreamError(ApiError):
    """A provider refused, failed, or answered what cannot be read.

    `body` is the provider's own error body, when there was one: a client of the same dialect gets it as it
    is. `upstream_status` is the status the provider sent (None when it sent none). `is_unsent` is true when
    not one byte of the request was sent, `is_shortage` when that was for want of descriptors or memory here.
    """

    def __init__(
        self,
        type_: ErrorType,
        message: str,
        *,
        fault: Fault,
        status: int | None = None,
        upstream_status: int | None = None,
        retry_after_s: int | None = None,
        should_retry: bool | None = None,
        param: str | None = None,
        code: str | None = None,
        body: bytes | None = None,
        is_unsent: bool = False,
        is_shortage: bool = False,
    ) -> None:
        super().__init__(
            type_,
            message,
            status=status,
            retry_after_s=retry_after_s,
            should_retry=should_retry,
            param=param,
            code=code,
        )
        self.fault: Fault = fault
        self.upstream_status = upstream_status
        self.is_unsent = is_unsent
        self.is_shortage = is_shortage
        self.body = body

    @property
    def is_own(self) -> bool:
        """True for a refusal of the router's own: no provider was asked, and it is known for how long."""
        return self.upstream_status is None and self.retry_after_s is not None
