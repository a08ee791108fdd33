from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from actors.allowance import Part
from actors.errors import ActorError, ActorStopped, AllowanceSpent
from actors.mailbox import Mailbox
from actors.purse import (
    KEPT_S,
    WAIT_S,
    DeclareParts,
    Held,
    Hold,
    Holding,
    Purse,
    PurseMessage,
    Settle,
    Short,
    Unsure,
)
from actors.ref import Ref


class Site:
    """A purse, and a keeper that answers what it is told to."""

    def __init__(self, answer: object = Held()) -> None:
        self.answer = answer
        self.now_s = 0.0
        self.heard: list[object] = []
        self.mailbox: Mailbox[PurseMessage] = Mailbox("keeper", capacity=9)
        self.purse = Purse("w", lambda: self.now_s)

    async def keep(self) -> None:
        while True:
            message, reply = await self.mailbox.take()
            self.heard.append(message)
            if isinstance(message, Hold) and self.answer is not None:
                reply.answer(self.answer)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator["Site"]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.keep)
            self.purse.attach(Ref(self.mailbox))
            yield self
            await trio.sleep(1)
            nursery.cancel_scope.cancel(reason="tested")


async def test_an_amount_is_held_and_settled_by_the_sum_of_all(autojump_clock: MockClock) -> None:
    async with Site().kept() as site:
        first = await site.purse.hold("k", 9.0, 100, 30)
        second = await site.purse.hold("k", 9.0, 100, 30)
        first.settle(10)
        second.settle(5)
        second.settle(5)
    assert site.heard == [
        DeclareParts("w", (), 1),
        Hold("w", "k", 9.0, 1, 30, 100),
        Hold("w", "k", 9.0, 2, 30, 100),
        Settle("w", "k", 9.0, 1, 10),
        Settle("w", "k", 9.0, 2, 15),
    ]


async def test_what_is_not_left_is_said_with_what_is_spent(autojump_clock: MockClock) -> None:
    async with Site(Short(80, 15)).kept() as site:
        with pytest.raises(AllowanceSpent) as caught:
            await site.purse.hold("k", 9.0, 100, 30)
        assert (caught.value.spent, caught.value.held) == (80, 15)
        site.purse.attach(Ref(site.mailbox))
    assert site.heard[-1] == DeclareParts("w", (Part("k", 9.0, 0),), 2)


async def test_without_a_keeper_or_one_that_knows_nothing_is_held(autojump_clock: MockClock) -> None:
    with pytest.raises(ActorStopped):
        await Purse("w", lambda: 0.0).hold("k", 9.0, 100, 1)
    async with Site(Unsure()).kept() as site:
        with pytest.raises(ActorStopped):
            await site.purse.hold("k", 9.0, 100, 1)
        site.purse.detach()
        with pytest.raises(ActorStopped):
            await site.purse.hold("k", 9.0, 100, 1)


async def test_a_keeper_that_is_silent_is_told_that_nothing_is_wanted_any_more(
    autojump_clock: MockClock,
) -> None:
    async with Site(None).kept() as site:
        begun = trio.current_time()
        with pytest.raises(ActorError):
            await site.purse.hold("k", 9.0, 100, 30)
        assert trio.current_time() - begun == pytest.approx(WAIT_S)
    assert site.heard[-1] == Settle("w", "k", 9.0, 1, 0)


async def test_who_leaves_while_he_asks_holds_nothing(autojump_clock: MockClock) -> None:
    async with Site(None).kept() as site:
        with trio.move_on_after(WAIT_S / 2):
            await site.purse.hold("k", 9.0, 100, 30)
    assert site.heard[-1] == Settle("w", "k", 9.0, 1, 0)


async def test_a_new_keeper_is_told_what_was_spent_and_is_held(autojump_clock: MockClock) -> None:
    async with Site().kept() as site:
        open_one = await site.purse.hold("k", 9.0, 100, 30)
        (await site.purse.hold("k", 9.0, 100, 30)).settle(12)
        site.purse.detach()
        (await _held_before(site)).settle(1)
        site.purse.attach(Ref(site.mailbox))
        open_one.settle(2)
    assert site.heard[-2:] == [
        DeclareParts("w", (Part("k", 9.0, 13, ((1, 30),)),), 3),
        Settle("w", "k", 9.0, 1, 15),
    ]


async def _held_before(site: Site) -> Holding:
    """Hold something while the keeper is there for a moment."""
    site.purse.attach(Ref(site.mailbox))
    holding = await site.purse.hold("k", 9.0, 100, 5)
    site.purse.detach()
    return holding


async def test_accounts_that_have_ended_are_forgotten(autojump_clock: MockClock) -> None:
    async with Site().kept() as site:
        for day in range(5):
            site.now_s = day * (KEPT_S + 1)
            (await site.purse.hold(f"k{day}", site.now_s, 100, 1)).settle(1)
        assert repr(site.purse) == "<Purse of 'w' has a keeper, 1 accounts>"
