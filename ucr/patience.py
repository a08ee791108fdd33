"""How long one request may still wait for its upstream.

A wait is the only place where a request is stopped from outside: by its own deadline, or when the router
shuts down. Sending to the client is never interrupted, so no event is ever cut in half.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from ucr.errors import ApiError, UpstreamError


class Patience:
    """`total_s` from now on; `interrupt` ends the present wait and every later one with the given error."""

    def __init__(self, total_s: float) -> None:
        self._started_s = trio.current_time()
        self.limit(total_s)
        self._waiting: trio.CancelScope | None = None
        self._interruption: ApiError | None = None
        self._waited_s = 0.0
        self._began_s = 0.0

    def waited_s(self) -> float:
        """Return how long the upstream was waited for, the present wait included."""
        now_s = trio.current_time()
        return self._waited_s + (0.0 if self._waiting is None else now_s - self._began_s)

    def limit(self, total_s: float) -> None:
        """Give the request this many seconds in all, counted from its beginning."""
        self._total_s = total_s
        self.deadline = self._started_s + total_s

    def interrupt(self, error: ApiError) -> None:
        """Make every wait of this request end with `error`."""
        self._interruption = error
        if self._waiting is not None:
            self._waiting.cancel(reason=error.message)

    @contextmanager
    def wait(self) -> Iterator[None]:
        """Wait for the upstream in this block; raise the interruption, or a timeout, when it takes too long."""
        if self._interruption is not None:
            raise self._interruption
        self._began_s = trio.current_time()
        with trio.CancelScope(deadline=self.deadline) as scope:
            self._waiting = scope
            try:
                yield
            finally:
                self._waited_s = self.waited_s()
                self._waiting = None
        if scope.cancelled_caught:
            raise self._interruption or UpstreamError(
                "timeout_error", f"the answer took longer than {self._total_s:g} s", fault="timeout"
            )
