from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.admission import Admit, ProviderMessage, Settle
from actors.breaker import BreakerSpec, BreakerStatus
from actors.errors import (
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    BreakerOpen,
    CoolingDown,
    MailboxFull,
    Refusal,
)
from actors.keyring import KeyStatus
from actors.lease import Abandoned, Failure, FailureKind, Lease, Outcome, Success
from actors.mailbox import Reply
from actors.provider import Provider, ProviderActor
from actors.spec import Board, Fact, ProviderEvent, ProviderSpec, ProviderStatus
from actors.supervisor import Supervisor, open_supervisor
from actors.waiting import Urgency
from tests.world.pools import HELLO, LIMITS, ORIGIN, opened, say_ok
from tests.world.sweep import Scenario, cancellation_sweep
from ucr.stress.network import MemoryNetwork
from ucr.stress.upstream import Upstream

SPEC = ProviderSpec("local", ORIGIN, max_requests=2, max_pending=2)
FOREVER = float("inf")
WELL = Success()


@dataclass
class World:
    """One provider under a supervisor, and what its askers got."""

    provider: Provider
    supervisor: Supervisor
    board: Board
    got: list[str]
    events: list[ProviderEvent] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    starved: list[int] = field(default_factory=list)

    @property
    def status(self) -> ProviderStatus:
        return self.board["local"].status

    async def use(
        self,
        name: str,
        seconds: float,
        *,
        cost: int = 1,
        deadline: float = FOREVER,
        model: str = "",
        urgency: Urgency = "interactive",
        outcome: Outcome = WELL,
    ) -> None:
        """Hold a lease for some seconds, and note in `got` how it went."""
        try:
            with await self.provider.admit(
                name, deadline=deadline, cost=cost, model=model, urgency=urgency
            ) as lease:
                self.got.append(f"{name} admitted")
                await trio.sleep(seconds)
                lease.outcome = outcome
        except (MailboxFull, AskTimeout, Refusal, ActorCrashed, ActorStopped) as error:
            self.got.append(f"{name} {type(error).__name__}")

    async def fail(self, kind: FailureKind, times: int, model: str = "") -> None:
        """Use so many leases in vain, one after another."""
        for _ in range(times):
            await self.use("failing", 0, model=model, outcome=Failure(kind))


class FragileActor(ProviderActor):
    """Crashes at the message at which the countdown of its provider comes to 0."""

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
    events: list[ProviderEvent] = []
    facts: list[Fact] = []
    starved: list[int] = []
    async with open_supervisor(grace_s=grace_s, rng=lambda: 1.0) as supervisor:
        child = provider or Provider(
            spec,
            MemoryNetwork(),
            board,
            rng=lambda: 0.0,
            on_event=events.append,
            on_fact=facts.append,
            on_starved=starved.append,
        )
        started = await supervisor.start(child)
        yield World(started, supervisor, board, [], events, facts, starved)
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
        assert world.provider.status == world.status


async def test_where_nobody_waits_a_lease_costs_no_message(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, keys=2)) as world:
        first = world.provider.try_admit("a", cost=1, model="m", key_group="s")
        with await world.provider.admit("b", deadline=FOREVER, is_side_call=True) as second:
            assert first is not None
            assert (first.request_id, first.model, first.is_probe) == ("a", "m", False)
            assert {first.key, second.key} == {0, 1}
            assert world.status.in_flight == 2
            assert world.provider.try_admit("c") is None
        with first:
            first.outcome = WELL
        statistics = world.provider.ref.statistics()
        assert (statistics.asked, statistics.queued) == (0, 0)
        assert (world.status.granted, world.status.succeeded, world.status.in_flight) == (2, 1, 0)


