from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.admission import Admit, ProviderMessage, Settle
from actors.errors import ActorCrashed, ActorStopped, AskTimeout, Draining, MailboxFull
from actors.lease import Abandoned, Failure, Lease, Success
from actors.mailbox import Reply
from actors.provider import Provider, ProviderActor
from actors.spec import Board, ProviderSpec, ProviderStatus
from actors.supervisor import Supervisor, open_supervisor
from tests.world.network import MemoryNetwork
from tests.world.pools import HELLO, LIMITS, ORIGIN, say_ok
from tests.world.sweep import Scenario, cancellation_sweep
from tests.world.upstream import Upstream

SPEC = ProviderSpec("local", ORIGIN, max_requests=2, max_pending=2)
FOREVER = float("inf")


@dataclass
class World:
    """One provider under a supervisor, and what its askers got."""

    provider: Provider
    supervisor: Supervisor
    board: Board
    got: list[str]

    @property
    def status(self) -> ProviderStatus:
        return self.board["local"]

    async def use(self, name: str, seconds: float, *, cost: int = 1, deadline: float = FOREVER) -> None:
        """Hold a lease for some seconds, and note in `got` how it went."""
        try:
            with await self.provider.admit(name, deadline=deadline, cost=cost) as lease:
                self.got.append(f"{name} admitted")
                await trio.sleep(seconds)
                lease.outcome = Success()
        except (MailboxFull, AskTimeout, Draining, ActorCrashed, ActorStopped) as error:
            self.got.append(f"{name} {type(error).__name__}")


class FragileActor(ProviderActor):
    """Crashes at the message at which the countdown of its provider ends."""

    def __init__(self, provider: "FragileProvider") -> None:
        super().__init__(provider)
        self._fragile = provider

    def receive(self, message: ProviderMessage, reply: Reply[Any]) -> None:
        self._fragile.countdown -= 1
        if self._fragile.countdown == 0:
            raise ValueError("the fatal message")
        super().receive(message, reply)


class FragileProvider(Provider):
    """A provider with a bug that shows once."""

    def __init__(self, spec: ProviderSpec, network: MemoryNetwork, board: Board, fatal_message: int) -> None:
        super().__init__(spec, network, board)
        self.board = board
        self.countdown = fatal_message

    def incarnate(self) -> ProviderActor:
        return FragileActor(self)


@asynccontextmanager
async def open_world(
    spec: ProviderSpec = SPEC, *, grace_s: float = 30, provider: FragileProvider | None = None
) -> AsyncIterator[World]:
    """At the end nothing may be left: leases granted = settled, asks = answers of all kinds."""
    board: Board = {} if provider is None else provider.board
    async with open_supervisor(grace_s=grace_s, rng=lambda: 1.0) as supervisor:
        started = await supervisor.start(provider or Provider(spec, MemoryNetwork(), board))
        yield World(started, supervisor, board, [])
    ledger, statistics = started.ledger, started.ref.statistics()
    settled = ledger.succeeded + ledger.abandoned + sum(ledger.failures.values())
    assert ledger.granted == settled + ledger.leases_out
    assert ledger.in_flight == ledger.leases_out == 0
    ended = statistics.answered + statistics.refused + statistics.failed + statistics.abandoned
    assert (statistics.asked, statistics.unanswered, statistics.queued) == (ended, 0, 0)
    assert board == {}


async def test_a_lease_is_granted_while_there_are_permits(autojump_clock: MockClock) -> None:
    async with open_world() as world:
        with await world.provider.admit("a", deadline=FOREVER) as lease:
            assert (lease.request_id, lease.cost) == ("a", 1)
            assert world.status.in_flight == 1
            lease.outcome = Success(ttfb_s=0.1)
        await wait_all_tasks_blocked()
        assert (world.status.in_flight, world.status.granted, world.status.succeeded) == (0, 1, 1)
        assert world.provider.status is world.status


async def test_idle_connections_are_closed_though_no_further_request_comes(autojump_clock: MockClock) -> None:
    network, upstream = MemoryNetwork(), Upstream(say_ok)
    async with trio.open_nursery() as nursery, open_supervisor(grace_s=1, rng=lambda: 1.0) as supervisor:
        listener = network.listener(ORIGIN.host, ORIGIN.port)
        nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
        provider = await supervisor.start(Provider(SPEC, network, {}))
        async with provider.pool.open(HELLO, LIMITS) as response:
            assert await response.read() == b"ok"
        await trio.sleep(SPEC.keep_alive_s - 1)
        assert provider.pool.statistics().open == 1
        await trio.sleep(1 + Provider.tidy_every_s)
        assert (provider.pool.statistics().open, upstream.open_connections) == (0, 0)
        nursery.cancel_scope.cancel()


