from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.errors import ActorCrashed, ActorStopped, Draining, MailboxFull
from actors.mailbox import Mailbox, MailboxStatistics, Reply


def law_holds(statistics: MailboxStatistics) -> bool:
    ended = statistics.answered + statistics.refused + statistics.failed + statistics.abandoned
    return statistics.asked == ended + statistics.unanswered


async def test_an_ask_taken_from_the_queue_still_counts_until_it_is_answered() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=1)
    mailbox.post_ask("first")
    _, reply = await mailbox.take()
    with pytest.raises(MailboxFull, match="box: 1 asks are waiting already"):
        mailbox.post_ask("second")
    assert reply.answer("done")
    mailbox.post_ask("third")
    statistics = mailbox.statistics()
    assert (statistics.asked, statistics.unanswered, statistics.full, statistics.queued) == (2, 1, 1, 1)
    assert law_holds(statistics)


async def test_the_capacity_can_grow_while_asks_wait() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=0)
    with pytest.raises(MailboxFull):
        mailbox.post_ask("first")
    mailbox.capacity = 1
    mailbox.post_ask("second")
    assert mailbox.statistics().unanswered == 1


async def test_tells_are_not_held_by_any_bound_and_nobody_waits_for_their_answer() -> None:
    mailbox: Mailbox[int] = Mailbox("box", capacity=0, max_queued=1)
    for number in range(5):
        mailbox.post_tell(number)
    taken = [await mailbox.take() for _ in range(5)]
    assert [message for message, _ in taken] == [0, 1, 2, 3, 4]
    assert not taken[0][1].is_open
    assert not taken[0][1].answer("to nobody")


async def test_offers_above_the_bound_are_dropped_and_counted() -> None:
    mailbox: Mailbox[int] = Mailbox("box", capacity=0, max_queued=2)
    assert [mailbox.post_offer(number) for number in range(4)] == [True, True, False, False]
    assert mailbox.statistics().dropped == 2
    await mailbox.take()
    assert mailbox.post_offer(9)


async def test_a_reply_ends_in_the_first_way_only() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=1)
    reply = mailbox.post_ask("first")
    assert reply.answer("yes")
    assert not reply.answer("no")
    assert not reply.fail(ActorCrashed("late"))
    assert reply.state == "answered"
    assert mailbox.statistics().answered == 1


async def test_a_waiting_task_gets_the_answer_even_if_a_failure_follows_before_it_runs() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=1)
    got: list[str] = []

    async def ask() -> None:
        got.append(await mailbox.post_ask("first").wait())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        _, reply = await mailbox.take()
        reply.answer("yes")
        reply.fail(ActorCrashed("late"))
    assert got == ["yes"]


async def test_an_answer_reaches_a_task_that_is_cancelled_in_the_same_moment() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=1)
    got: list[str] = []
    scope = trio.CancelScope()

    async def ask() -> None:
        with scope:
            got.append(await mailbox.post_ask("first").wait())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        _, reply = await mailbox.take()
        assert reply.answer("yes")
        scope.cancel()
    assert got == ["yes"]


async def test_an_abandoned_ask_is_skipped_in_the_queue_and_gives_its_place_back() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await mailbox.post_ask("left").wait()
    assert mailbox.statistics().abandoned == 1
    mailbox.post_ask("stayed")
    message, _ = await mailbox.take()
    assert message == "stayed"
    assert law_holds(mailbox.statistics())


async def test_the_actor_hears_of_an_ask_that_is_abandoned_after_it_was_taken() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=1)
    heard: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailbox.post_ask("kept").wait)
        await wait_all_tasks_blocked()
        _, reply = await mailbox.take()
        reply.when_abandoned(lambda: heard.append("left"))
        nursery.cancel_scope.cancel()
    assert heard == ["left"]
    assert not reply.answer("too late")
    assert reply.state == "abandoned"


async def test_a_crash_fails_what_was_taken_and_keeps_what_is_queued() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=2)
    taken = mailbox.post_ask("taken")
    queued = mailbox.post_ask("queued")
    await mailbox.take()
    mailbox.fail_taken(ValueError("bug"))
    assert (taken.state, queued.state) == ("failed", "open")
    assert (await mailbox.take())[0] == "queued"


async def test_an_asker_learns_what_its_actor_died_of() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=1)
    caught: list[BaseException | None] = []

    async def ask() -> None:
        try:
            await mailbox.post_ask("taken").wait()
        except ActorCrashed as error:
            caught.append(error.__cause__)

    cause = ValueError("bug")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        await mailbox.take()
        mailbox.fail_taken(cause)
    assert caught == [cause]


async def test_closing_fails_everything_and_refuses_everything_afterwards() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=3)
    taken = mailbox.post_ask("taken")
    await mailbox.take()
    queued = mailbox.post_ask("queued")
    mailbox.post_tell("told")
    mailbox.close()
    mailbox.close()
    assert (taken.state, queued.state) == ("failed", "failed")
    with pytest.raises(ActorStopped, match="box: has stopped"):
        mailbox.post_ask("late")
    mailbox.post_tell("late")
    assert not mailbox.post_offer("late")
    statistics = mailbox.statistics()
    assert (statistics.closed, statistics.undeliverable, statistics.dropped, statistics.queued) == (
        True,
        2,
        1,
        0,
    )
    assert law_holds(statistics)


