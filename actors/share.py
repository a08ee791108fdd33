"""The permits of upstreams that several processes share: each provider uses what its process has borrowed.

How this works. A provider that lets somebody wait although only its share is used up says so, and more is
borrowed; where nothing is left it learns that, and lets fewer wait. Once a second its share shrinks to what is in
flight, and the rest goes back. What goes back is taken from the provider first, so that all processes together never
use more than the upstream's limit. Without a lender each keeps to its even part, or to what it has if that is more.
"""

import math

import trio

from actors.borrower import Borrower
from actors.lending import Want
from actors.provider import Provider
from actors.stock import PermitStock
from actors.supervisor import Inside, Restart

RETRY_S = 0.05
"""How soon a lender that has nothing free is asked again for work that still waits."""
SHORT_S = 1.0
"""For so long nothing is expected of a lender that had nothing: idle permits come back each second."""


class Shares:
    """A supervised child. Each provider's `on_starved` must be `starved` with the key that it was added with.

    Of several providers under one key the last is in use; the others end what they have begun.
    """

    essential = False
    restart: Restart = "permanent"

    def __init__(self, borrower: Borrower, name: str = "shares") -> None:
        self.name = name
        self._borrower = borrower
        self._providers: dict[str, list[Provider]] = {}
        self._starved: dict[str, int] = {}
        self._is_starved = trio.Event()
        borrower.watch(self)

    def __repr__(self) -> str:
        return f"<Shares of {', '.join(self._providers) or 'nobody'}>"

    def add(self, key: str, provider: Provider) -> None:
        """Let the provider use what this process has borrowed; until something is, what it may have alone."""
        self._providers.setdefault(key, []).append(provider)
        self._apply(key)

    def starved(self, key: str, waiting: int) -> None:
        """Note that so many wait for permits that other processes may have."""
        self._starved[key] = waiting
        self._is_starved.set()

    def measure(self) -> None:
        """Tell the stocks what is in flight now; for the borrower, before it settles."""
        for key, providers in tuple(self._providers.items()):
            left = [one for one in providers if not one.mailbox.is_closed or one.ledger.leases_out]
            self._stock(key).use(sum(provider.ledger.in_flight for provider in left))
            if left:
                self._providers[key] = left
            else:
                del self._providers[key]

    def apply(self) -> None:
        """Give each provider what its stock holds; for the borrower, after it settled."""
        for key in self._providers:
            self._apply(key)

    async def run(self) -> None:
        """Borrow for whoever is starved, for ever."""
        while True:
            await self._is_starved.wait()
            self._is_starved = trio.Event()
            starved, self._starved = self._starved, {}
            short = [key for key, waiting in starved.items() if not await self._widen(key, waiting)]
            if short:
                await trio.sleep(RETRY_S)
                self._starve_again(short)

    def _starve_again(self, keys: list[str]) -> None:
        for key in keys:
            if any(provider.mailbox.statistics().unanswered for provider in self._providers.get(key, ())):
                self.starved(key, 1)

    async def _widen(self, key: str, waiting: int) -> bool:
        """Borrow for a provider; False: there is nothing now."""
        if key not in self._providers:
            return True
        self._stock(key).use(sum(provider.ledger.in_flight for provider in self._providers[key]))
        was_widened = await self._borrower.widen(self._want(key, waiting - 1))
        if key in self._providers:
            self._apply(key)
            self._providers[key][-1].set_short(-math.inf if was_widened else trio.current_time() + SHORT_S)
        return was_widened

    def _apply(self, key: str) -> None:
        stock = self._stock(key)
        left = stock.held if self._borrower.has_lender else stock.share
        *former, present = self._providers[key]
        for provider in former:
            part = min(left, provider.ledger.in_flight + provider.mailbox.statistics().unanswered)
            provider.set_share(part)
            left -= part
        present.set_share(left)

    def _stock(self, key: str) -> PermitStock:
        stock = self._borrower.stock(self._want(key))
        assert isinstance(stock, PermitStock)
        return stock

    def _want(self, key: str, extra: int = 0) -> Want:
        limit = self._providers[key][-1].spec.max_requests
        return Want(f"provider/{key}", "permits", limit, extra=max(0, extra))

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear: what is held outlives the incarnations."""

    def gave_up(self) -> None:
        """Let every provider use its part of the permits from now on, without a lender."""
        for key, providers in self._providers.items():
            providers[-1].set_share(self._stock(key).share)

    async def drain(self) -> None:
        """Return at once: the providers drain themselves."""

    async def aclose(self) -> None:
        """Nothing is held open."""

    def inside(self) -> Inside:
        """Nothing: this is no actor."""
        return None