async def test_nobody_is_overtaken_by_who_does_not_wait(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=1)) as world, trio.open_nursery() as nursery:
        with await world.provider.admit("a", deadline=FOREVER):
            nursery.start_soon(world.use, "b", 1)
            await wait_all_tasks_blocked()
        assert world.status.in_flight == 0
        assert world.provider.try_admit("c") is None
        await world.use("d", 1)
        assert world.got == ["b admitted", "d admitted"]


async def test_what_was_said_to_the_actor_before_counts_for_who_does_not_wait(
    autojump_clock: MockClock,
) -> None:
    async with open_world() as world:
        world.provider.reconfigure(replace(SPEC, max_requests=1))
        assert world.provider.try_admit("a") is None
        await wait_all_tasks_blocked()
        with world.provider.try_admit("b") or await world.provider.admit("c", deadline=FOREVER) as lease:
            assert lease.request_id == "b"
            assert world.provider.try_admit("d") is None


async def test_what_is_not_well_is_for_the_actor_to_decide(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=9)) as world:
        await world.fail("server", 5, "m")
        assert world.provider.try_admit("a", model="m") is None
        await trio.sleep(30)
        assert world.provider.try_admit("a", model="m") is None
        await world.fail("rate_limit", 1, "n")
        assert world.provider.try_admit("a", model="n") is None
        await trio.sleep(60)
        world.provider.ref.tell("not a message")  # type: ignore[arg-type]
        assert world.provider.try_admit("a", model="n") is None
        await wait_all_tasks_blocked()
        assert world.status.state == "restarting"
        assert world.provider.try_admit("a", model="n") is None
        await trio.sleep(1)
        lease = world.provider.try_admit("a", model="n")
        assert lease is not None
        with lease:
            drained = world.provider.drain()
            with trio.move_on_after(0):
                await drained
            assert world.provider.try_admit("a", model="n") is None


async def test_idle_connections_are_closed_though_no_further_request_comes(autojump_clock: MockClock) -> None:
    network, upstream = MemoryNetwork(), Upstream(say_ok)
    async with trio.open_nursery() as nursery, open_supervisor(grace_s=1, rng=lambda: 1.0) as supervisor:
        listener = network.listener(ORIGIN.host, ORIGIN.port)
        nursery.start_soon(trio.serve_listeners, upstream.serve, [listener])
        provider = await supervisor.start(Provider(SPEC, network, {}))
        async with opened(provider.pool, HELLO, LIMITS) as response:
            assert await response.read() == b"ok"
        await trio.sleep(SPEC.keep_alive_s - 1)
        assert provider.pool.statistics().open == 1
        await trio.sleep(1 + Provider.tidy_every_s)
        assert (provider.pool.statistics().open, upstream.open_connections) == (0, 0)
        nursery.cancel_scope.cancel()


async def test_those_above_the_permits_wait_their_turn(autojump_clock: MockClock) -> None:
    async with open_world() as world, trio.open_nursery() as nursery:
        for name, seconds in zip("abcd", (1, 1.2, 1, 1), strict=True):
            nursery.start_soon(world.use, name, seconds)
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


@pytest.mark.parametrize("fatal_message", range(1, 7))
async def test_whatever_message_crashes_it_permits_come_back_and_askers_are_answered(
    fatal_message: int, autojump_clock: MockClock
) -> None:
    """The crash sweep, over admissions that wait and settlements for which somebody waits."""
    spec = replace(SPEC, max_requests=1, max_pending=3)
    provider = FragileProvider(spec, MemoryNetwork(), {}, fatal_message)
    async with open_world(provider=provider) as world, trio.open_nursery() as nursery:
        for name in "abcd":
            nursery.start_soon(world.use, name, 1)
        await trio.sleep(5)
        await world.use("last", 1)
        assert provider.countdown <= 0
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


def names(world: World) -> list[str]:
    return [event.name for event in world.events]


