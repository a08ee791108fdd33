"""A retry budget: how much of an upstream's work may be retries, so that an outage makes no storm of them. Pure.

Two limits, and a retry needs both: of what runs at one time (Envoy's retry budget), and of what was begun in the
last seconds (a ratio as in Google's SRE book). Each is a share with a floor, so that quiet times may retry too.
"""

from collections.abc import Callable
from types import TracebackType

from actors.rolling import Rolling

PERCENT = 20
FLOOR = 3
WINDOW_S = 10.0

_CALLS, _RETRIES = range(2)


class Retry:
    """One retry. It is active until the `with` block ends that it is used in."""

    __slots__ = ("_on_ended",)

    def __init__(self, on_ended: Callable[[], None]) -> None:
        self._on_ended = on_ended

    def __enter__(self) -> "Retry":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._on_ended()


class RetryBudget:
    """The budget of one upstream. `active_calls` says how many calls run, retries among them."""

    def __init__(self, active_calls: Callable[[], int]) -> None:
        self._active_calls = active_calls
        self._window = Rolling(WINDOW_S, kinds=2)
        self.active = 0
        self.spent = 0
        self.refused = 0

    def __repr__(self) -> str:
        return f"<RetryBudget {self.active} active, {self.spent} spent, {self.refused} refused>"

    def called(self, now: float) -> None:
        """Count a call, whether it is a retry or not."""
        self._window.add(now, _CALLS)

    def try_spend(self, now: float) -> Retry | None:
        """Return the permission for one retry, or None; use it in a `with` round the call that it permits."""
        calls, retries = self._window.totals(now)
        is_within = self.active < _allowed(self._active_calls()) and retries < _allowed(calls - retries)
        if not is_within:
            self.refused += 1
            return None
        self._window.add(now, _RETRIES)
        self.active += 1
        self.spent += 1
        return Retry(self._ended)

    def _ended(self) -> None:
        self.active -= 1


def _allowed(calls: int) -> float:
    return max(FLOOR, PERCENT * calls / 100)
