import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.actor import ActorChild, serve
from actors.errors import ActorCrashed, ActorStopped
from actors.mailbox import Mailbox
from tests.world.echo import Crash, Echo, EchoMessage, Keep, Say


async def test_messages_are_handled_in_the_order_in_which_they_came(nursery: trio.Nursery) -> None:
    mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=9)
    replies = [mailbox.post_ask(Say(text)) for text in ("a", "b")]
    nursery.start_soon(serve, mailbox, Echo())
    await wait_all_tasks_blocked()
    assert [reply.state for reply in replies] == ["answered", "answered"]
    nursery.cancel_scope.cancel()


async def test_what_an_actor_raises_ends_its_loop_and_leaves_the_rest_in_the_queue() -> None:
    mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=9)
    mailbox.post_ask(Crash())
    rest = mailbox.post_ask(Say("rest"))
    with pytest.raises(ValueError, match="told to crash"):
        await serve(mailbox, Echo())
    assert rest.is_open
    assert mailbox.statistics().queued == 1


@pytest.mark.parametrize("fatal_message", range(1, 6))
async def test_whatever_message_crashes_an_actor_every_asker_is_answered(fatal_message: int) -> None:
    """The crash sweep: every ask ends, those that were not yet taken with the next incarnation's answer."""
    mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=9)
    incarnations = iter((Echo(1, fatal_message=fatal_message), Echo(2)))
    child = ActorChild(mailbox, lambda: next(incarnations))
    outcomes: list[str] = []

    async def ask(message: Say | Keep) -> None:
        try:
            outcomes.append(await child.ref.ask(message))
        except (ActorCrashed, ActorStopped) as error:
            outcomes.append(type(error).__name__)

    async with trio.open_nursery() as nursery:
        for message in (Say("a"), Keep("b"), Say("c"), Keep("d"), Say("e")):
            nursery.start_soon(ask, message)
        await wait_all_tasks_blocked()
        with pytest.raises(ValueError, match="the fatal message"):
            await child.run()
        child.crashed(ValueError("the fatal message"))
        with trio.move_on_after(0):
            await child.run()
        await child.aclose()
    statistics = mailbox.statistics()
    assert len(outcomes) == 5
    assert outcomes.count("ActorCrashed") >= 1
    assert (statistics.asked, statistics.unanswered, statistics.queued) == (5, 0, 0)


async def test_a_child_that_gave_up_answers_that_it_has_stopped() -> None:
    mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=9)
    child = ActorChild(mailbox, Echo)
    child.gave_up()
    with pytest.raises(ActorStopped):
        await child.ref.ask(Say("hello"))


async def test_a_child_without_open_work_is_drained_at_once() -> None:
    child = ActorChild(Mailbox[EchoMessage]("echo", capacity=9), Echo, essential=True)
    await child.drain()
    assert (child.name, child.essential) == ("echo", True)
    assert repr(child) == "<ActorChild <Mailbox 'echo' open: 0 queued, 0/9 unanswered>>"
