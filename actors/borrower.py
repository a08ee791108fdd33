"""A borrower: one process's stock of what is limited for all, and the way to the lender.

How this works. What is in stock is used at once, without asking anybody. What is missing is borrowed, with a
little more, by one ask that gets all of it or nothing. Once a second the lender is told what was spent, and
gets back what is spare.

The lender may be gone, silent, or new and without memory. Then nothing fails: the borrower keeps within a share
of its own, and says what it used when a lender is there again. Nobody waits longer than `wait_s` for a lender,
and after a silence nobody waits for the next second.
"""

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, assert_never

import trio

from actors.errors import ActorError, AskTimeout, LimitReached
from actors.lending import Settlement, Want
from actors.limits import Borrow, Declare, Lent, LimitsMessage, Recovering, Settled, Short
from actors.ref import Ref
from actors.stock import PermitStock, RateStock
from actors.supervisor import Inside, Restart

Stock = RateStock | PermitStock

PERIOD_S = 1.0
MAX_KEYS = 2048
"""How many stocks are kept, beside those of permits in use. The one unused for longest goes first, and what it
holds goes back with it."""
REMEMBER_S = 0.2
"""For how long a refusal holds for others who want the same, before the lender is asked again."""


class Watcher(Protocol):
    """Somebody who uses permits without taking each one: asked and told within one step of the loop."""

    def measure(self) -> None:
        """Say what is in use now, by `use` of the stocks."""
        ...

    def apply(self) -> None:
        """Use no more than what the stocks hold now."""
        ...


