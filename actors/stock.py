"""What one borrower has of one limit, and what it may use while there is no lender.

A rate's stock is what was lent and not spent; what was spent is remembered for a minute as well, so that a
lender that lost its memory can be told, and so that the borrower keeps within a share of its own meanwhile.
A permits' stock is what was lent, of which some is in use and comes back. Pure: the clock is an argument.
"""

from actors.lending import PERMIT_RETRY_S, Holding, Settlement
from actors.window import Window


def even_share(limit: int, borrowers: int) -> int:
    """Return one borrower's part of a limit, rounded up: nobody's part is nothing."""
    return -(-limit // max(1, borrowers))


class RateStock:
    """So many in a minute. `limit` is that of all borrowers together; `wanted` counts who just asks for some.

    `left` is what the lender had left of it when it was asked last.
    """

    def __init__(self, key: str, limit: int) -> None:
        self.key = key
        self.limit = limit
        self.retry_at = 0.0
        self.wanted = 0
        self.used_at = 0.0
        self.left = limit
        self._spare = 0
        self._window = Window()
        self._spent = self._charged = 0
        self._refunds: dict[int, int] = {}
        self._recent = self._before = 0
        self._share = limit

    def __repr__(self) -> str:
        return f"<RateStock of {self.key!r}: {self._spare} spare>"

    @property
    def in_use(self) -> int:
        """Nothing of a rate comes back."""
        return 0

    @property
    def extra(self) -> int:
        """What is likely to be needed within a second."""
        return max(self._recent, self._before)

    @property
    def spare(self) -> int:
        return self._spare

    def used(self, now: float) -> int:
        return self._window.used(now)

    def remaining(self, now: float, *, is_alone: bool) -> int:
        """Return about how much of the limit is left for all, this borrower's spare included."""
        return max(0, self._share - self._window.used(now) if is_alone else self.left + self._spare)

    def reserve(self, need: int) -> int:
        """Set aside what there is of a need, and return how much."""
        reserved = min(self._spare, need)
        self._spare -= reserved
        return reserved

    def put_back(self, reserved: int) -> None:
        """Undo a `reserve`."""
        self._spare += reserved

    def lent(self, amount: int) -> None:
        self._spare += amount

    def spend(self, amount: int, now: float) -> None:
        """Use what was reserved."""
        self._spent += amount
        self._note(amount, now)

    def charge(self, amount: int, now: float) -> None:
        """Use what was not lent."""
        self._charged += amount
        self.left -= amount
        self._note(amount, now)

    def refund(self, amount: int, age_s: float, now: float) -> None:
        """Take back a use of `age_s` ago that was none after all."""
        self._window.take_back(amount, age_s, now)
        age = int(age_s)
        self._refunds[age] = self._refunds.get(age, 0) + amount

    def may_charge(self, amount: int, now: float) -> bool:
        """True when the share that the borrower has without a lender allows it."""
        return amount <= 0 or self._window.used(now) + amount <= self._share

    def retry_after_s(self, amount: int, now: float) -> float:
        """Return the seconds until `may_charge` allows it."""
        missing = self._window.used(now) + min(amount, self._share) - self._share
        for wait_s, leaving in self._window.leaving(now):
            missing -= leaving
            if missing <= 0:
                return wait_s
        return PERMIT_RETRY_S

    def lenders_shared(self, borrowers: int, now: float) -> None:
        """Take the present use, or an even share, as what may be used when the lender is gone."""
        self._share = max(even_share(self.limit, borrowers), self._window.used(now))

    def settled(self) -> Settlement | None:
        """Give everything back that is spare; None when there is nothing to say."""
        entry = Settlement(
            self.key, self._spent, self._spare, self._charged, tuple(sorted(self._refunds.items()))
        )
        self._before, self._recent = self._recent, 0
        self.left += self._spare
        self._clear()
        return None if entry == Settlement(self.key) else entry

    def declared(self, now: float) -> Holding:
        """Say what there is; what was not settled is in it. The spare goes back, for it may be lent twice."""
        self._clear()
        return Holding(self.key, "rate", self.limit, 0, self._window.ages(now))

    def is_idle(self, now: float) -> bool:
        """True when it may be forgotten, once it was settled."""
        return not self.wanted and self._spare == 0 and self._before == 0 and self._window.used(now) == 0

    def _note(self, amount: int, now: float) -> None:
        self.used_at = now
        self._recent += amount
        self._window.add(amount, now)

    def _clear(self) -> None:
        self._spare = self._spent = self._charged = 0
        self._refunds = {}


class PermitStock:
    """So many at one time. `in_use` is part of `held`."""

    def __init__(self, key: str, limit: int) -> None:
        self.key = key
        self.limit = limit
        self.retry_at = 0.0
        self.wanted = 0
        self.left = limit
        self.held = 0
        self.in_use = 0
        self._peak = 0
        self._taken = 0
        self._share = limit

    def __repr__(self) -> str:
        return f"<PermitStock of {self.key!r}: {self.in_use} of {self.held} in use>"

    @property
    def extra(self) -> int:
        """What is likely to be needed soon: a quarter more than is in use."""
        return max(1, self.in_use // 4)

    @property
    def spare(self) -> int:
        return self.held - self.in_use

    def reserve(self, need: int) -> int:
        """Use what there is of a need, and return how much."""
        reserved = max(0, min(self.spare, need))
        self.use(self.in_use + reserved)
        return reserved

    def put_back(self, reserved: int) -> None:
        """End a use."""
        self.use(max(0, self.in_use - reserved))

    def use(self, in_use: int) -> None:
        """Say how many are in use now."""
        self.in_use = in_use
        self._peak = max(self._peak, in_use)

    def lent(self, amount: int) -> None:
        self.held += amount

    def spend(self, amount: int, now: float) -> None:
        """Use what was reserved: nothing is left to do."""

    def charge(self, amount: int, now: float) -> None:
        """Use what was not lent: the lender is told that this borrower has it."""
        self.held += amount
        self._taken += amount
        self.use(self.in_use + amount)

    def may_charge(self, amount: int, now: float) -> bool:
        """True when the share that the borrower has without a lender allows it."""
        return amount <= 0 or self.in_use + amount <= self.share

    @property
    def share(self) -> int:
        """What may be in use while there is no lender."""
        return max(self._share, self.held)

    def retry_after_s(self, amount: int, now: float) -> float:
        return PERMIT_RETRY_S

    def lenders_shared(self, borrowers: int, now: float) -> None:
        """Take what is held, or an even share, as what may be in use when the lender is gone."""
        self._share = max(even_share(self.limit, borrowers), self.held)

    def settled(self) -> Settlement | None:
        """Give back what was idle for a second; None when there is nothing to say."""
        idle = max(0, self.held - self._peak)
        self.held -= idle
        self._peak = self.in_use
        entry = Settlement(self.key, returned=idle - self._taken)
        self._taken = 0
        return None if not entry.returned else entry

    def declared(self, now: float) -> Holding:
        """Say what there is; what was not settled is in it, and what is idle goes back."""
        self.held = self.in_use
        self._taken = 0
        return Holding(self.key, "permits", self.limit, self.held)

    def is_idle(self, now: float) -> bool:
        """True when it may be forgotten, once it was settled."""
        return not self.wanted and self.held == 0 and self.in_use == 0
