import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from actors.lease import Failure, Lease, Success
from actors.ledger import Ledger


def test_permits_are_out_until_their_lease_is_settled() -> None:
    settled: list[Lease] = []
    ledger = Ledger(2, settled.append)
    first = ledger.grant_nowait("a", 1)
    second = ledger.grant_nowait("b", 1)
    assert first is not None
    assert second is not None
    assert ledger.grant_nowait("c", 1) is None
    with first:
        first.outcome = Success()
    assert settled == [first]
    assert ledger.grant_nowait("c", 1) is not None
    assert (ledger.in_flight, ledger.leases_out, ledger.granted, ledger.succeeded) == (2, 2, 3, 1)


def test_a_cost_above_all_permits_is_granted_when_nothing_else_is_out() -> None:
    ledger = Ledger(3, lambda _: None)
    lease = ledger.grant_nowait("big", 10)
    assert lease is not None
    assert lease.cost == 3
    assert ledger.grant_nowait("small", 1) is None


def test_failures_are_counted_by_kind_in_a_mapping_that_does_not_change() -> None:
    ledger = Ledger(3, lambda _: None)
    before = ledger.failures
    for kind in ("timeout", "reset", "timeout"):
        lease = ledger.grant_nowait("a", 1)
        assert lease is not None
        with lease:
            lease.outcome = Failure(kind)
    assert ledger.failures == {"timeout": 2, "reset": 1}
    assert before == {}


def test_a_closed_ledger_grants_nothing_and_still_takes_back() -> None:
    ledger = Ledger(1, lambda _: None)
    lease = ledger.grant_nowait("a", 1)
    ledger.close()
    assert lease is not None
    with lease:
        pass
    assert ledger.grant_nowait("b", 1) is None
    assert (ledger.in_flight, ledger.abandoned) == (0, 1)


async def test_waiting_for_an_empty_ledger_ends_with_the_last_lease(nursery: trio.Nursery) -> None:
    ledger = Ledger(3, lambda _: None)
    await ledger.wait_empty()
    leases = [ledger.grant_nowait(name, 1) for name in "ab"]
    ended: list[bool] = []

    async def wait() -> None:
        await ledger.wait_empty()
        ended.append(True)

    nursery.start_soon(wait)
    nursery.start_soon(wait)
    for lease in leases:
        await wait_all_tasks_blocked()
        assert not ended
        assert lease is not None
        with ledger.grant_nowait("c", 1) or lease:
            pass
        with lease:
            pass
    await wait_all_tasks_blocked()
    assert ended == [True, True]


@settings(max_examples=50)
@given(permits=st.integers(1, 5), steps=st.lists(st.integers(-3, 4), max_size=30))
def test_what_is_out_never_exceeds_the_permits_and_always_comes_back(permits: int, steps: list[int]) -> None:
    """A positive step asks for that cost, another one settles the oldest lease."""
    ledger = Ledger(permits, lambda _: None)
    held: list[Lease] = []
    for step in steps:
        if step > 0 and (lease := ledger.grant_nowait("x", step)) is not None:
            held.append(lease)
        elif step <= 0 and held:
            with held.pop(0):
                pass
        assert ledger.in_flight == sum(lease.cost for lease in held) <= permits
    assert ledger.granted == ledger.abandoned + len(held)


def test_without_permits_nothing_is_granted_whatever_it_costs() -> None:
    ledger = Ledger(0, lambda _: None)
    assert not ledger.has_room(0)
    assert ledger.grant_nowait("a", 1) is None
