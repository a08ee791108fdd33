"""How long one request may still wait for its upstream.

A wait is the only place where a request is stopped from outside: by its own deadline, or when the router
shuts down. Sending to the client is never interrupted, so no event is ever cut in half.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from ucr.errors import ApiError, UpstreamError


class Patience:
    """`total_s` from now on; `interrupt` ends the present waits and every later one with the given error."""

    def __init__(self, total_s: float) -> None:
        self._started_s = trio.current_time()
        self.limit(total_s)
        self._waits: set[trio.CancelScope] = set()
        self._interruption: ApiError | None = None
        self._waited_s = 0.0
        self._began_s = 0.0

    def waited_s(self) -> float:
        """Return how long the upstream was waited for, the present wait included."""
        return self._waited_s + (trio.current_time() - self._began_s if self._waits else 0.0)

    def limit(self, total_s: float) -> None:
        """Give the request this many seconds in all, counted from its beginning."""
        self._total_s = total_s
        self.deadline = self._started_s + total_s

    def check(self) -> None:
        """Raise what a wait would raise at once, if there is no time left for one."""
        if self._interruption is not None:
            raise self._interruption
        if self.deadline <= trio.current_time():
            raise self.too_late()

    @property
    def is_interrupted(self) -> bool:
        """True when the router has ended this request's waits."""
        return self._interruption is not None

    def interrupt(self, error: ApiError) -> None:
        """Make every wait of this request end with `error`."""
        self._interruption = error
        for scope in self._waits:
            scope.cancel(reason=error.message)

    @contextmanager
    def wait(self, *, until: float = math.inf, late: str = "") -> Iterator[None]:
        """Wait for the upstream in this block; raise the interruption, or a timeout, when it takes too long.

        `until` is a time before which this one wait must end, and `late` what is said when it does not. Several
        waits may go on at the same time.
        """
        self.check()
        scope = trio.CancelScope(deadline=min(self.deadline, until))
        self._begin(scope)
        try:
            with scope:
                yield
        finally:
            self._end(scope)
        if scope.cancelled_caught:
            raise self._interruption or self.too_late(late if until < self.deadline else "")

    def _begin(self, scope: trio.CancelScope) -> None:
        if not self._waits:
            self._began_s = trio.current_time()
        self._waits.add(scope)

    def _end(self, scope: trio.CancelScope) -> None:
        waited_s = self.waited_s()
        self._waits.discard(scope)
        if not self._waits:
            self._waited_s = waited_s

    def too_late(self, late: str = "") -> UpstreamError:
        """Return the error of a request whose time is up."""
        words = late or f"the answer took longer than {self._total_s:g} s"
        return UpstreamError("timeout_error", words, fault="timeout")
