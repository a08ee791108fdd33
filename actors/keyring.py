"""A keyring: the keys of one upstream, who gets which, and those that have to rest. Pure."""

from dataclasses import dataclass

from actors.errors import KeyFault
from actors.lease import Failure
from actors.rendezvous import rank

SHORTEST_S, LONGEST_S = 1.0, 60.0
RATE_LIMIT_S = 5.0
"""How long a key rests after a 429 that does not say for how long; LiteLLM's default."""


@dataclass(frozen=True, slots=True)
class Cooling:
    """A key rests until this time of Trio's clock, because of this."""

    until: float
    kind: KeyFault


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """A key that rests, or has rested lately, until a time of Trio's clock; None: it is free."""

    cooling_until: float | None = None
    kind: KeyFault | None = None


FREE = KeyStatus()


def rest_s(failure: Failure) -> float:
    """Return how long a key rests after a failure: as long as was asked for, within bounds."""
    if failure.kind != "rate_limit":
        return LONGEST_S
    if failure.retry_after_s is None:
        return RATE_LIMIT_S
    return min(max(failure.retry_after_s, SHORTEST_S), LONGEST_S)


class Keyring:
    """Keys are numbers from 0. An upstream without keys has one all the same: the way in is then the key.

    `is_alone`: there is one key, and it does not rest, so that nothing has to be chosen. Its load means nothing then.
    """

    def __init__(self, keys: int) -> None:
        self._loads = [0] * max(1, keys)
        self._used = [0] * len(self._loads)
        self._uses = 0
        self._cooling: dict[int, Cooling] = {}
        self._status: tuple[KeyStatus, ...] | None = None
        self.is_alone = len(self._loads) == 1

    def __repr__(self) -> str:
        return f"<Keyring {self._loads}, {len(self._cooling)} cooling>"

    def __len__(self) -> int:
        return len(self._loads)

    def status(self) -> tuple[KeyStatus, ...]:
        """Return the state of each key."""
        if self._status is None:
            cooling = (self._cooling.get(key) for key in range(len(self._loads)))
            self._status = tuple(FREE if c is None else KeyStatus(c.until, c.kind) for c in cooling)
        return self._status

    def has_free(self, now: float) -> bool:
        """Whether `take` would return a key."""
        return len(self._cooling) < len(self._loads) or any(c.until <= now for c in self._cooling.values())

    def soonest(self) -> Cooling:
        """Return the rest that ends first; there must be one."""
        return min(self._cooling.values(), key=lambda cooling: cooling.until)

    def take(self, now: float, group: str = "") -> int | None:
        """Return a free key, or None when all rest; give it back after the work.

        A group always gets the same one, so that what an upstream remembers by key is found again, and another
        one only while its own rests. Without a group it is the one with the least work, of several such the one
        used longest ago.
        """
        if self.is_alone:
            self._loads[0] += 1
            return 0
        self._warm_up(now)
        free = [key for key in range(len(self._loads)) if key not in self._cooling]
        if not free:
            return None
        key = free[0]
        if len(free) > 1 and group:
            key = min(free, key=lambda key: rank(group, key))
        elif len(free) > 1:
            key = min(free, key=lambda key: (self._loads[key], self._used[key]))
        self._uses += 1
        self._used[key] = self._uses
        self._loads[key] += 1
        return key

    def give_back(self, key: int) -> None:
        """The work with a key has ended."""
        self._loads[key] -= 1

    def cool(self, key: int, until: float, kind: KeyFault) -> bool:
        """Let a key rest; False: it does so already, as long, or there is no such key."""
        resting = self._cooling.get(key)
        if not 0 <= key < len(self._loads) or (resting is not None and resting.until >= until):
            return False
        self._cooling[key] = Cooling(until, kind)
        self._status = None
        self.is_alone = False
        return True

    def _warm_up(self, now: float) -> None:
        if self._cooling:
            self._cooling = {key: cooling for key, cooling in self._cooling.items() if cooling.until > now}
            self._status = None
            self.is_alone = len(self._loads) == 1 and not self._cooling
