from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.borrower import Borrower
from actors.errors import MailboxFull
from actors.lease import Success
from actors.limits import Lender
from actors.provider import Provider
from actors.share import Shares
from actors.spec import ProviderSpec
from actors.supervisor import open_supervisor
from tests.world.pools import ORIGIN
from ucr.stress.network import MemoryNetwork

SPEC = ProviderSpec("up", ORIGIN, max_requests=8, max_pending=100)
FOREVER = float("inf")


@dataclass
class Process:
    """What one process has of an upstream that several use."""

    borrower: Borrower
    shares: Shares
    provider: Provider

    @property
    def in_flight(self) -> int:
        return self.provider.ledger.in_flight


@dataclass
class Office:
    """All processes; `most` is what was in flight in all of them at once."""

    lender: Lender
    processes: list[Process] = field(default_factory=list)
    most: int = 0
    done: int = 0

    @property
    def in_flight(self) -> int:
        return sum(process.in_flight for process in self.processes)

    async def use(self, number: int, seconds: float = 1.0) -> bool:
        try:
            with await self.processes[number].provider.admit("r", deadline=FOREVER) as lease:
                self.most = max(self.most, self.in_flight)
                await trio.sleep(seconds)
                lease.outcome = Success()
                self.done += 1
        except MailboxFull:
            return False
        return True


@asynccontextmanager
async def office(count: int, spec: ProviderSpec = SPEC) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        lender = await (await stack.enter_async_context(open_supervisor(grace_s=60))).start(Lender())
        made = Office(lender)
        for number in range(count):
            supervisor = await stack.enter_async_context(open_supervisor(grace_s=60))
            borrower = await supervisor.start(Borrower(f"w{number}", borrowers=count))
            shares = await supervisor.start(Shares(borrower))
            starved = partial(shares.starved, spec.id)
            provider = await supervisor.start(Provider(spec, MemoryNetwork(), {}, on_starved=starved))
            shares.add(spec.id, provider)
            made.processes.append(Process(borrower, shares, provider))
        yield made


def attach(office: Office) -> None:
    for process in office.processes:
        process.borrower.attach(office.lender.ref)


@pytest.mark.parametrize("max_pending", [0, 100])
async def test_one_busy_process_gets_all_permits_while_the_other_idles(
    autojump_clock: MockClock, max_pending: int
) -> None:
    async with office(2, replace(SPEC, max_pending=max_pending)) as two:
        attach(two)
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(two.use, 0)
            await trio.sleep(0.3)
            assert two.processes[0].in_flight == 8
        assert two.done == 8


async def test_all_processes_together_never_use_more_than_the_limit(autojump_clock: MockClock) -> None:
    async with office(3) as three:
        attach(three)
        async with trio.open_nursery() as nursery:
            for turn in range(60):
                for number in range(3):
                    nursery.start_soon(three.use, number, 0.1 + 0.37 * ((turn + number) % 4))
                await trio.sleep(0.15)
        assert three.most == 8
        assert three.done > 150


async def test_a_process_in_steady_use_borrows_once_and_then_asks_nobody(autojump_clock: MockClock) -> None:
    async with office(2) as two:
        attach(two)
        await wait_all_tasks_blocked()
        for _ in range(40):
            assert await two.use(0, 0.1)
        provider = two.processes[0].provider
        assert (provider.ledger.granted, provider.ref.statistics().asked) == (40, 1)


async def test_permits_go_to_another_process_when_the_first_is_done(autojump_clock: MockClock) -> None:
    async with office(2) as two:
        attach(two)
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(two.use, 0, 1.0)
            await trio.sleep(0.5)
            began = trio.current_time()
            for _ in range(8):
                nursery.start_soon(two.use, 1, 1.0)
        assert (two.done, two.most) == (16, 8)
        assert trio.current_time() - began < 4


async def test_without_a_lender_each_keeps_to_its_part(autojump_clock: MockClock) -> None:
    async with office(2) as two, trio.open_nursery() as nursery:
        for number in (0, 1):
            for _ in range(8):
                nursery.start_soon(two.use, number, 5.0)
        await wait_all_tasks_blocked()
        assert [process.in_flight for process in two.processes] == [4, 4]


