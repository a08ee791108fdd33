"""How often and how soon something that crashed is started again.

The rule is OTP's restart intensity with an exponential back-off. Pure: the clock and the dice are arguments.
"""

from collections import deque
from dataclasses import dataclass

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Intensity:
    """More than `max_crashes` within `window_s` seconds is too often.

    With `gives_up` False nothing is too often: the delay grows to `max_delay_s` and stays there until a whole
    window has passed without a crash.
    """

    max_crashes: int = 5
    window_s: float = 30.0
    first_delay_s: float = 0.1
    max_delay_s: float = 5.0
    gives_up: bool = True


class CrashHistory:
    """The recent crashes of one child."""

    def __init__(self, intensity: Intensity) -> None:
        self._intensity = intensity
        self._crashes: deque[float] = deque()
        self._streak = 0
        self._started = 0.0

    def __repr__(self) -> str:
        return f"<CrashHistory {len(self._crashes)} of {self._intensity.max_crashes}>"

    def crashed(self, now: float, dice: float) -> float | None:
        """Note a crash; return the seconds to wait before the next start, or None to give up.

        The delay doubles with every crash within the window. `dice` is a number from 0 to 1, which spreads
        restarts over the upper half of the delay, so that things that crashed together do not restart together.
        """
        if self._intensity.gives_up:
            crashes = self._within_window(now)
            return None if crashes > self._intensity.max_crashes else self._delay_s(crashes, dice)
        lived_s = now - self._started
        self._streak = 1 if lived_s >= self._intensity.window_s else self._streak + 1
        delay_s = self._delay_s(self._streak, dice)
        self._started = now + delay_s
        return delay_s

    def _within_window(self, now: float) -> int:
        while self._crashes and self._crashes[0] <= now - self._intensity.window_s:
            self._crashes.popleft()
        self._crashes.append(now)
        return len(self._crashes)

    def _delay_s(self, crashes: int, dice: float) -> float:
        doubled: float = self._intensity.first_delay_s * 2 ** min(crashes - 1, _MOST_DOUBLINGS)
        return min(doubled, self._intensity.max_delay_s) * (0.5 + 0.5 * dice)
