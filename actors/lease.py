"""A lease: the permission to send one piece of work upstream, given back in every case.

A lease is used in a plain `with`. It is settled when the block is left, whatever happened inside, exactly
once, without waiting for anybody: it needs neither an await nor a shield.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Literal

import msgspec

FailureKind = Literal[
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
]
"""In the words of the one who did the work. Nothing of it is a fault of the work itself: that is a `Success`."""


class Success(msgspec.Struct, frozen=True, gc=False):
    """The upstream did the work. `usage` is in whatever unit the provider's work is counted."""

    ttfb_s: float | None = None
    duration_s: float | None = None
    usage: int = 0


class Failure(msgspec.Struct, frozen=True, gc=False):
    """The upstream, or the way to it, failed. `retry_after_s` is what it asked for, if it did."""

    kind: FailureKind
    retry_after_s: float | None = None


class Abandoned(msgspec.Struct, frozen=True, gc=False):
    """Nobody can say how it would have ended: the one who wanted it left first."""


Outcome = Success | Failure | Abandoned
ABANDONED = Abandoned()


class Lease:
    """One granted admission. Set `outcome` before the block ends; without it the work counts as abandoned.

    `key` is which of the upstream's keys to use, `model` what was asked for. A lease that `is_probe` decides
    whether others are let through again: say so early, by `answered`.
    """

    __slots__ = (
        "_on_answered",
        "_on_settled",
        "_settled",
        "cost",
        "id",
        "is_probe",
        "key",
        "model",
        "outcome",
        "request_id",
        "ttfb_s",
    )

    def __init__(
        self,
        id: int,
        request_id: str,
        cost: int,
        on_settled: Callable[["Lease"], None],
        on_answered: Callable[["Lease"], None] | None = None,
        *,
        key: int = 0,
        model: str = "",
        is_probe: bool = False,
    ) -> None:
        self.id = id
        self.request_id = request_id
        self.cost = cost
        self.key = key
        self.model = model
        self.is_probe = is_probe
        self.ttfb_s: float | None = None
        self.outcome: Outcome = ABANDONED
        self._on_settled = on_settled
        self._on_answered = on_answered
        self._settled = False

    def __repr__(self) -> str:
        state = f"settled as {self.outcome}" if self._settled else "held"
        return f"<Lease {self.id} of request {self.request_id!r} {state}>"

    def answered(self, ttfb_s: float) -> None:
        """Say that the upstream began a good answer, so many seconds after the work was sent. Once."""
        if self.ttfb_s is None and not self._settled:
            self.ttfb_s = ttfb_s
            if self._on_answered is not None:
                self._on_answered(self)

    def __enter__(self) -> "Lease":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._settled:
            self._settled = True
            self._on_settled(self)
