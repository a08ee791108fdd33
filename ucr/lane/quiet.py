"""How long a client may say nothing between its requests.

How this works: a timer that is set for each request and cleared with its first byte costs more than what it guards. So
there is one for a connection, and a store says until when the client may be silent while its line is idle. When the
timer rings, the client has either been silent for too long, or it is set for when that can be at the earliest.
"""

import math

from actors import Timers
from ucr.lane.line import Line


class Quiet:
    """The silence of one connection's client, to be used in a `with`."""

    __slots__ = ("_line", "_rings_at", "_timers", "_until")

    def __init__(self, line: Line, timers: Timers) -> None:
        self._line = line
        self._timers = timers
        self._until = math.inf
        self._rings_at = math.inf

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *_: object) -> None:
        self._timers.clear(self._ring)

    def begin(self, patience_s: float) -> None:
        """Allow so much silence from now on; one that lasts longer, and in which the line is idle, ends the connection."""
        self._until = self._line.now() + patience_s
        if self._until < self._rings_at:
            self._set(self._until)

    def _set(self, at: float) -> None:
        self._rings_at = at
        self._timers.set(self._ring, at)

    def _ring(self) -> None:
        self._rings_at = math.inf
        if self._line.is_idle:
            if self._until <= self._line.now():
                self._line.time_out()
            else:
                self._set(self._until)
