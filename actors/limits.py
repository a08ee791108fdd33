"""The lender: an actor that knows what all borrowers together may use, and lends it in chunks.

The same actor runs beside its only borrower in one process, and for several in a process of its own, behind
bridges. What it has lent belongs to the child, `Lender`: a crash of the actor forgets nothing. When the whole
process was lost, the borrowers say what they have, and nothing is lent before they did.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, assert_never

import trio

from actors.actor import ActorChild
from actors.lending import Account, Holding, Settlement, Want
from actors.mailbox import Mailbox, Reply
from actors.ref import Question

MAX_KEYS = 2048
"""How many limits are remembered. The one unused for longest is forgotten, and then begins anew."""
CAPACITY = 4096
_PRUNED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Lent:
    """One amount for each want, and what is left of its limit. `borrowers` is how many there are now."""

    amounts: tuple[int, ...]
    borrowers: int
    left: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing was lent, for want of `key`; `retry_after_s` says when it may be there."""

    key: str
    retry_after_s: float
    borrowers: int


@dataclass(frozen=True, slots=True)
class Recovering:
    """Nothing can be lent yet: not every borrower has said what it holds."""


@dataclass(frozen=True, slots=True)
class Borrow(Question[Lent | Short | Recovering]):
    """Ask for all wants or none."""

    borrower: str
    wants: tuple[Want, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """Give back what was not used, and say what was. Told once a second."""

    borrower: str
    entries: tuple[Settlement, ...]


@dataclass(frozen=True, slots=True)
class Declare:
    """Say what a borrower holds: the first message of every borrower, and of every new connection of one.

    `session` numbers the connections of a borrower.
    """

    borrower: str
    holdings: tuple[Holding, ...]
    session: int = 0


@dataclass(frozen=True, slots=True)
class Leave:
    """A connection of a borrower has ended; it is gone, unless it has declared on a later one."""

    borrower: str
    session: int = 0


LimitsMessage = Borrow | Settled | Declare | Leave
LIMITS_MESSAGES: tuple[type, ...] = (Borrow, Settled, Declare, Leave, Lent, Short, Recovering)
"""Everything that is said to a lender, and that it says: what a bridge's codec must know."""


@dataclass(frozen=True, slots=True)
class LimitsStatistics:
    limits: int
    borrowers: int
    recovering: bool
    lent: int
    short: int


class Lender(ActorChild[LimitsMessage]):
    """The child: every account, round the incarnations of the actor.

    `awaited` is how many borrowers must declare before anything is lent, but for `recovery_s` at most; a lender
    that starts for the first time awaits none. `borrowers` has the session of each.
    """

    def __init__(
        self, name: str = "limits", *, awaited: int = 0, recovery_s: float = 2.0, max_keys: int = MAX_KEYS
    ) -> None:
        super().__init__(Mailbox(name, capacity=CAPACITY), lambda: LimitsActor(self))
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._max_keys = max_keys
        self._awaited = awaited
        self._recovered_at = trio.current_time() + recovery_s
        self.borrowers: dict[str, int] = {}
        self.lent = self.short = 0

    @property
    def is_recovering(self) -> bool:
        return len(self.borrowers) < self._awaited and trio.current_time() < self._recovered_at

    def statistics(self) -> LimitsStatistics:
        return LimitsStatistics(
            len(self._accounts), len(self.borrowers), self.is_recovering, self.lent, self.short
        )

    def account(self, key: str) -> Account | None:
        return self._accounts.get(key)

    def accounts(self) -> tuple[Account, ...]:
        return tuple(self._accounts.values())

    def opened(self, wanted: Want | Holding) -> Account:
        """Return the account of a key, made if need be, with the limit that holds now."""
        account = self._accounts.get(wanted.key)
        if account is None or account.kind != wanted.kind:
            account = self._accounts[wanted.key] = Account(wanted.kind, wanted.limit)
        account.limit = wanted.limit
        self._accounts.move_to_end(wanted.key)
        while len(self._accounts) > self._max_keys:
            self._accounts.popitem(last=False)
        return account

    def prune(self) -> None:
        """Forget a few of the accounts unused for longest, if nothing is lost by it."""
        now = trio.current_time()
        for key, account in list(self._accounts.items())[:_PRUNED_AT_ONCE]:
            if account.is_idle(now):
                del self._accounts[key]
            else:
                self._accounts.move_to_end(key)


class LimitsActor:
    """One incarnation; it holds nothing itself."""

    def __init__(self, limits: Lender) -> None:
        self._limits = limits

    def receive(self, message: LimitsMessage, reply: Reply[Any]) -> None:
        match message:
            case Borrow(borrower=borrower, wants=wants):
                self._borrow(borrower, wants, reply)
            case Settled(borrower=borrower, entries=entries):
                self._settle(borrower, entries)
            case Declare(borrower=borrower, holdings=holdings, session=session):
                self._limits.borrowers[borrower] = session
                self._declare(borrower, holdings)
            case Leave(borrower=borrower, session=session):
                if self._limits.borrowers.get(borrower) == session:
                    self._leave(borrower)
            case other:
                assert_never(other)

    def _borrow(self, borrower: str, wants: tuple[Want, ...], reply: Reply[Any]) -> None:
        limits, now = self._limits, trio.current_time()
        if limits.is_recovering:
            reply.answer(Recovering())
            return
        limits.borrowers.setdefault(borrower, 0)
        among = len(limits.borrowers)
        accounts = [limits.opened(want) for want in wants]
        amounts = [account.amount(want, among, now) for account, want in zip(accounts, wants, strict=True)]
        for want, account, amount in zip(wants, accounts, amounts, strict=True):
            if not amount:
                limits.short += 1
                reply.answer(Short(want.key, account.retry_after_s(want.need, now), among))
                return
        left = tuple(account.free(now) - amount for account, amount in zip(accounts, amounts, strict=True))
        if reply.answer(Lent(tuple(amounts), among, left)):
            limits.lent += 1
            for account, amount in zip(accounts, amounts, strict=True):
                account.lend(borrower, amount)

    def _settle(self, borrower: str, entries: tuple[Settlement, ...]) -> None:
        now = trio.current_time()
        for entry in entries:
            if (account := self._limits.account(entry.key)) is not None:
                account.settle(borrower, entry, now)
        self._limits.prune()

    def _declare(self, borrower: str, holdings: tuple[Holding, ...]) -> None:
        now = trio.current_time()
        for account in self._limits.accounts():
            account.forget(borrower)
        for holding in holdings:
            self._limits.opened(holding).declare(borrower, holding, now)

    def _leave(self, borrower: str) -> None:
        now = trio.current_time()
        del self._limits.borrowers[borrower]
        for account in self._limits.accounts():
            account.leave(borrower, now)