async def test_after_five_failures_admissions_are_refused_at_once_until_a_probe_succeeds(
    autojump_clock: MockClock,
) -> None:
    async with open_world() as world:
        await world.fail("server", 5, "m")
        began = trio.current_time()
        assert (world.provider.is_available("m"), world.provider.is_available("n")) == (False, True)
        assert world.provider.retry_at("m") == began + 30
        with pytest.raises(BreakerOpen) as refused:
            await world.provider.admit("a", deadline=FOREVER, model="m")
        assert (refused.value.retry_at, trio.current_time()) == (began + 30, began)
        assert world.status.breakers == {"m": BreakerStatus("open", began + 30, 5, 1)}
        await trio.sleep(30)
        assert world.provider.is_available("m")
        with await world.provider.admit("probe", deadline=FOREVER, model="m") as lease:
            assert (lease.is_probe, lease.model) == (True, "m")
            await world.use("b", 0, model="m")
            lease.outcome = Success()
        await world.use("c", 0, model="m")
        assert world.got[-2:] == ["b BreakerOpen", "c admitted"]
        assert names(world) == ["breaker.opened", "breaker.half_opened", "breaker.closed"]
        assert world.events[0] == ProviderEvent("breaker.opened", "local", "m", for_s=30, failures=5)
        assert world.status.shed == {"breaker_open": 2}


async def test_those_who_wait_for_a_model_that_fails_are_refused_and_the_others_go_on(
    autojump_clock: MockClock,
) -> None:
    spec = replace(SPEC, max_requests=1, max_pending=9, breaker=BreakerSpec(consecutive_failures=1))
    async with open_world(spec) as world, trio.open_nursery() as nursery:
        nursery.start_soon(partial(world.use, "a", 5, model="m", outcome=Failure("timeout")))
        await wait_all_tasks_blocked()
        for name, model in (("b", "m"), ("c", "n"), ("d", "m")):
            nursery.start_soon(partial(world.use, name, 1, model=model))
            await wait_all_tasks_blocked()
        await trio.sleep(5)
        await wait_all_tasks_blocked()
        assert sorted(world.got) == ["a admitted", "b BreakerOpen", "c admitted", "d BreakerOpen"]


async def test_a_breaker_that_is_open_outlives_a_crash_of_the_actor(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, keys=2)) as world:
        await world.fail("server", 5, "m")
        await world.fail("rate_limit", 1, "n")
        world.provider.ref.tell("not a message")  # type: ignore[arg-type]
        await trio.sleep(1)
        await world.use("a", 0, model="m")
        for name in "bc":
            with await world.provider.admit(name, deadline=FOREVER) as lease:
                assert lease.key == 0
        assert world.got[-1] == "a BreakerOpen"
        assert world.provider.retries.spent == 0


async def test_what_a_lease_found_out_is_known_before_the_actor_has_heard_of_it(
    autojump_clock: MockClock,
) -> None:
    async with open_world(replace(SPEC, breaker=BreakerSpec(consecutive_failures=1))) as world:
        with await world.provider.admit("a", deadline=FOREVER, model="m") as lease:
            lease.outcome = Failure("server")
        assert not world.provider.is_available("m")


async def test_a_probe_that_is_abandoned_or_never_ends_lets_another_one_try(autojump_clock: MockClock) -> None:
    async with open_world() as world:
        await world.fail("server", 5)
        await trio.sleep(30)
        with await world.provider.admit("leaves", deadline=FOREVER) as lease:
            assert lease.is_probe
        with await world.provider.admit("hangs", deadline=FOREVER) as lease:
            await trio.sleep(29)
            assert world.provider.retry_at() == trio.current_time() + 1
            await trio.sleep(1)
            assert world.provider.retry_at() == trio.current_time() + 60
            await trio.sleep(60)
            await world.use("next", 0)
            lease.outcome = Failure("timeout")
        assert world.provider.is_available()
        assert names(world)[1:] == [
            "breaker.half_opened",
            "breaker.opened",
            "breaker.half_opened",
            "breaker.closed",
        ]


