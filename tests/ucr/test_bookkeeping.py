import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from actors import open_supervisor
from actors.allowance import GONE
from actors.purse import Hold, Settle, Short
from ucr.bookkeeping import BooksSpec, start_books
from ucr.logs import make_log
from ucr.usage import Received
from ucr.usage_file import NAME


def log_to(lines: list[dict[str, Any]]) -> Any:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    return make_log("info", (), (lambda line: lines.append(json.loads(line)),), lambda: now)


async def spend(spec: BooksSpec, spender: str, amount: int) -> None:
    async with open_supervisor(grace_s=0) as supervisor:
        books = await start_books(supervisor, spec, lambda: 100.0, log_to([]))
        books.ref.tell(Settle(spender, "k", math.inf, 1, amount))
        await books.ref.ask(Received())


async def test_what_is_spent_is_known_after_a_restart_whoever_had_spent_it(tmp_path: Path) -> None:
    spec = BooksSpec(str(tmp_path))
    await spend(spec, "0-1", 30)
    await spend(spec, "0-1", 40)
    async with open_supervisor(grace_s=0) as supervisor:
        books = await start_books(supervisor, spec, lambda: 100.0, log_to([]))
        assert await books.ref.ask(Hold("0-2", "k", math.inf, 1, 31, 100)) == Short(70, 0)


async def test_a_store_that_is_started_again_under_the_same_parent_tells_its_spenders_apart(
    tmp_path: Path,
) -> None:
    await spend(BooksSpec(str(tmp_path)), "0-1", 30)
    async with open_supervisor(grace_s=0) as supervisor:
        spec = BooksSpec(str(tmp_path), generation=2, awaited=1)
        books = await start_books(supervisor, spec, lambda: 100.0, log_to([]))
        assert books.is_recovering
        books.allowances.touch()
        assert [one.spender for one in books.allowances.changes()] == ["0-1"]
        assert GONE not in books.spenders


async def test_a_file_that_cannot_be_opened_is_told_of_and_budgets_hold_all_the_same(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    (tmp_path / NAME).mkdir()
    async with open_supervisor(grace_s=0) as supervisor:
        books = await start_books(supervisor, BooksSpec(str(tmp_path)), lambda: 100.0, log_to(lines))
        assert await books.ref.ask(Hold("0-2", "k", math.inf, 1, 101, 100)) == Short(0, 0)
    assert [line["event"] for line in lines] == ["usage.unwritten"]


async def test_what_is_spent_while_the_file_cannot_be_opened_is_written_into_it_later_beside_the_rest(
    tmp_path: Path, autojump_clock: object
) -> None:
    spec, lines = BooksSpec(str(tmp_path)), list[dict[str, Any]]()
    await spend(spec, "0-1", 30)
    away = (tmp_path / NAME).rename(tmp_path / "away")
    (tmp_path / NAME).mkdir()
    async with open_supervisor(grace_s=0) as supervisor:
        books = await start_books(supervisor, spec, lambda: 100.0, log_to(lines))
        books.ref.tell(Settle("0-2", "k", math.inf, 1, 40))
        await trio.sleep(2.5)
        (tmp_path / NAME).rmdir()
        away.rename(tmp_path / NAME)
        await trio.sleep(1.1)
    assert [line["event"] for line in lines] == ["usage.unwritten"]
    async with open_supervisor(grace_s=0) as supervisor:
        books = await start_books(supervisor, spec, lambda: 100.0, log_to([]))
        assert await books.ref.ask(Hold("0-3", "k", math.inf, 1, 31, 100)) == Short(70, 0)
