"""What one attempt waits for at its upstream, and what ends such a wait: no cancel scope, but a cut connection.

How this works. A wait is noted in two places: at the timers, which ring when it lasts too long, and at the patience
of the request, which may be interrupted. Either ends it by cancelling what the pool named as waiting; the wait
then fails, and the reason that is kept here is raised in place of the pool's. So a wait that ends in time costs a
few stores.
"""

import math
from types import TracebackType
from typing import Literal

from actors import Phase, PoolError, Timers, Waiting
from ucr.config.model import Provider
from ucr.errors import ApiError, ErrorType, Fault, UpstreamError
from ucr.patience import Patience

Silence = Literal["answer", "byte", "content"]
"""What does not come."""


class Watchdog:
    """Watches the waits of one attempt, each a block; the pool says by `on_wait` what they are.

    `PoolError` leaves the block as `UpstreamError`, in UCR's words. `content_until` is the time by which a stream
    must have had content, and may be put off during a wait; without it any byte ends a silence. `waited_s` is how long
    the last wait took, `worked_s` how much of the present one was work.
    """

    __slots__ = (
        "_at",
        "_began_s",
        "_error",
        "_patience",
        "_provider",
        "_silence",
        "_timers",
        "_waiting",
        "content_until",
        "waited_s",
        "worked_s",
    )

    def __init__(self, patience: Patience, timers: Timers, provider: Provider) -> None:
        self._patience = patience
        self._timers = timers
        self._provider = provider
        self._waiting: Waiting | None = None
        self._error: ApiError | None = None
        self._silence: Silence = "answer"
        self._at = math.inf
        self._began_s = 0.0
        self.content_until: float | None = None
        self.waited_s = 0.0
        self.worked_s = 0.0

    def on_wait(self, waiting: Waiting, phase: Phase) -> None:
        """Take what is to be cancelled when the wait that begins here lasts too long."""
        is_first, self._waiting = self._waiting is None, waiting
        if self._error is not None:
            return waiting.cancel(reason=self._error.message)
        patience, times = self._patience, self._provider.timeouts
        now_s = self._began_s if is_first else patience.now()  # the first wait begins with its block
        if phase == "first_byte":
            self._silence, self._at = "answer", now_s + times.first_byte_s
        elif phase == "idle" and self.content_until is not None:
            self._silence, self._at = "content", self.content_until
        elif phase == "idle":
            self._silence, self._at = "byte", now_s + times.idle_s
        at, deadline = self._at, patience.deadline
        return self._timers.set(self._ring, at if at < deadline else deadline)

    def cancel(self, *, reason: str | None = None) -> None:
        """End the present wait because its request is interrupted; for `Patience`."""
        self._end(self._patience.ended(self._at))

    def __enter__(self) -> None:
        # A deadline that has passed rings as soon as the wait begins.
        self._began_s = self._patience.begin(self)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timers.clear(self._ring)
        self._waiting = None  # it holds the stream that it reads for, and that this watchdog
        worked_s, self.worked_s = self.worked_s, 0.0
        self.waited_s = self._patience.end(self, worked_s) - self._began_s
        if exc is not None and isinstance(exc, PoolError):
            exc.__traceback__ = None  # the reader of the answer keeps it, and its frames hold the whole request
            raise self._taken_error() or pool_fault(self._provider.id, exc) from None

    def _taken_error(self) -> ApiError | None:
        error, self._error = self._error, None
        return error

    def _ring(self) -> None:
        until = self.content_until
        if self._silence == "content" and until is not None and until > self._at:
            self._at = until  # it was put off meanwhile
            return self._timers.set(self._ring, min(until, self._patience.deadline))
        return self._end(self._patience.ended(self._at, self._late()))

    def _late(self) -> str:
        times, provider_id = self._provider.timeouts, self._provider.id
        match self._silence:
            case "answer":
                return f"provider '{provider_id}': no answer within {times.first_byte_s:g} s"
            case "byte":
                return f"provider '{provider_id}': no byte for {times.idle_s:g} s"
            case "content":
                return f"provider '{provider_id}': no content within {times.idle_s:g} s"

    def _end(self, error: ApiError) -> None:
        self._error = error
        if self._waiting is not None:
            self._waiting.cancel(reason=error.message)


def pool_fault(provider_id: str, error: PoolError) -> UpstreamError:
    """Say a transport failure in UCR's words."""
    faults: dict[str, tuple[Fault, ErrorType]] = {
        "connect": ("connect", "overloaded_error"),
        "timeout": ("timeout", "timeout_error"),
        "reset": ("reset", "api_error"),
    }
    fault, type_ = faults.get(error.kind, ("protocol", "api_error"))
    return UpstreamError(
        type_,
        f"provider '{provider_id}': {error.message}",
        fault=fault,
        is_unsent=error.phase == "connect",
        is_shortage=error.is_shortage,
    )
