"""A purse: one process's way to accounts that others spend from as well.

Before something is spent, the most that it can be is held, by one ask of whoever keeps the accounts; afterwards the hold
is settled, which waits for nobody. What this process has spent in all, and what it holds, is remembered here, so that a
keeper that lost its memory can be told. Without a keeper nothing can be held: what may be spent is known to it alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, assert_never

import trio

from actors.allowance import Part
from actors.errors import ActorStopped, AllowanceSpent
from actors.ref import Answer, Question

WAIT_S = 0.25
"""How long a keeper is waited for."""
KEPT_S = 3600.0
"""For how long after its end an account is remembered."""


@dataclass(frozen=True, slots=True)
class Held:
    """The amount is held."""


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing is held: so much of the limit is spent and held."""

    spent: int
    held: int


@dataclass(frozen=True, slots=True)
class Unsure:
    """Nothing can be held yet: not every spender has said what it has."""


@dataclass(frozen=True, slots=True)
class Hold(Question[Held | Short | Unsure]):
    """Ask to hold an amount of an account that ends at `until_s` on the wall; `number` is the spender's own."""

    spender: str
    account: str
    until_s: float
    number: int
    amount: int
    limit: int


@dataclass(frozen=True, slots=True)
class Settle:
    """End a hold, and say what the spender has spent from the account in all."""

    spender: str
    account: str
    until_s: float
    number: int
    spent: int


@dataclass(frozen=True, slots=True)
class DeclareParts:
    """Say all that a spender has: the first message of every spender, and of every new connection of one."""

    spender: str
    parts: tuple[Part, ...]
    session: int = 0


@dataclass(frozen=True, slots=True)
class SpenderLeft:
    """A connection of a spender has ended; it is gone, unless it has declared on a later one."""

    spender: str
    session: int = 0


PurseMessage = Hold | Settle | DeclareParts | SpenderLeft
PURSE_MESSAGES: tuple[type, ...] = (Hold, Settle, DeclareParts, SpenderLeft, Held, Short, Unsure)
"""Everything that is said to a keeper, and that it answers: what a bridge's codec must know."""


class Keeper(Protocol):
    """A ref of whoever keeps the accounts."""

    async def ask(self, message: Question[Answer], *, deadline: float = ...) -> Answer: ...

    def tell(self, message: PurseMessage) -> None: ...


@dataclass(slots=True)
class _Pocket:
    until_s: float
    spent: int = 0
    held: dict[int, int] = field(default_factory=dict)


class Holding:
    """An amount that is held, until `settle`."""

    __slots__ = ("_number", "_purse", "account", "amount")

    def __init__(self, purse: "Purse", account: str, number: int, amount: int) -> None:
        self._purse = purse
        self._number = number
        self.account = account
        self.amount = amount

    def __repr__(self) -> str:
        return f"<Holding of {self.amount} from {self.account!r}>"

    def settle(self, spent: int) -> None:
        """Say what was spent of it, or beyond it; once."""
        self._purse.settled(self.account, self._number, spent)


class Purse:
    """Of one process: `spender` names it to the keeper, and no other, earlier ones included.

    `unix_time` says when accounts have ended.
    """

    def __init__(self, spender: str, unix_time: Callable[[], float], *, wait_s: float = WAIT_S) -> None:
        self.spender = spender
        self._unix_time = unix_time
        self._wait_s = wait_s
        self._keeper: Keeper | None = None
        self._session = 0
        self._number = 0
        self._pockets: dict[str, _Pocket] = {}

    def __repr__(self) -> str:
        state = "has a keeper" if self._keeper else "is alone"
        return f"<Purse of {self.spender!r} {state}, {len(self._pockets)} accounts>"

    def attach(self, keeper: Keeper) -> None:
        """Ask this keeper from now on. It is told first what this process has."""
        self._session += 1
        parts = tuple(
            Part(account, pocket.until_s, pocket.spent, tuple(pocket.held.items()))
            for account, pocket in self._pockets.items()
        )
        keeper.tell(DeclareParts(self.spender, parts, self._session))
        self._keeper = keeper

    def detach(self) -> None:
        """Go on without a keeper: nothing can be held."""
        self._keeper = None

    async def hold(self, account: str, until_s: float, limit: int, amount: int) -> Holding:
        """Hold an amount; raise `AllowanceSpent` when so much is not left, another `ActorError` when nobody knows."""
        keeper = self._keeper
        if keeper is None:
            raise ActorStopped("nobody is there who keeps the accounts")
        pocket = self._pocket(account, until_s)
        self._number += 1
        number = self._number
        pocket.held[number] = amount
        try:
            question = Hold(self.spender, account, until_s, number, amount, limit)
            answer = await keeper.ask(question, deadline=trio.current_time() + self._wait_s)
        except BaseException:
            self.settled(account, number, 0)
            raise
        match answer:
            case Held():
                return Holding(self, account, number, amount)
            case Short(spent=spent, held=held):
                pocket.held.pop(number, None)
                raise AllowanceSpent(f"{account}: {spent} are spent, {held} are held", spent=spent, held=held)
            case Unsure():
                pocket.held.pop(number, None)
                raise ActorStopped("who keeps the accounts does not know yet what is spent")
            case other:
                assert_never(other)

    def settled(self, account: str, number: int, spent: int) -> None:
        """End a hold; whoever has a `Holding` says it there."""
        pocket = self._pockets.get(account)
        if pocket is None or pocket.held.pop(number, None) is None:
            return
        pocket.spent += spent
        if self._keeper is not None:
            self._keeper.tell(Settle(self.spender, account, pocket.until_s, number, pocket.spent))

    def _pocket(self, account: str, until_s: float) -> _Pocket:
        pocket = self._pockets.get(account)
        if pocket is None:
            self._forget()
            pocket = self._pockets[account] = _Pocket(until_s)
        return pocket

    def _forget(self) -> None:
        """Forget accounts that have ended; done when a new one begins, so that there are never many."""
        ended_s = self._unix_time() - KEPT_S
        for name, pocket in tuple(self._pockets.items()):
            if pocket.until_s < ended_s and not pocket.held:
                del self._pockets[name]