async def test_those_above_the_permits_wait_their_turn(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        for name in "abcd":
            nursery.start_soon(world.use, name, 1)
            await wait_all_tasks_blocked()
        assert world.got == ["a admitted", "b admitted"]
        assert (world.status.in_flight, world.status.waiting) == (2, 2)
        await trio.sleep(1.5)
        assert world.got == ["a admitted", "b admitted", "c admitted", "d admitted"]


async def test_those_above_the_pending_bound_are_refused_at_once(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        started_at = trio.current_time()
        for name in "abcde":
            nursery.start_soon(world.use, name, 1)
            await wait_all_tasks_blocked()
        assert world.got[-1] == "e MailboxFull"
        assert trio.current_time() == started_at


async def test_a_burst_in_one_moment_is_refused_only_above_permits_and_bound(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(world.use, str(number), 1)
        await wait_all_tasks_blocked()
        words = [line.split()[1] for line in world.got]
        assert (words.count("admitted"), words.count("MailboxFull"), world.status.waiting) == (2, 2, 2)


async def test_waiting_for_a_permit_ends_after_the_longest_wait(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.use, "a", 60)
        nursery.start_soon(world.use, "b", 60)
        await wait_all_tasks_blocked()
        started_at = trio.current_time()
        with pytest.raises(MailboxFull, match="'local': no permit came free within 10 s"):
            await world.provider.admit("c", deadline=started_at + 300)
        assert trio.current_time() == started_at + 10
        with pytest.raises(AskTimeout):
            await world.provider.admit("d", deadline=started_at + 14)
        assert trio.current_time() == started_at + 14
        await wait_all_tasks_blocked()
        assert world.status.waiting == 0


async def test_an_asker_that_leaves_gives_its_place_to_the_next(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=1)) as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.use, "a", 5)
        await wait_all_tasks_blocked()
        leaving = trio.CancelScope()

        async def leave() -> None:
            with leaving:
                await world.use("b", 5)

        nursery.start_soon(leave)
        await wait_all_tasks_blocked()
        nursery.start_soon(world.use, "c", 5)
        await wait_all_tasks_blocked()
        leaving.cancel()
        await wait_all_tasks_blocked()
        assert world.status.waiting == 1
        nursery.start_soon(world.use, "d", 5)
        await trio.sleep(5.5)
        assert world.got == ["a admitted", "c admitted"]


async def test_a_permit_that_comes_back_just_as_the_next_asker_leaves_is_taken_back() -> None:
    async with open_world(replace(SPEC, max_requests=1)) as world, trio.open_nursery() as nursery:
        leaving = trio.CancelScope()

        async def leave() -> None:
            with leaving:
                await world.use("b", 5)

        with await world.provider.admit("a", deadline=FOREVER):
            nursery.start_soon(leave)
            await wait_all_tasks_blocked()
        leaving.cancel()
        await wait_all_tasks_blocked()
        assert (world.status.granted, world.status.in_flight, world.status.waiting) == (2, 0, 0)


async def test_a_costly_admission_that_leaves_lets_those_behind_it_go_on(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.use, "a", 60)
        await wait_all_tasks_blocked()
        too_late = trio.current_time() + 3
        nursery.start_soon(partial(world.use, "big", 1, cost=2, deadline=too_late))
        await wait_all_tasks_blocked()
        nursery.start_soon(world.use, "small", 1)
        await wait_all_tasks_blocked()
        assert world.got == ["a admitted"]
        await trio.sleep(3)
        await wait_all_tasks_blocked()
        assert sorted(world.got[1:]) == ["big AskTimeout", "small admitted"]


async def test_outcomes_are_counted_on_the_board(autojump_clock: MockClock) -> None:
    async with open_world() as world:
        for outcome in (Success(), Failure("timeout"), Failure("reset"), Failure("timeout"), Abandoned()):
            with await world.provider.admit("a", deadline=FOREVER) as lease:
                lease.outcome = outcome
        await wait_all_tasks_blocked()
        status = world.status
        assert (status.granted, status.succeeded, status.abandoned) == (5, 1, 1)
        assert status.failures == {"timeout": 2, "reset": 1}


async def test_new_limits_count_at_once(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        for name in "abcd":
            nursery.start_soon(world.use, name, 1)
        await wait_all_tasks_blocked()
        world.provider.reconfigure(replace(SPEC, max_requests=4))
        await wait_all_tasks_blocked()
        assert (world.status.in_flight, world.status.waiting) == (4, 0)
        with pytest.raises(ValueError, match="only its limits can be changed"):
            world.provider.reconfigure(replace(SPEC, keep_alive_s=1))


async def test_a_crash_fails_those_who_wait_and_no_lease_that_is_out(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(world.use, name, 20)
            await wait_all_tasks_blocked()
        world.provider.ref.tell("not a message")  # type: ignore[arg-type]
        await wait_all_tasks_blocked()
        assert world.got == ["a admitted", "b admitted", "c ActorCrashed"]
        assert (world.status.state, world.status.in_flight) == ("restarting", 2)
        nursery.start_soon(world.use, "d", 1)
        await trio.sleep(1)
        assert (world.status.state, world.status.in_flight, world.status.waiting) == ("serving", 2, 1)
        with trio.fail_after(19.5):
            await world.provider.ledger.wait_empty()


@pytest.mark.parametrize("fatal_message", range(1, 9))
async def test_whatever_message_crashes_it_permits_come_back_and_askers_are_answered(
    fatal_message: int, autojump_clock: MockClock
) -> None:
    """The crash sweep, over admissions and settlements."""
    provider = FragileProvider(SPEC, MemoryNetwork(), {}, fatal_message)
    async with open_world(provider=provider) as world, trio.open_nursery() as nursery:
        for name in "abcd":
            nursery.start_soon(world.use, name, 1)
        await trio.sleep(5)
        await world.use("last", 1)
        assert len(world.got) == 5
        assert world.got[-1] in {"last admitted", "last ActorCrashed"}


async def test_draining_refuses_what_waits_and_waits_for_what_runs(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=1)) as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.use, "a", 7)
        await wait_all_tasks_blocked()
        nursery.start_soon(world.use, "b", 1)
        await wait_all_tasks_blocked()
        started_at = trio.current_time()
        nursery.start_soon(world.supervisor.stop, "local")
        await wait_all_tasks_blocked()
        assert world.got == ["a admitted", "b Draining"]
        assert (world.status.state, world.status.drained) == ("draining", False)
        await world.use("c", 1)
        assert world.got[-1] == "c Draining"
        await world.provider.ledger.wait_empty()
        assert trio.current_time() == started_at + 7
        await wait_all_tasks_blocked()
        assert world.board == {}
        await world.use("d", 1)
        assert world.got[-1] == "d ActorStopped"


async def test_a_lease_that_outlives_the_grace_is_still_settled(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery, open_world(grace_s=3) as world:
        lease = await world.provider.admit("a", deadline=FOREVER)
        nursery.start_soon(settle_later, lease, 2)


async def settle_later(lease: Lease, seconds: float) -> None:
    await trio.sleep(seconds)
    with lease:
        lease.outcome = Success()


async def test_a_provider_that_gave_up_shows_it_and_takes_its_leases_back(autojump_clock: MockClock) -> None:
    async with open_world() as world:
        with await world.provider.admit("a", deadline=FOREVER):
            for _ in range(6):
                world.provider.ref.tell("not a message")  # type: ignore[arg-type]
            await trio.sleep(10)
            assert (world.status.state, world.status.in_flight) == ("stopped", 1)
            await world.use("b", 1)
        assert world.got == ["b ActorStopped"]
        assert (world.status.in_flight, world.status.abandoned, world.status.drained) == (0, 1, True)


async def test_messages_are_plain_values() -> None:
    assert Admit("a", 1.0) == Admit("a", 1.0, cost=1)
    assert Settle(1, Success()) != Settle(1, Abandoned())


def test_no_step_at_which_an_admission_is_cancelled_loses_a_permit() -> None:
    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        async with open_world(replace(SPEC, max_requests=1)) as world, trio.open_nursery() as nursery:
            nursery.start_soon(world.use, "before", 2)
            await wait_all_tasks_blocked()

            async def act() -> None:
                await world.use("swept", 1)
                await world.use("again", 1)

            async def check() -> None:
                await trio.sleep(10)
                assert (world.status.in_flight, world.status.waiting) == (0, 0)
                with trio.fail_after(1):
                    await world.use("after", 0)
                assert world.got[-1] == "after admitted"

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 4
