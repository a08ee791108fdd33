"""The store process, its connections in memory, and as a real process that is killed."""

import contextlib
import math
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from actors import Borrower, Fill, Hit, LimitReached, Link, LinkEvents, Lookup, Want, open_supervisor
from actors.allowance import GONE
from actors.errors import ActorStopped, AllowanceSpent
from actors.lookup import Store as Keep
from actors.purse import Holding, Purse
from tests.world.process import ROOT
from ucr.config.model import Cache as CacheConfig
from ucr.config.model import State
from ucr.kept_file import Bounds
from ucr.logs import make_log
from ucr.store import Store, open_store
from ucr.store_control import store_view
from ucr.store_link import BooksEvents, CacheEvents, LimitsEvents, books_link, cache_link, limits_link
from ucr.store_seat import told
from ucr.store_spec import StoreSpec
from ucr.store_wire import (
    BOOKS_GREETING,
    CACHE_GREETING,
    LIMITS_GREETING,
    VAULT_GREETING,
    books_codec,
    cache_codec,
    limits_codec,
    vault_codec,
)
from ucr.usage_file import NAME, UsageFile
from ucr.vault.state import State as VaultState
from ucr.vault.state import written
from ucr.vault.vault import Drawer, Vault
from ucr.views import BOOKS, CACHE, JOURNAL, LIMITS, STATE

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def silent_log() -> Any:
    return make_log("critical", (), (), lambda: pytest.fail("nothing is to be logged"))


@dataclass
class Street:
    """Workers and one store at a time, with streams in memory between them."""

    nursery: trio.Nursery
    store: Store | None = None
    streams: list[trio.abc.Stream] = field(default_factory=list)

    async def connect(self) -> trio.abc.Stream:
        if self.store is None:
            raise OSError("there is no store")
        ours, theirs = memory_stream_pair()
        self.streams.append(theirs)
        self.nursery.start_soon(self.store.serve, theirs)
        return ours

    async def lose_store(self) -> None:
        self.store = None
        for stream in self.streams:
            await trio.aclose_forcefully(stream)
        self.streams.clear()

    @asynccontextmanager
    async def running(self, generation: int, awaited: int = 0) -> AsyncIterator[Store]:
        async with open_store(StoreSpec(generation, awaited), silent_log()) as store:
            self.store = store
            yield store
            await self.lose_store()


@asynccontextmanager
async def workers(count: int) -> AsyncIterator[tuple[Street, list[Borrower]]]:
    async with trio.open_nursery() as nursery, open_supervisor() as supervisor:
        street = Street(nursery)
        borrowers = []
        for number in range(count):
            borrower = await supervisor.start(Borrower(f"w{number}", name=f"borrower{number}"))
            events = LimitsEvents(borrower, silent_log())
            await supervisor.start(
                Link(f"link{number}", street.connect, limits_codec(), LIMITS_GREETING, events)
            )
            borrowers.append(borrower)
        yield street, borrowers


async def admitted(borrower: Borrower, want: Want) -> bool:
    try:
        await borrower.take(want)
    except LimitReached:
        return False
    return True


async def press(borrower: Borrower, want: Want, pause_s: float, times: list[float]) -> None:
    while True:
        if await admitted(borrower, want):
            times.append(trio.current_time())
        await trio.sleep(pause_s)


def most_in_a_minute(times: list[float]) -> int:
    return max((sum(begin <= at < begin + 60 for at in times) for begin in times), default=0)


@pytest.mark.slow
async def test_workers_together_get_the_limit_through_their_connections(autojump_clock: MockClock) -> None:
    times: list[float] = []
    async with workers(3) as (street, borrowers), street.running(1):
        await trio.sleep(2)
        async with trio.open_nursery() as nursery:
            for borrower, pause_s in zip(borrowers, (0.05, 0.3, 1.7), strict=True):
                nursery.start_soon(partial(press, borrower, Want("k", "rate", 300), pause_s, times))
            await trio.sleep(150)
            nursery.cancel_scope.cancel(reason="measured")
    assert 285 <= most_in_a_minute(times) <= 300
    assert [borrower.taken_alone for borrower in borrowers] == [0, 0, 0]


@pytest.mark.slow
async def test_a_store_that_is_lost_and_comes_back_lets_no_minute_have_more_than_five_percent_more(
    autojump_clock: MockClock,
) -> None:
    times: list[float] = []
    async with workers(2) as (street, borrowers), trio.open_nursery() as nursery:
        async with street.running(1):
            await trio.sleep(2)
            for borrower in borrowers:
                nursery.start_soon(partial(press, borrower, Want("k", "rate", 300), 0.25, times))
            await trio.sleep(45)
        await trio.sleep(3)
        async with street.running(2, awaited=2) as store:
            await trio.sleep(100)
            assert store.lender.statistics().borrowers == 2
        nursery.cancel_scope.cancel(reason="measured")
    assert 285 <= most_in_a_minute(times) <= 315


