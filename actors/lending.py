"""What may be used at one time or in one minute, lent to several borrowers without ever lending too much.

How this works. A *limit* is shared by the worker processes of a router. Asking a third process about each
request would cost as much as the rest of the router's work, and a fixed share for each would refuse one while
another idles. So each borrower takes a chunk and gives back each second what it did not use. A chunk is what
is needed now, and beyond that at most a part of what is free: the nearer the limit, the smaller the chunks, so
that near the limit each unit is asked for, and hardly any is idle in the wrong place.

A rate is counted twice, never less: while it is lent, and for a minute after it was spent. Pure: the clock is
an argument.
"""

from dataclasses import dataclass, field
from typing import Literal

from actors.window import Ages, Window

Kind = Literal["rate", "permits"]

SPREAD = 4
"""Beyond what it needs, a borrower gets at most this part of its even share of what is free."""
PERMIT_RETRY_S = 1.0
"""When a permit comes back nobody knows; idle ones come back each second."""
SETTLED_S = 62.0
"""When something that was lent and spent just now is free again: it is settled within a second."""


@dataclass(frozen=True, slots=True)
class Want:
    """A wish to use `need` of `key` now, and `extra` soon.

    `limit` is what all borrowers together may use: in a minute for a rate, at one time for permits.
    """

    key: str
    kind: Kind
    limit: int
    need: int = 1
    extra: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a key in one borrower's hands since it was settled last.

    `spent` and `returned` come out of what was lent. `charged` was used without having been lent. `refunds`
    were counted as spent and turned out not to be, each with its age in seconds. `returned` is negative when
    permits were taken while the lender was away.
    """

    key: str
    spent: int = 0
    returned: int = 0
    charged: int = 0
    refunds: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """What a borrower has of a key: lent and not spent, and spent in the last minute."""

    key: str
    kind: Kind
    limit: int
    held: int
    spent: Ages = ()


def chunk(need: int, extra: int, free: int, borrowers: int) -> int:
    """Return how much to lend; 0 when the need itself is not free."""
    if need > free:
        return 0
    return need + max(0, min(extra, (free - need) // (SPREAD * max(1, borrowers))))


@dataclass(slots=True)
class _Share:
    held: int = 0
    spent: Window = field(default_factory=Window)


class Account:
    """One key: its limit, and what each borrower has of it."""

    __slots__ = ("_shares", "kind", "limit")

    def __init__(self, kind: Kind, limit: int) -> None:
        self.kind: Kind = kind
        self.limit = limit
        self._shares: dict[str, _Share] = {}

    def __repr__(self) -> str:
        return f"<Account of {self.limit} {self.kind}: {self.held} lent>"

    @property
    def held(self) -> int:
        return sum(share.held for share in self._shares.values())

    def spent(self, now: float) -> int:
        return sum(share.spent.used(now) for share in self._shares.values())

    def free(self, now: float) -> int:
        """Return what may still be lent; below zero after the limit was lowered or a use was charged late."""
        return self.limit - self.held - self.spent(now)

    def is_idle(self, now: float) -> bool:
        """True when nothing would be lost by forgetting the account."""
        for borrower, share in tuple(self._shares.items()):
            if not share.held and not share.spent.used(now):
                del self._shares[borrower]
        return not self._shares

    def amount(self, want: Want, borrowers: int, now: float) -> int:
        """Return what would be lent; a need above the whole limit counts as the whole limit."""
        return chunk(min(want.need, want.limit), want.extra, self.free(now), borrowers)

    def lend(self, borrower: str, amount: int) -> None:
        self._share(borrower).held += amount

    def settle(self, borrower: str, entry: Settlement, now: float) -> None:
        """Take back what was returned, and count what was spent for a minute from now."""
        share = self._share(borrower)
        share.held = max(0, share.held - entry.spent - entry.returned)
        used = entry.spent + entry.charged
        if self.kind == "rate" and used > 0:
            share.spent.add(used, now)
        for age_s, amount in entry.refunds:
            share.spent.take_back(amount, age_s, now)

    def declare(self, borrower: str, holding: Holding, now: float) -> None:
        """Believe a borrower about what it has, whatever was known of it before."""
        share = self._share(borrower)
        share.held = holding.held
        share.spent.restore(holding.spent, now)

    def forget(self, borrower: str) -> None:
        """Forget a borrower wholly; it is about to say what it has."""
        self._shares.pop(borrower, None)

    def leave(self, borrower: str, now: float) -> None:
        """Take everything back from a borrower that is gone.

        Its permits are free again. What it held of a rate counts as spent, because nobody can tell; if it comes
        back, it says itself.
        """
        share = self._shares.get(borrower)
        if share is None:
            return
        if self.kind == "rate" and share.held:
            share.spent.add(share.held, now)
        share.held = 0

    def retry_after_s(self, need: int, now: float) -> float:
        """Return the seconds until the need is free, if nobody takes anything until then.

        What is lent counts as spent just now: near a limit hardly any of it is spare.
        """
        if self.kind == "permits":
            return PERMIT_RETRY_S
        missing = min(need, self.limit) - self.free(now)
        leaving = sorted(pair for share in self._shares.values() for pair in share.spent.leaving(now))
        for wait_s, amount in (*leaving, (SETTLED_S, self.held)):
            missing -= amount
            if missing <= 0:
                return wait_s
        return SETTLED_S

    def _share(self, borrower: str) -> _Share:
        return self._shares.setdefault(borrower, _Share())
