"""A ledger: the leases of one provider that are out, and how the others ended.

The ledger survives the crashes of the actor that grants from it, so that limits stay honest. A permit comes
back the moment its lease is settled, whether or not an actor is running.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never

import trio

from actors.lease import Abandoned, Failure, FailureKind, Lease, Success


class Ledger:
    """`permits` is how much cost may be out at once; lowering it takes nothing back that is out."""

    def __init__(
        self,
        permits: int,
        on_settled: Callable[[Lease], None],
        on_answered: Callable[[Lease], None] | None = None,
    ) -> None:
        self.permits = permits
        self.is_closed = False
        self._on_settled = on_settled
        self._on_answered = on_answered
        self._out: dict[int, Lease] = {}
        self._empty: trio.Event | None = None
        self.in_flight = 0
        self.granted = 0
        self.succeeded = 0
        self.abandoned = 0
        self.failures: Mapping[FailureKind, int] = MappingProxyType({})

    def __repr__(self) -> str:
        return f"<Ledger {self.in_flight}/{self.permits} out, {self.granted} granted>"

    @property
    def leases_out(self) -> int:
        return len(self._out)

    def close(self) -> None:
        """Grant nothing any more."""
        self.is_closed = True

    def has_room(self, cost: int) -> bool:
        """Whether a lease of this cost can be granted. A cost above all permits counts as all of them."""
        return not self.is_closed and 0 < self.permits >= self.in_flight + min(cost, self.permits)

    def grant_nowait(
        self, request_id: str, cost: int, *, key: int = 0, model: str = "", is_probe: bool = False
    ) -> Lease | None:
        """Return a lease if its cost fits, as `has_room` says."""
        cost = min(cost, self.permits)
        if self.is_closed or not 0 < self.permits >= self.in_flight + cost:
            return None
        self.granted += 1
        lease = Lease(
            self.granted,
            request_id,
            cost,
            self._settle,
            self._on_answered,
            key=key,
            model=model,
            is_probe=is_probe,
        )
        self._out[lease.id] = lease
        self.in_flight += lease.cost
        return lease

    async def wait_empty(self) -> None:
        """Wait until no lease is out."""
        while self._out:
            if self._empty is None:
                self._empty = trio.Event()
            await self._empty.wait()

    def _settle(self, lease: Lease) -> None:
        del self._out[lease.id]
        self.in_flight -= lease.cost
        if isinstance(lease.outcome, Success):
            self.succeeded += 1
        else:
            self._count(lease.outcome)
        if self._empty is not None and not self._out:
            self._empty.set()
            self._empty = None
        self._on_settled(lease)

    def _count(self, outcome: Failure | Abandoned) -> None:
        match outcome:
            case Failure(kind=kind):
                self.failures = MappingProxyType({**self.failures, kind: self.failures.get(kind, 0) + 1})
            case Abandoned():
                self.abandoned += 1
            case other:
                assert_never(other)