async def test_a_probe_that_nobody_waits_for_any_more_is_given_back(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=1)) as world, trio.open_nursery() as nursery:
        await world.fail("server", 5)
        await trio.sleep(30)
        leaving = trio.CancelScope()

        async def leave() -> None:
            with leaving:
                await world.use("b", 5)

        nursery.start_soon(leave)
        leaving.cancel()
        await wait_all_tasks_blocked()
        assert world.provider.is_available()


async def test_the_first_byte_of_a_probe_lets_the_others_through(autojump_clock: MockClock) -> None:
    async with open_world() as world:
        await world.fail("server", 5)
        await trio.sleep(30)
        with await world.provider.admit("probe", deadline=FOREVER) as lease:
            await world.use("a", 0)
            lease.answered(0.5)
            lease.answered(99)
            await world.use("b", 0)
            assert lease.ttfb_s == 0.5
        assert world.got[-2:] == ["a BreakerOpen", "b admitted"]


async def test_a_key_that_is_turned_away_rests_and_others_are_told(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, keys=2)) as world:
        now = trio.current_time()
        with await world.provider.admit("a", deadline=FOREVER) as lease:
            lease.outcome = Failure("rate_limit", 9)
        with await world.provider.admit("b", deadline=FOREVER) as lease:
            assert lease.key == 1
            lease.outcome = Failure("auth")
        assert world.facts == [Fact("rate_limit", 0, now + 9), Fact("auth", 1, now + 60)]
        assert world.events[0] == ProviderEvent("key.cooled", "local", key=0, kind="rate_limit", for_s=9)
        with pytest.raises(CoolingDown) as refused:
            await world.provider.admit("c", deadline=FOREVER)
        assert (refused.value.retry_at, refused.value.kind) == (now + 9, "rate_limit")
        assert world.provider.retry_at("m") == now + 9
        assert world.status.keys == (KeyStatus(now + 9, "rate_limit"), KeyStatus(now + 60, "auth"))
        await trio.sleep(9)
        await world.use("d", 0)
        assert world.got == ["d admitted"]
        assert world.status.shed == {"cooling_down": 1}


async def test_a_fact_of_another_process_counts_but_is_not_told_again(autojump_clock: MockClock) -> None:
    async with open_world() as world:
        now = trio.current_time()
        world.provider.learn(Fact("auth", 0, now + 50))
        world.provider.learn(Fact("rate_limit", 0, now + 5))
        world.provider.learn(Fact("rate_limit", 0, now - 1))
        await world.use("a", 0)
        assert world.got == ["a CoolingDown"]
        assert (world.facts, names(world)) == ([], ["key.cooled"])


async def test_interactive_work_goes_first_and_background_work_is_not_starved(
    autojump_clock: MockClock,
) -> None:
    spec = replace(SPEC, max_requests=1, max_pending=9)
    async with open_world(spec) as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.use, "first", 3)
        await wait_all_tasks_blocked()
        nursery.start_soon(partial(world.use, "title", 1, urgency="background"))
        await wait_all_tasks_blocked()
        for name in "abcd":
            nursery.start_soon(world.use, name, 1)
            await wait_all_tasks_blocked()
        await trio.sleep(8)
        assert world.got == [f"{name} admitted" for name in ("first", "a", "b", "title", "c", "d")]


async def test_a_share_is_kept_to_and_whoever_waits_for_more_is_reported(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=4, max_pending=0)) as world:
        world.provider.set_share(1)
        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(world.use, name, 5)
            await wait_all_tasks_blocked()
            assert (world.status.in_flight, world.status.waiting, world.status.limit) == (1, 2, 1)
            assert world.starved[-1] == 2
            world.provider.set_share(3)
            await wait_all_tasks_blocked()
            assert (world.status.in_flight, world.status.waiting) == (3, 0)
            world.provider.set_share(0)
            await trio.sleep(6)
        told = len(world.starved)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(world.use, "d", 1, deadline=trio.current_time() + 4))
        assert world.got[-1] == "d AskTimeout"
        assert len(world.starved) > told
        assert world.status.shed == {"waited": 1}