async def test_a_refusal_is_counted_apart_from_a_failure() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=2)
    mailbox.post_ask("first").refuse(Draining("no"))
    mailbox.post_ask("second").fail(ActorCrashed("bug"))
    statistics = mailbox.statistics()
    assert (statistics.refused, statistics.failed) == (1, 1)


async def test_the_repr_shows_the_state() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=2)
    reply = mailbox.post_ask("first")
    assert repr(mailbox) == "<Mailbox 'box' open: 1 queued, 1/2 unanswered>"
    assert repr(reply) == "<Reply open>"


async def test_a_mailbox_is_idle_when_nothing_is_queued_and_nobody_waits() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=9)
    assert mailbox.is_idle
    mailbox.post_tell("said")
    assert not mailbox.is_idle
    await mailbox.take()
    mailbox.post_ask("asked")
    _, reply = await mailbox.take()
    assert (mailbox.is_idle, mailbox.unanswered) == (False, 1)
    reply.answer("done")
    assert (mailbox.is_idle, mailbox.unanswered) == (True, 0)
    mailbox.close()
    assert not mailbox.is_idle


class Hand:
    """What an actor would take at once, while its task waits for a message."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.error: ValueError | None = None
        self.also: Callable[[], None] = lambda: None

    def take(self, message: str, reply: Reply[Any]) -> Exception | None:
        self.seen.append(message)
        self.also()
        if self.error is None:
            reply.answer(message.upper())
        return self.error

    async def serve(self, mailbox: Mailbox[str], taken: list[str]) -> None:
        while True:
            taken.append((await mailbox.take(self.take))[0])


async def test_what_is_sent_to_an_actor_that_waits_can_be_taken_at_once(nursery: trio.Nursery) -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=9)
    hand, taken = Hand(), list[str]()
    mailbox.post_tell("before")
    nursery.start_soon(hand.serve, mailbox, taken)
    await wait_all_tasks_blocked()
    reply = mailbox.post_ask("asked")
    mailbox.post_tell("told")
    assert not reply.is_open
    assert await reply.wait() == "ASKED"
    assert (taken, hand.seen) == (["before"], ["asked", "told"])
    assert law_holds(mailbox.statistics())
    assert mailbox.is_idle


async def test_nothing_is_taken_at_once_before_what_is_queued(nursery: trio.Nursery) -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=9)
    hand, taken = Hand(), list[str]()
    nursery.start_soon(hand.serve, mailbox, taken)
    await wait_all_tasks_blocked()
    mailbox.post_offer("offered")
    reply = mailbox.post_ask("asked")
    assert reply.is_open
    await wait_all_tasks_blocked()
    assert (taken, hand.seen) == (["offered", "asked"], [])
    reply.answer("late")


async def test_what_is_sent_in_the_middle_of_a_message_waits_for_its_end(nursery: trio.Nursery) -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=9)
    hand, taken = Hand(), list[str]()
    nursery.start_soon(hand.serve, mailbox, taken)
    await wait_all_tasks_blocked()
    hand.also = lambda: mailbox.post_tell("within")
    mailbox.post_tell("first")
    mailbox.post_tell("second")
    assert hand.seen == ["first"]
    hand.also = lambda: None
    await wait_all_tasks_blocked()
    assert (taken, hand.seen) == (["within", "second"], ["first"])
    mailbox.post_tell("third")
    assert hand.seen == ["first", "third"]


async def test_what_raises_at_once_is_raised_where_the_actor_waits() -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=9)
    hand = Hand()
    died: list[BaseException] = []

    async def serve() -> None:
        try:
            await hand.serve(mailbox, [])
        except ValueError as error:
            died.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await wait_all_tasks_blocked()
        hand.error = ValueError("a bug")
        reply, behind = mailbox.post_ask("fatal"), mailbox.post_ask("behind")
        assert reply.is_open
        assert hand.seen == ["fatal"]
    assert died == [hand.error]
    mailbox.fail_taken(hand.error)
    with pytest.raises(ActorCrashed):
        await reply.wait()
    assert behind.is_open
    assert (await mailbox.take())[0] == "behind"
    mailbox.close()
    assert mailbox.statistics().undeliverable == 0


async def test_a_bug_that_nobody_took_over_is_no_undelivered_message(nursery: trio.Nursery) -> None:
    mailbox: Mailbox[str] = Mailbox("box", capacity=9)
    hand, scope = Hand(), trio.CancelScope()
    hand.error = ValueError("a bug")

    async def serve() -> None:
        with scope:
            await hand.serve(mailbox, [])

    nursery.start_soon(serve)
    await wait_all_tasks_blocked()
    scope.cancel()
    mailbox.post_tell("fatal")
    await wait_all_tasks_blocked()
    assert hand.seen == ["fatal"]
    mailbox.close()
    assert mailbox.statistics().undeliverable == 0
