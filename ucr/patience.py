"""How long one request may still wait for its upstream.

A wait is the only place where a request is stopped from outside: by its own deadline, or when the router
shuts down. Sending to the client is never interrupted, so no event is ever cut in half.
"""

import math
from types import TracebackType

import trio

from actors import Waiting
from actors.clock import Now, clock
from ucr.errors import ApiError, UpstreamError


class Patience:
    """`total_s` from now on; `interrupt` ends the present waits and every later one with the given error.

    `now` reads Trio's clock; who makes one for each request knows it already.
    """

    __slots__ = (
        "_began_s",
        "_interruption",
        "_total_s",
        "_waited_s",
        "_waits",
        "began_s",
        "deadline",
        "now",
    )

    def __init__(self, total_s: float, now: Now | None = None) -> None:
        self.now = clock() if now is None else now
        self.began_s = self.now()
        self._total_s = total_s
        self.deadline = self.began_s + total_s
        self._waits: set[Waiting] = set()
        self._interruption: ApiError | None = None
        self._waited_s = 0.0
        self._began_s = 0.0

    def waited_s(self) -> float:
        """Return how long the upstream was waited for, the present wait included."""
        return self._waited_s + (self.now() - self._began_s if self._waits else 0.0)

    def limit(self, total_s: float) -> None:
        """Give the request this many seconds in all, counted from its beginning."""
        self._total_s = total_s
        self.deadline = self.began_s + total_s

    def check(self) -> None:
        """Raise what a wait would raise at once, if there is no time left for one."""
        if self._interruption is not None:
            raise self._interruption
        if self.deadline <= self.now():
            raise self.too_late()

    @property
    def is_interrupted(self) -> bool:
        """True when the router has ended this request's waits."""
        return self._interruption is not None

    def interrupt(self, error: ApiError) -> None:
        """Make every wait of this request end with `error`."""
        self._interruption = error
        for wait in tuple(self._waits):
            wait.cancel(reason=error.message)

    def wait(self, *, until: float = math.inf, late: str = "") -> "Wait":
        """Wait for the upstream in this block; raise the interruption, or a timeout, when it takes too long.

        `until` is a time before which this one wait must end, and `late` what is said when it does not. Several
        waits may go on at the same time.
        """
        return Wait(self, until, late)

    def begin(self, wait: Waiting) -> float:
        """Count from now on as waiting for this; return the time, or raise the interruption."""
        if self._interruption is not None:
            raise self._interruption
        now_s = self.now()
        if not self._waits:
            self._began_s = now_s
        self._waits.add(wait)
        return now_s

    def end(self, wait: Waiting, worked_s: float = 0.0) -> float:
        """Count as waiting for this no longer, of which so much was work; return the time."""
        now_s = self.now()
        self._waits.discard(wait)
        if not self._waits:
            self._waited_s += now_s - self._began_s - worked_s
        return now_s

    def too_late(self, late: str = "") -> UpstreamError:
        """Return the error of a request whose time is up."""
        words = late or f"the answer took longer than {self._total_s:g} s"
        return UpstreamError("timeout_error", words, fault="timeout")

    def ended(self, until: float, late: str = "") -> ApiError:
        """Return why a wait that had to end before `until` was ended."""
        return self._interruption or self.too_late(late if until < self.deadline else "")


class Wait:
    """One wait, as a block. A class and not a generator: there are several in each request."""

    __slots__ = ("_late", "_patience", "_scope", "_until")

    def __init__(self, patience: Patience, until: float, late: str) -> None:
        self._patience = patience
        self._until = until
        self._late = late

    def __enter__(self) -> None:
        patience = self._patience
        patience.check()
        self._scope = trio.CancelScope(deadline=min(patience.deadline, self._until))
        patience.begin(self._scope)
        self._scope.__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._scope.__exit__(exc_type, exc, traceback)
        finally:
            self._patience.end(self._scope)
        if self._scope.cancelled_caught:
            raise self._patience.ended(self._until, self._late) from None
