"""What may be spent in all, by several spenders, without ever being overspent. Pure.

How this works. Before something is spent, the most that it can be is held; afterwards what it was is spent, and the rest
is free again. Each spender counts what it has spent from an account in all and says that sum, not the difference, so
that saying it twice or after a loss changes nothing; an account adds up its spenders. Of a spender that is gone, nobody
can tell what became of the holds: they count as spent, until it comes back and says so itself.

What is to be kept beyond the process is each spender's part of each account, its holds included: after a crash, more is
believed to be spent than was, never less.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_ACCOUNTS = 4096
"""How many accounts are known. Beyond, those that end first are forgotten if nothing is held of them."""
MAX_SPENDERS = 64
"""How many spenders an account tells apart. Beyond, those that are gone are counted together."""
GONE = ""
"""The name under which those are counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one spender has of one account, which ends at `until_s` on the wall: `spent` in all, and held."""

    account: str
    until_s: float
    spent: int
    held: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """What is to be kept of a spender's part."""

    account: str
    spender: str
    until_s: float
    amount: int


@dataclass(slots=True)
class _Part:
    spent: int = 0
    lost: int = 0
    held: dict[int, int] = field(default_factory=dict)
    is_gone: bool = False

    @property
    def amount(self) -> int:
        return self.spent + self.lost + sum(self.held.values())


@dataclass(slots=True)
class _Account:
    until_s: float
    parts: dict[str, _Part] = field(default_factory=dict)


class Allowances:
    """All accounts. Amounts are whole numbers of any unit."""

    def __init__(self, kept: Iterable[Balance] = ()) -> None:
        self._accounts: dict[str, _Account] = {}
        self._changed: dict[tuple[str, str], None] = {}
        for balance in kept:
            part = self._part(balance.account, balance.until_s, balance.spender)
            part.spent, part.is_gone = part.spent + balance.amount, True
        self._changed.clear()

    def __repr__(self) -> str:
        return f"<Allowances of {len(self._accounts)} accounts>"

    def __len__(self) -> int:
        return len(self._accounts)

    def spent(self, account: str) -> int:
        """Return what is spent of an account, as far as is known; what is held is no part of it."""
        found = self._accounts.get(account)
        return 0 if found is None else sum(part.spent + part.lost for part in found.parts.values())

    def held(self, account: str) -> int:
        """Return what is held of an account by those who are there."""
        found = self._accounts.get(account)
        return 0 if found is None else sum(sum(part.held.values()) for part in found.parts.values())

    def hold(self, account: str, until_s: float, spender: str, number: int, amount: int, limit: int) -> bool:
        """Hold an amount for a spender under a number of its own; False: so much is not left of the limit."""
        if amount > limit - self.spent(account) - self.held(account):
            return False
        part = self._part(account, until_s, spender)
        part.held[number] = amount
        part.is_gone = False
        return True

    def settle(self, account: str, until_s: float, spender: str, number: int, spent: int) -> None:
        """End a hold, and believe what the spender has spent in all."""
        part = self._part(account, until_s, spender)
        part.held.pop(number, None)
        part.spent = max(part.spent, spent)

    def release(self, account: str, spender: str, number: int) -> None:
        """End a hold of which nothing was spent."""
        part = self._accounts[account].parts[spender]
        part.held.pop(number, None)
        self._changed[account, spender] = None

    def declare(self, spender: str, parts: Iterable[Part]) -> None:
        """Believe a spender about all that it has, whatever was known of it before."""
        for name, account in self._accounts.items():
            if (known := account.parts.get(spender)) is not None:
                known.lost, known.held, known.spent = 0, {}, 0
                self._changed[name, spender] = None
        for said in parts:
            part = self._part(said.account, said.until_s, spender)
            part.spent, part.held, part.is_gone = said.spent, dict(said.held), False

    def leave(self, spender: str) -> None:
        """Count what a spender that is gone held as spent."""
        for name, account in self._accounts.items():
            if (part := account.parts.get(spender)) is not None:
                part.lost += sum(part.held.values())
                part.held, part.is_gone = {}, True
                self._changed[name, spender] = None

    def end(self, now_s: float) -> None:
        """Forget the accounts that have ended, when nothing is held of them."""
        over = len(self._accounts) - MAX_ACCOUNTS
        for name, account in sorted(self._accounts.items(), key=lambda item: item[1].until_s):
            if account.until_s > now_s and over <= 0:
                return
            if not any(part.held for part in account.parts.values()):
                del self._accounts[name]
                over -= 1

    def changes(self) -> tuple[Balance, ...]:
        """Return the parts that have changed since this was asked last."""
        changed, self._changed = self._changed, {}
        balances = []
        for name, spender in changed:
            account = self._accounts.get(name)
            part = None if account is None else account.parts.get(spender)
            if account is not None:
                amount = 0 if part is None else part.amount
                balances.append(Balance(name, spender, account.until_s, amount))
        return tuple(balances)

    def touch(self) -> None:
        """Take everything for changed: what was kept is lost."""
        self._changed = {(name, spender): None for name, one in self._accounts.items() for spender in one.parts}

    def _part(self, name: str, until_s: float, spender: str) -> _Part:
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = _Account(until_s)
        part = account.parts.get(spender)
        if part is None:
            if len(account.parts) >= MAX_SPENDERS:
                self._join(name, account)
            part = account.parts[spender] = _Part()
        self._changed[name, spender] = None
        return part

    def _join(self, name: str, account: _Account) -> None:
        """Count those who are gone together."""
        gone = [spender for spender, part in account.parts.items() if part.is_gone and spender != GONE]
        total = sum(account.parts.pop(spender).amount for spender in gone)
        joined = account.parts.setdefault(GONE, _Part(is_gone=True))
        joined.spent += total
        self._changed.update(((name, spender), None) for spender in (*gone, GONE))