async def test_a_worker_that_dies_gives_its_permits_back(autojump_clock: MockClock) -> None:
    want = Want("k", "permits", 2)
    async with workers(2) as (street, (one, other)), street.running(1):
        await trio.sleep(2)
        assert await admitted(one, want)
        assert await admitted(one, want)
        assert not await admitted(other, want)
        await trio.aclose_forcefully(street.streams[0])
        await trio.aclose_forcefully(street.streams[1])
        one.detach()
        await trio.sleep(0.01)
        assert street.store is not None
        account = street.store.lender.account("k")
        assert account is not None
        assert account.held == 0


async def test_a_worker_whose_connection_broke_says_again_what_it_holds(autojump_clock: MockClock) -> None:
    want, rate = Want("k", "permits", 2), Want("r", "rate", 3)
    async with workers(2) as (street, (one, other)), street.running(1):
        await trio.sleep(2)
        await one.take(want, rate)
        for stream in tuple(street.streams):
            await trio.aclose_forcefully(stream)
        await trio.sleep(1)
        assert await admitted(other, want)
        assert not await admitted(other, want)
        assert [await admitted(other, rate) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(("scope", "stands"), [("node", True), ("worker", False)])
async def test_what_stands_behind_the_cache_is_kept_where_the_cache_is(
    tmp_path: Path, scope: Literal["node", "worker"], stands: bool
) -> None:
    cache = CacheConfig(path=str(tmp_path / "answers"), scope=scope)
    async with open_store(StoreSpec(cache=cache), make_log("critical", (), (), lambda: NOW)) as store:
        assert (store.cache.backing is not None) == stands
        assert ("backing" in store.view().cache) == stands


async def test_one_that_says_nothing_or_nonsense_is_closed(autojump_clock: MockClock) -> None:
    async with open_store(StoreSpec(), make_log("debug", (), (), lambda: NOW)) as store:
        for said in (b"", b"X", LIMITS_GREETING + b"\xff" * 8, CACHE_GREETING + b"\x00\x00\x00\x01\xc1"):
            ours, theirs = memory_stream_pair()
            await ours.send_all(said)
            with trio.fail_after(10):
                await store.serve(theirs)


async def test_what_a_worker_was_to_fill_is_filled_by_another_when_its_connection_ends(
    autojump_clock: MockClock,
) -> None:
    async with trio.open_nursery() as nursery, open_supervisor() as supervisor:
        street = Street(nursery)
        async with street.running(1):
            links = [Link(name, street.connect, cache_codec(), CACHE_GREETING, CacheEvents()) for name in "ab"]
            for link in links:
                await supervisor.start(link)
                await trio.sleep(1)
            assert isinstance(await links[0].ref.ask(Lookup(b"k")), Fill)
            found: list[object] = []

            async def follow() -> None:
                found.append(await links[1].ref.ask(Lookup(b"k")))

            nursery.start_soon(follow)
            await trio.sleep(1)
            assert found == []
            await trio.aclose_forcefully(street.streams[0])
            await trio.sleep(1)
            assert [type(one) for one in found] == [Fill]


async def test_the_cache_of_the_store_keeps_bytes_for_all_workers(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery, open_store(StoreSpec(), silent_log()) as store:
        street = Street(nursery, store)
        links = [Link("cache", street.connect, cache_codec(), CACHE_GREETING, CacheEvents()) for _ in range(2)]
        for link in links:
            nursery.start_soon(link.run)
        await trio.sleep(1)
        found = await links[0].ref.ask(Lookup(b"key", joins=False))
        assert isinstance(found, Fill)
        links[0].ref.tell(Keep(found.ticket, b"\x00\xffbytes"))
        await trio.sleep(0.1)
        hit = await links[1].ref.ask(Lookup(b"key"))
        assert isinstance(hit, Hit)
        assert hit.entry == b"\x00\xffbytes"
        nursery.cancel_scope.cancel(reason="tested")


async def test_what_one_worker_puts_into_the_vault_another_finds_there(autojump_clock: MockClock) -> None:
    spec, kept = StoreSpec(state=State(max_entries=1)), Drawer("me", "", "up")
    async with trio.open_nursery() as nursery, open_store(spec, silent_log()) as store:
        street = Street(nursery, store)
        links = [Link("state", street.connect, vault_codec(), VAULT_GREETING, LinkEvents()) for _ in range(2)]
        for link in links:
            nursery.start_soon(link.run)
        await trio.sleep(1)
        here, there = (Vault(link.ref) for link in links)
        state = VaultState([{"type": "redacted_thinking", "data": "d"}], [])
        for id_ in ("a", "b"):
            here.keep(kept.key(id_), written(state))
        await trio.sleep(0.1)
        assert await there.find(kept, ["a", "b"]) == {"b": state}, "the store keeps as many as it is told"
        assert store.view().state["entries"] == 1
        await street.lose_store()
        await trio.sleep(0.1)
        assert await there.find(kept, ["b"]) == {}
        nursery.cancel_scope.cancel(reason="tested")


async def test_a_ticket_of_the_store_before_stores_nothing(autojump_clock: MockClock) -> None:
    async with open_store(StoreSpec(1), silent_log()) as first:
        old = await first.cache.ref.ask(Lookup(b"a"))
        assert isinstance(old, Fill)
    async with open_store(StoreSpec(2), silent_log()) as second:
        new = await second.cache.ref.ask(Lookup(b"b"))
        assert isinstance(new, Fill)
        second.cache.ref.tell(Keep(old.ticket, b"an answer to another question"))
        await trio.sleep(0.1)
        assert second.cache.statistics().late == 1


@asynccontextmanager
async def spenders(count: int) -> AsyncIterator[tuple[Street, list[Purse]]]:
    async with trio.open_nursery() as nursery, open_supervisor() as supervisor:
        street = Street(nursery)
        purses = [Purse(f"w{number}", trio.current_time) for number in range(count)]
        for number, purse in enumerate(purses):
            link = Link(f"link{number}", street.connect, books_codec(), BOOKS_GREETING, BooksEvents(purse))
            await supervisor.start(link)
        yield street, purses


async def held(purse: Purse, amount: int, limit: int = 100) -> Holding | None:
    try:
        return await purse.hold("k", math.inf, limit, amount)
    except AllowanceSpent:
        return None


async def test_workers_together_never_spend_more_than_the_budget(autojump_clock: MockClock) -> None:
    spent: list[int] = []

    async def shop(purse: Purse) -> None:
        for turn in range(40):
            if (holding := await held(purse, 7)) is not None:
                await trio.sleep(0.01 * (turn % 3))
                holding.settle(turn % 8)
                spent.append(turn % 8)

    async with spenders(2) as (street, purses), street.running(1) as store:
        await trio.sleep(2)
        async with trio.open_nursery() as nursery:
            for purse in (*purses, *purses):
                nursery.start_soon(shop, purse)
        await trio.sleep(0.1)
        assert (store.books.allowances.spent("k"), store.books.allowances.held("k")) == (sum(spent), 0)
        assert 93 < sum(spent) <= 100


async def test_a_store_that_is_lost_refuses_budgets_and_its_successor_knows_what_was_spent(
    autojump_clock: MockClock,
) -> None:
    async with spenders(2) as (street, (one, other)):
        async with street.running(1):
            await trio.sleep(2)
            first, second = await held(one, 30), await held(other, 30)
            assert first is not None
            assert second is not None
            first.settle(25)
        with pytest.raises(ActorStopped):
            await held(one, 1)
        second.settle(5)
        async with street.running(2, awaited=2) as store:
            await trio.sleep(5)
            assert store.books.allowances.spent("k") == 30
            assert await held(other, 71) is None
            assert await held(other, 70) is not None


async def test_what_a_worker_held_that_died_is_spent(autojump_clock: MockClock) -> None:
    async with spenders(2) as (street, (one, other)), street.running(1) as store:
        await trio.sleep(2)
        assert await held(one, 60) is not None
        for stream in tuple(street.streams):
            await trio.aclose_forcefully(stream)
        await trio.sleep(0.01)
        assert store.books.allowances.spent("k") == 60
        await trio.sleep(2)
        assert (store.books.allowances.spent("k"), store.books.allowances.held("k")) == (0, 60)
        assert await held(other, 41) is None


class StoreProcess:
    """A real store behind a socket that this test keeps, as the parent does."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "store.sock")
        self.folder = str(folder)
        self.bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.bound.bind(self.path)
        self.bound.listen(64)
        self.process: trio.Process | None = None

    async def start(self, generation: int, awaited: int = 0) -> trio.Process:
        spec = StoreSpec(generation, awaited, max_entries=10, folder=self.folder)
        with contextlib.closing(told(spec)) as pipe:
            descriptors = (self.bound.fileno(), pipe.fileno())
            self.process = await trio.lowlevel.open_process(
                [sys.executable, "-m", "ucr.store", str(os.getpid()), *map(str, descriptors)],
                pass_fds=descriptors,
                env={"PYTHONPATH": str(ROOT)},
                stdout=-3,
            )
        return self.process

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        assert await self.process.wait() == 0
        self.bound.close()


@pytest.mark.slow
async def test_a_killed_store_costs_a_miss_and_its_successor_goes_on_where_it_was(tmp_path: Path) -> None:
    want = Want("k", "rate", 10)
    store = StoreProcess(tmp_path)
    with trio.fail_after(30):
        await store.start(1)
        async with open_supervisor(grace_s=0) as supervisor:
            borrowers = [await supervisor.start(Borrower(f"w{n}", name=f"b{n}", wait_s=9)) for n in range(2)]
            async with trio.open_nursery() as nursery:
                for borrower in borrowers:
                    nursery.start_soon(limits_link(store.path, borrower, silent_log()).run)
                cache = cache_link(store.path)
                nursery.start_soon(cache.run)
                await _until(lambda: all(borrower.has_lender for borrower in borrowers) and cache.is_up)
                assert [await admitted(borrowers[0], want) for _ in range(4)] == [True] * 4
                assert isinstance(await cache.ref.ask(Lookup(b"k")), Fill)
                await store.kill()
                await _until(lambda: not (any(borrower.has_lender for borrower in borrowers) or cache.is_up))
                assert await admitted(borrowers[1], want)
                await store.start(2, awaited=2)
                await _until(lambda: all(borrower.has_lender for borrower in borrowers) and cache.is_up)
                assert isinstance(await cache.ref.ask(Lookup(b"k")), Fill)
                await _until_declared(store.path, 2)
                got = [await admitted(borrowers[n % 2], want) for n in range(12)]
                assert got.count(True) == 5
                nursery.cancel_scope.cancel(reason="tested")
        await store.stop()


@pytest.mark.slow
async def test_a_killed_store_forgets_nothing_that_was_spent_and_neither_does_a_router_that_starts_anew(
    tmp_path: Path,
) -> None:
    store = StoreProcess(tmp_path)
    with trio.fail_after(60):
        await store.start(1)
        purses = [Purse(f"w{number}", time.time, wait_s=9) for number in range(2)]
        async with trio.open_nursery() as nursery:
            links = [books_link(store.path, purse) for purse in purses]
            for link in links:
                nursery.start_soon(link.run)
            await _until(lambda: all(link.is_up for link in links))
            for purse in purses:
                holding = await held(purse, 30)
                assert holding is not None
                holding.settle(20)
            await store.kill()
            await _until(lambda: not any(link.is_up for link in links))
            await store.start(2, awaited=2)
            await _until(lambda: all(link.is_up for link in links))
            assert await _held_soon(purses[0], 61) is None
            last = await _held_soon(purses[1], 60)
            assert last is not None
            last.settle(50)
            assert await held(purses[1], 11) is None
            nursery.cancel_scope.cancel(reason="tested")
        await store.stop()
    again = UsageFile(tmp_path / NAME, Bounds(1e9, 2**30))
    assert [(one.account, one.spender, one.amount) for one in again.balances(time.time(), joined=True)] == [
        ("k", GONE, 90)
    ]
    again.close()


async def _held_soon(purse: Purse, amount: int) -> Holding | None:
    """Ask again until the store has heard all its spenders."""
    while True:
        try:
            return await held(purse, amount)
        except ActorStopped:
            await trio.sleep(0.01)


@pytest.mark.slow
async def test_a_store_shows_itself_and_stops_when_it_is_told_to(tmp_path: Path) -> None:
    store = StoreProcess(tmp_path)
    with trio.fail_after(30):
        await store.start(1)
        stream = await trio.open_unix_socket(store.path)
        await stream.send_all(LIMITS_GREETING)
        assert await stream.receive_some(1) == LIMITS_GREETING
        view = await store_view(store.path)
        assert view is not None
        assert store.process is not None
        assert (view.pid, view.generation) == (store.process.pid, 1)
        assert [child.name for child in view.children] == [LIMITS, CACHE, BOOKS, STATE, JOURNAL]
        assert (view.limits["limits"], view.cache["entries"]) == (0, 0)
        await store.stop()
        await stream.aclose()
    assert await store_view(store.path) is None


async def _until_declared(path: str, count: int) -> None:
    """Ask the store again until so many have told it what they hold."""
    while True:
        view = await store_view(path)
        if view is not None and view.limits["borrowers"] == count:
            return
        await trio.sleep(0.01)


async def _until(condition: Any) -> None:
    """Look again until something that another process does has happened."""
    while not condition():  # noqa: ASYNC110 - nothing here is told when the other process has done it
        await trio.sleep(0.01)