async def test_a_burst_above_every_bound_is_counted_and_makes_the_share_grow(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=1, max_pending=0)) as world:
        world.provider.set_share(0)
        await wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(world.use, "a", 1, deadline=trio.current_time() + 1))
            await wait_all_tasks_blocked()
            await world.use("b", 1)
        assert sorted(world.got) == ["a AskTimeout", "b MailboxFull"]
        assert world.starved


async def test_an_adaptive_limit_comes_down_with_failures_and_keeps_within_the_most(
    autojump_clock: MockClock,
) -> None:
    off = BreakerSpec(enabled=False)
    async with open_world(replace(SPEC, max_requests=10, adaptive=True, breaker=off)) as world:
        assert world.status.limit == 10
        for _ in range(4):
            with await world.provider.admit("a", deadline=FOREVER) as lease:
                lease.outcome = Failure("overload")
        await wait_all_tasks_blocked()
        assert world.status.limit == 9
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(world.use, str(number), 1)
            await wait_all_tasks_blocked()
            assert (world.status.in_flight, world.status.waiting) == (9, 1)
        assert world.starved == []


async def test_other_rules_count_at_once(autojump_clock: MockClock) -> None:
    async with open_world() as world:
        await world.fail("server", 5)
        world.provider.reconfigure(replace(SPEC, wait_s=1, breaker=BreakerSpec(enabled=False), adaptive=True))
        await wait_all_tasks_blocked()
        await world.use("a", 0)
        assert world.got[-1] == "a admitted"
        with pytest.raises(ValueError, match="only its limits"):
            world.provider.reconfigure(replace(SPEC, keys=7))


async def test_retries_are_counted_against_the_calls_that_run(autojump_clock: MockClock) -> None:
    async with open_world(replace(SPEC, max_requests=99)) as world:
        now = trio.current_time()
        spent = [world.provider.retries.try_spend(now) is not None for _ in range(5)]
        await world.use("a", 0)
        await wait_all_tasks_blocked()
        assert spent == [True, True, True, False, False]
        assert (world.status.retries_spent, world.status.retries_refused) == (3, 2)


@pytest.mark.parametrize("fatal_message", range(1, 16))
async def test_whatever_message_crashes_it_a_failing_upstream_comes_back(
    fatal_message: int, autojump_clock: MockClock
) -> None:
    """The crash sweep, over a breaker that opens and closes and a key that rests, with one permit for two."""
    provider = FragileProvider(replace(SPEC, max_requests=1), MemoryNetwork(), {}, fatal_message)
    async with open_world(provider=provider) as world, trio.open_nursery() as nursery:
        for kind in ("server", "server", "connect", "server", "rate_limit", "server", "server"):
            for _ in range(2):
                nursery.start_soon(partial(world.use, "failing", 1, outcome=Failure(kind)))
            await trio.sleep(3)
        await trio.sleep(40)
        for _ in range(3):
            await world.use("after", 1)
        assert provider.countdown <= 0
        assert world.got[-1] == "after admitted"
        assert world.provider.is_available()
        assert world.provider.health.keys.take(trio.current_time()) == 0


def test_no_step_at_which_a_probe_is_cancelled_keeps_its_place() -> None:
    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        async with open_world(replace(SPEC, max_requests=1)) as world, trio.open_nursery() as nursery:
            await world.fail("server", 5)
            await trio.sleep(30)
            nursery.start_soon(partial(world.use, "other model", 2, model="n"))
            await wait_all_tasks_blocked()

            async def act() -> None:
                await world.use("probe", 1)

            async def check() -> None:
                await trio.sleep(5)
                assert world.provider.is_available()
                await world.use("after", 0)
                assert world.got[-1] == "after admitted"

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 3
