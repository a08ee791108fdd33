"""How often and how soon something that crashed is started again.

The rule is OTP's restart intensity with an exponential back-off. Pure: the clock and the dice are arguments.
"""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intensity:
    """More than `max_crashes` within `window_s` seconds is too often."""

    max_crashes: int = 5
    window_s: float = 30.0
    first_delay_s: float = 0.1
    max_delay_s: float = 5.0


class CrashHistory:
    """The recent crashes of one child."""

    def __init__(self, intensity: Intensity) -> None:
        self._intensity = intensity
        self._crashes: deque[float] = deque()

    def __repr__(self) -> str:
        return f"<CrashHistory {len(self._crashes)} of {self._intensity.max_crashes}>"

    def crashed(self, now: float, dice: float) -> float | None:
        """Note a crash; return the seconds to wait before the next start, or None to give up.

        The delay doubles with every crash within the window. `dice` is a number from 0 to 1, which spreads
        restarts over the upper half of the delay, so that things that crashed together do not restart together.
        """
        while self._crashes and self._crashes[0] <= now - self._intensity.window_s:
            self._crashes.popleft()
        self._crashes.append(now)
        if len(self._crashes) > self._intensity.max_crashes:
            return None
        doubled: float = self._intensity.first_delay_s * 2 ** (len(self._crashes) - 1)
        return min(doubled, self._intensity.max_delay_s) * (0.5 + 0.5 * dice)