async def test_a_lost_lender_takes_nothing_away_and_the_next_one_hears_what_is_in_flight(
    autojump_clock: MockClock,
) -> None:
    async with office(2) as two:
        attach(two)
        async with trio.open_nursery() as nursery:
            for _ in range(7):
                nursery.start_soon(two.use, 0, 30.0)
            await trio.sleep(5)
            for process in two.processes:
                process.borrower.detach()
            nursery.start_soon(two.use, 1, 1.0)
            await wait_all_tasks_blocked()
            assert [process.in_flight for process in two.processes] == [7, 1]
            await trio.sleep(3)
            async with open_supervisor() as supervisor:
                two.lender = await supervisor.start(Lender(awaited=2))
                attach(two)
                await wait_all_tasks_blocked()
                account = two.lender.account("provider/up")
                assert account is not None
                assert account.held == 7
                for _ in range(2):
                    nursery.start_soon(two.use, 1, 3.0)
                await trio.sleep(1)
                assert [process.in_flight for process in two.processes] == [7, 1]
                for process in two.processes:
                    process.borrower.detach()


async def test_a_single_permit_serves_all_in_turn(autojump_clock: MockClock) -> None:
    async with office(3, replace(SPEC, max_requests=1)) as three:
        attach(three)
        async with trio.open_nursery() as nursery:
            for turn in range(6):
                nursery.start_soon(three.use, turn % 3, 0.2)
        assert (three.done, three.most) == (6, 1)


async def test_a_provider_that_was_stopped_is_forgotten(autojump_clock: MockClock) -> None:
    async with office(1) as one:
        attach(one)
        assert await one.use(0)
        one.processes[0].provider.mailbox.close()
        await trio.sleep(2.5)
        assert "nobody" in repr(one.processes[0].shares)
        account = one.lender.account("provider/up")
        assert account is None or account.held == 0


async def test_a_provider_that_takes_the_place_of_another_shares_its_permits(autojump_clock: MockClock) -> None:
    async with office(1) as one, open_supervisor(grace_s=60) as supervisor:
        attach(one)
        process = one.processes[0]
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(one.use, 0, 20.0)
            await trio.sleep(3)
            former = process.provider
            starved = partial(process.shares.starved, "up")
            spec = replace(SPEC, id="up@2")
            process.provider = await supervisor.start(Provider(spec, MemoryNetwork(), {}, on_starved=starved))
            process.shares.add("up", process.provider)
            for _ in range(5):
                nursery.start_soon(one.use, 0, 1.0)
            await trio.sleep(0.5)
            assert (former.ledger.in_flight, process.in_flight) == (5, 3)
        assert one.done == 10


async def test_when_it_gives_up_every_provider_keeps_a_part(autojump_clock: MockClock) -> None:
    async with office(2) as two:
        attach(two)
        two.processes[0].shares.gave_up()
        await wait_all_tasks_blocked()
        assert two.processes[0].provider.ledger.permits == 4


async def test_a_process_with_few_of_the_permits_lets_few_wait_for_them(autojump_clock: MockClock) -> None:
    async with office(2, replace(SPEC, max_pending=4)) as two:
        attach(two)
        async with trio.open_nursery() as nursery:
            for _ in range(7):
                nursery.start_soon(two.use, 0, 10.0)
            await trio.sleep(0.5)
            nursery.start_soon(two.use, 1, 10.0)
            await trio.sleep(0.5)
            assert [process.in_flight for process in two.processes] == [7, 1]
            nursery.start_soon(two.use, 1, 10.0)
            await trio.sleep(0.5)
            assert await two.use(1) is False
            assert two.processes[1].provider.status.waiting == 1
        assert two.done == 9


async def test_a_burst_finds_all_places_again_once_permits_have_come_back(autojump_clock: MockClock) -> None:
    async with office(2, replace(SPEC, max_pending=4)) as two:
        attach(two)
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(two.use, 0, 3.0)
            await trio.sleep(0.5)
            nursery.start_soon(two.use, 1, 0.1)
            await trio.sleep(0.5)
            assert await two.use(1) is False
        await trio.sleep(3)
        async with trio.open_nursery() as nursery:
            for _ in range(12):
                nursery.start_soon(two.use, 1, 1.0)
        assert two.done == 8 + 1 + 12


async def test_a_process_with_none_of_the_permits_has_the_places_of_one(autojump_clock: MockClock) -> None:
    async with office(2, replace(SPEC, max_pending=24)) as two:
        attach(two)
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(two.use, 0, 3.0)
            await trio.sleep(0.5)
            nursery.start_soon(two.use, 1, 1.0)
            await trio.sleep(0.5)
            for _ in range(2):
                nursery.start_soon(two.use, 1, 1.0)
            await trio.sleep(0.5)
            assert two.processes[1].provider.status.waiting == 3
            assert await two.use(1) is False
        assert two.done == 11
