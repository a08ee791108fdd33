import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import serve
from actors.errors import ActorStopped, AskTimeout, Draining, MailboxFull
from actors.mailbox import Mailbox
from actors.ref import Ref
from tests.world.echo import Echo, EchoMessage, Keep, RefuseMe, Release, Say


def new_box(capacity: int = 4) -> tuple[Mailbox[EchoMessage], Ref[EchoMessage]]:
    mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=capacity, max_queued=2)
    return mailbox, Ref(mailbox)


async def test_an_ask_returns_the_answer(nursery: trio.Nursery) -> None:
    mailbox, ref = new_box()
    nursery.start_soon(serve, mailbox, Echo())
    assert await ref.ask(Say("hello")) == "hello from 1"
    nursery.cancel_scope.cancel()


async def test_a_refusal_is_raised_in_the_asker(nursery: trio.Nursery) -> None:
    mailbox, ref = new_box()
    nursery.start_soon(serve, mailbox, Echo())
    with pytest.raises(Draining, match="not now"):
        await ref.ask(RefuseMe())
    assert ref.statistics().refused == 1
    nursery.cancel_scope.cancel()


async def test_an_ask_that_is_kept_is_answered_by_a_later_message(nursery: trio.Nursery) -> None:
    mailbox, ref = new_box()
    got: list[str] = []

    async def ask() -> None:
        got.append(await ref.ask(Keep("patience")))

    nursery.start_soon(serve, mailbox, Echo())
    nursery.start_soon(ask)
    await wait_all_tasks_blocked()
    assert (got, ref.statistics().unanswered) == ([], 1)
    ref.tell(Release())
    await wait_all_tasks_blocked()
    assert got == ["patience from 1"]
    nursery.cancel_scope.cancel()


async def test_an_ask_ends_at_its_deadline_and_is_abandoned(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    mailbox, ref = new_box()
    nursery.start_soon(serve, mailbox, Echo())
    started_at = trio.current_time()
    with pytest.raises(AskTimeout, match="echo: gave no answer before the deadline"):
        await ref.ask(Keep("for ever"), deadline=started_at + 3)
    assert trio.current_time() == started_at + 3
    assert (ref.statistics().abandoned, ref.statistics().unanswered) == (1, 0)
    nursery.cancel_scope.cancel()


async def test_an_ask_whose_deadline_has_passed_is_not_even_sent() -> None:
    _, ref = new_box()
    with pytest.raises(AskTimeout, match="had passed before"):
        await ref.ask(Say("late"), deadline=trio.current_time())
    assert ref.statistics().asked == 0


async def test_an_ask_finds_out_at_once_that_there_is_no_room() -> None:
    _, ref = new_box(capacity=0)
    with pytest.raises(MailboxFull):
        await ref.ask(Say("hello"))


async def test_an_ask_in_a_cancelled_scope_is_abandoned_and_not_answered(nursery: trio.Nursery) -> None:
    mailbox, ref = new_box()
    with trio.CancelScope() as scope:
        scope.cancel()
        await ref.ask(Say("hello"))
    assert scope.cancelled_caught
    nursery.start_soon(serve, mailbox, Echo())
    await wait_all_tasks_blocked()
    assert (ref.statistics().abandoned, ref.statistics().answered, ref.statistics().queued) == (1, 0, 0)
    nursery.cancel_scope.cancel()


async def test_an_ask_is_failed_when_the_mailbox_closes(nursery: trio.Nursery) -> None:
    mailbox, ref = new_box()
    failed: list[str] = []

    async def ask() -> None:
        try:
            await ref.ask(Say("hello"))
        except ActorStopped as error:
            failed.append(str(error))

    nursery.start_soon(ask)
    await wait_all_tasks_blocked()
    mailbox.close()
    await wait_all_tasks_blocked()
    assert failed == ["echo: has stopped"]


async def test_tell_and_offer_never_wait() -> None:
    _, ref = new_box()
    ref.tell(Release())
    assert ref.offer(Release())
    assert not ref.offer(Release())
    ref.tell(Release())
    assert (ref.statistics().queued, ref.statistics().dropped) == (3, 1)


async def test_the_repr_shows_the_mailbox() -> None:
    _, ref = new_box()
    assert repr(ref) == "<Ref to <Mailbox 'echo' open: 0 queued, 0/4 unanswered>>"
