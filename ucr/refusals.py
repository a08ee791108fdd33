"""Wrong keys, counted: who brings too many is told to wait instead of being told again that they are wrong.

A right key is let in whatever its neighbours do, because many clients may share an address: behind a proxy, or on
this machine. So this is no lock; a key of 256 bits needs none. It tells a client that tries in a loop to stop, and
its address apart from one that mistyped.
"""

import math
from collections import OrderedDict, deque

from ucr.errors import ApiError

REFUSALS_LIMIT = 30
WINDOW_S = 60.0
"""So many wrong keys of one address in so long are told as such."""
ADDRESSES_LIMIT = 1000
"""Of so many addresses it is remembered; the one that was longest not heard of is forgotten first."""


class Refusals:
    """Remembers when keys of an address were refused; times are of one clock, in seconds."""

    def __init__(self) -> None:
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Refusals of {len(self._moments)} addresses>"

    def note(self, address: str, now_s: float, error: ApiError) -> ApiError:
        """Note that a key was refused; return what to say: the error itself, or 429 when there were too many."""
        moments = self._moments.pop(address, None) or deque(maxlen=REFUSALS_LIMIT)
        while moments and moments[0] <= now_s - WINDOW_S:
            moments.popleft()
        self._moments[address] = moments
        if len(self._moments) > ADDRESSES_LIMIT:
            self._moments.popitem(last=False)
        if len(moments) == REFUSALS_LIMIT:
            wait_s = max(1, math.ceil(moments[0] + WINDOW_S - now_s))
            words = f"more than {REFUSALS_LIMIT} wrong keys within a minute; {error.message}"
            return ApiError("rate_limit_error", words, retry_after_s=wait_s, should_retry=False)
        moments.append(now_s)
        return error
