"""The file of the accounts: what was used, and what is spent of budgets. It is a `KeptFile`."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from actors.allowance import GONE, Balance
from ucr.kept_file import Bounds, KeptFile, Plan, insert
from ucr.usage import UsageRow

NAME = "usage.sqlite3"
DAY_S = 86_400.0

_COLUMNS = (
    "at_s real not null",
    "client text",
    "session text",
    "provider text not null",
    "model text not null",
    "status integer not null",
    "cache text not null",
    "input_tokens integer",
    "output_tokens integer",
    "cache_read_tokens integer",
    "cache_write_tokens integer",
    "cost_nano integer",
)
_SCHEMA = (
    f"create table usage ({', '.join(_COLUMNS)})",
    "create index usage_at on usage (at_s)",
    "create table balances (account text, spender text, until_s real not null, amount integer not null, "
    "primary key (account, spender)) without rowid",
)
PLAN = Plan(1, "usage", _SCHEMA)
_NAMES = UsageRow.__struct_fields__
_VALUES = attrgetter(*_NAMES)


class UsageFile:
    """A file that is opened at need. Every method raises `sqlite3.Error` or `OSError` when it cannot do what it is to."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._file = KeptFile(path, bounds, PLAN)

    def __repr__(self) -> str:
        return f"<UsageFile in {self._file!r}>"

    def balances(self, now_s: float, *, joined: bool) -> tuple[Balance, ...]:
        """Return what is spent of accounts that have not ended; `joined` counts all spenders as one that is gone."""

        def found(connection: sqlite3.Connection) -> tuple[Balance, ...]:
            connection.execute("delete from balances where until_s < ?", (now_s - DAY_S,))
            if joined:
                _join(connection)
            rows = connection.execute("select account, spender, until_s, amount from balances").fetchall()
            return tuple(Balance(*row) for row in rows)

        return self._file.run(found)[0]

    def write(self, rows: Sequence[UsageRow], balances: Sequence[Balance], now_s: float) -> bool:
        """Keep all of it or nothing; True: the file was damaged, and what was in it before is lost."""

        def written(connection: sqlite3.Connection) -> None:
            insert(connection, PLAN.table, _NAMES, rows, _VALUES)
            connection.executemany(
                "insert or replace into balances values (?, ?, ?, ?)",
                ((one.account, one.spender, one.until_s, one.amount) for one in balances),
            )

        return self._file.write(written, now_s)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _join(connection: sqlite3.Connection) -> None:
    sums = connection.execute("select account, max(until_s), sum(amount) from balances group by account")
    whole = [(account, GONE, until_s, amount) for account, until_s, amount in sums.fetchall()]
    connection.execute("delete from balances")
    connection.executemany("insert into balances values (?, ?, ?, ?)", whole)