class Borrower:
    """A supervised child. `id` names this process to the lender, and no other, earlier ones included.

    `borrowers` is how many there are, this one included, as far as is known before a lender says it.
    """

    essential = False
    restart: Restart = "permanent"

    def __init__(self, id: str, *, name: str = "borrower", wait_s: float = 0.1, borrowers: int = 1) -> None:
        self.id = id
        self.name = name
        self.wait_s = wait_s
        self.taken_alone = 0
        self._lender: Ref[LimitsMessage] | None = None
        self._silent_until = -math.inf
        self._session = 0
        self._borrowers = borrowers
        self._watchers: list[Watcher] = []
        self._stocks: OrderedDict[str, Stock] = OrderedDict()

    def __repr__(self) -> str:
        state = "has a lender" if self._lender else "is alone"
        return f"<Borrower {self.id!r} {state}, {len(self._stocks)} stocks>"

    @property
    def has_lender(self) -> bool:
        return self._lender is not None

    def attach(self, lender: Ref[LimitsMessage]) -> None:
        """Borrow from this lender from now on. It is told first what this borrower has."""
        now = trio.current_time()
        self._measure()
        holdings = tuple(stock.declared(now) for stock in self._stocks.values())
        self._session += 1
        lender.tell(Declare(self.id, holdings, self._session))
        self._lender = lender
        self._silent_until = -math.inf
        self._apply()

    def detach(self) -> None:
        """Go on without a lender."""
        self._lender = None
        self._apply()

    def watch(self, watcher: Watcher) -> None:
        """Ask and tell this one whenever what is held changes by itself."""
        self._watchers.append(watcher)

    def unclaimed(self, message: object, answer: object) -> None:
        """Take what was lent to somebody who left before the answer came."""
        match message, answer:
            case Borrow(wants=wants), Lent(amounts=amounts):
                for want, amount in zip(wants, amounts, strict=True):
                    self.stock(want).lent(amount)
            case _:
                pass

    async def run(self) -> None:
        """Settle with the lender once a second, for ever."""
        while True:
            await trio.sleep(PERIOD_S)
            self.settle()

    def settle(self) -> None:
        """Tell the lender what was spent, and give back what is spare."""
        if self._lender is None:
            return
        now = trio.current_time()
        self._measure()
        entries: list[Settlement] = []
        for key, stock in tuple(self._stocks.items()):
            stock.lenders_shared(self._borrowers, now)
            if (entry := stock.settled()) is not None:
                entries.append(entry)
            elif stock.is_idle(now):
                del self._stocks[key]
        self._apply()
        if entries:
            self._lender.tell(Settled(self.id, tuple(entries)))

    async def take(self, *wants: Want) -> None:
        """Take all of what is wanted, or raise `LimitReached` and take nothing.

        A permit goes back with `give_back`; a rate is spent. A need above the whole limit is one of the whole.
        """
        stocks = [self.stock(want) for want in wants]
        needs = [min(want.need, want.limit) for want in wants]
        reserved = [stock.reserve(need) for stock, need in zip(stocks, needs, strict=True)]
        missing = [need - amount for need, amount in zip(needs, reserved, strict=True)]
        was_lent = True
        if any(missing):
            with self._reserved(stocks, reserved):
                was_lent = await self._borrow(wants, stocks, missing)
                if not was_lent:
                    self._check_alone(stocks, missing)
        now = trio.current_time()
        for stock, amount, lacking in zip(stocks, reserved, missing, strict=True):
            if was_lent:
                stock.spend(amount + stock.reserve(lacking), now)
            else:
                self.taken_alone += 1
                stock.spend(amount, now)
                stock.charge(lacking, now)

    async def widen(self, want: Want) -> bool:
        """Hold more permits, for a watcher; False: there are none now."""
        stock = self.stock(want)
        try:
            with self._reserved((stock,), (0,)):
                was_lent = await self._borrow((want,), (stock,), (want.need,))
        except LimitReached:
            return False
        if not was_lent:
            if not stock.may_charge(want.need, trio.current_time()):
                return False
            stock.charge(want.need, trio.current_time())
            stock.put_back(want.need)
        return True

    def give_back(self, key: str, amount: int = 1) -> None:
        """End the use of permits."""
        if (stock := self._stocks.get(key)) is not None:
            stock.put_back(amount)

    def charge(self, want: Want) -> None:
        """Use more of a rate than was taken: it is known too late to be refused."""
        self.stock(want).charge(want.need, trio.current_time())

    def refund(self, want: Want, taken_at: float) -> None:
        """Say that part of a rate, taken at that time, was not used after all."""
        now = trio.current_time()
        stock = self.stock(want)
        if isinstance(stock, RateStock):
            stock.refund(want.need, now - taken_at, now)

    def remaining(self, want: Want) -> int:
        """Return about how much of a rate is left for all: as the lender said last, or of the share of one alone."""
        stock = self.stock(want)
        if isinstance(stock, PermitStock):
            return stock.spare + stock.left
        return stock.remaining(trio.current_time(), is_alone=self._lender is None)

    def stock(self, want: Want) -> Stock:
        """Return the stock of a key, made if need be, with the limit that holds now."""
        stock = self._stocks.get(want.key)
        if stock is None:
            kind = RateStock if want.kind == "rate" else PermitStock
            stock = self._stocks[want.key] = kind(want.key, want.limit)
            stock.lenders_shared(self._borrowers, trio.current_time())
        stock.limit = want.limit
        self._stocks.move_to_end(want.key)
        if len(self._stocks) > MAX_KEYS:
            self._forget_one(stock)
        return stock

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear: what a borrower has outlives its incarnations."""

    def gave_up(self) -> None:
        self.detach()

    async def drain(self) -> None:
        """Return at once: nothing has to be waited for."""

    def inside(self) -> Inside:
        """Nothing: a borrower is no actor."""
        return None

    async def aclose(self) -> None:
        """Settle for the last time."""
        self.settle()
        self.detach()

    def _measure(self) -> None:
        for watcher in self._watchers:
            watcher.measure()

    def _apply(self) -> None:
        for watcher in self._watchers:
            watcher.apply()

    @contextmanager
    def _reserved(self, stocks: Sequence[Stock], reserved: Sequence[int]) -> Iterator[None]:
        """Keep the stocks while they are asked for more; put back what was reserved if the block fails."""
        for stock in stocks:
            stock.wanted += 1
        try:
            yield
        except BaseException:
            for stock, amount in zip(stocks, reserved, strict=True):
                stock.put_back(amount)
            raise
        finally:
            for stock in stocks:
                stock.wanted -= 1

    async def _borrow(self, wants: Sequence[Want], stocks: Sequence[Stock], missing: Sequence[int]) -> bool:
        """Borrow what is missing; False: there is no lender who could. Raise `LimitReached` when it is short."""
        now = trio.current_time()
        if self._lender is None or now < self._silent_until:
            return False
        lacking = [index for index, amount in enumerate(missing) if amount]
        for index in lacking:
            if stocks[index].retry_at > now:
                raise _reached(wants[index].key, stocks[index].retry_at - now)
        asked = tuple(
            Want(wants[i].key, wants[i].kind, wants[i].limit, missing[i], max(wants[i].extra, stocks[i].extra))
            for i in lacking
        )
        answer = await self._ask(Borrow(self.id, asked))
        match answer:
            case Lent(amounts=amounts, borrowers=borrowers, left=left):
                self._borrowers = borrowers
                for index, amount, rest in zip(lacking, amounts, left, strict=True):
                    stocks[index].lent(amount)
                    stocks[index].left = rest
                return True
            case Short(key=key, retry_after_s=retry_after_s, borrowers=borrowers):
                self._borrowers = borrowers
                short = next(stocks[i] for i in lacking if wants[i].key == key)
                short.retry_at = trio.current_time() + min(retry_after_s, REMEMBER_S)
                raise _reached(key, retry_after_s)
            case Recovering() | None:
                return False
            case other:
                assert_never(other)

    async def _ask(self, message: Borrow) -> Lent | Short | Recovering | None:
        assert self._lender is not None
        now = trio.current_time()
        try:
            return await self._lender.ask(message, deadline=now + self.wait_s)
        except AskTimeout:
            self._silent_until = now + self.wait_s + PERIOD_S
        except ActorError:
            return None
        return None

    def _check_alone(self, stocks: Sequence[Stock], missing: Sequence[int]) -> None:
        now = trio.current_time()
        for stock, lacking in zip(stocks, missing, strict=True):
            if not stock.may_charge(lacking, now):
                raise _reached(stock.key, stock.retry_after_s(lacking, now))

    def _forget_one(self, newest: Stock) -> None:
        unused = (key for key, stock in self._stocks.items() if not stock.wanted and not stock.in_use)
        stock = self._stocks.pop(next(unused, newest.key))
        entry = stock.settled()
        if entry is not None and self._lender is not None:
            self._lender.tell(Settled(self.id, (entry,)))


def _reached(key: str, retry_after_s: float) -> LimitReached:
    return LimitReached(f"{key}: nothing is left of the limit", key=key, retry_after_s=retry_after_s)
