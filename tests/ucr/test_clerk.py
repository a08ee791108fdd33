import trio
from trio.testing import MockClock

from actors import Mailbox, Ref, open_supervisor
from ucr.books import BooksMessage
from ucr.clerk import MAX_ROWS, TELL_S, Clerk
from ucr.record import Record
from ucr.usage import Received, UsageRow, Used

RECORD = Record("req_1", "0", 0.0, lambda: 0.0, provider="up", model_used="m")


def rows_of(message: object) -> tuple[UsageRow, ...]:
    assert isinstance(message, Used)
    return message.rows


async def test_what_is_noted_is_told_together_within_a_second(autojump_clock: MockClock) -> None:
    mailbox: Mailbox[BooksMessage] = Mailbox("books", capacity=9)
    async with open_supervisor(grace_s=0) as supervisor:
        clerk = await supervisor.start(Clerk(Ref(mailbox)))
        for number in range(3):
            clerk.note(RECORD, float(number))
        await trio.sleep(TELL_S + 0.1)
        message, _ = await mailbox.take()
        assert [row.at_s for row in rows_of(message)] == [0.0, 1.0, 2.0]
        await trio.sleep(5)
        assert mailbox.is_idle


async def test_the_end_waits_until_the_books_have_the_rest(autojump_clock: MockClock) -> None:
    mailbox: Mailbox[BooksMessage] = Mailbox("books", capacity=9)
    heard: list[object] = []

    async def keep() -> None:
        while True:
            message, reply = await mailbox.take()
            heard.append(message)
            if isinstance(message, Received):
                reply.answer(None)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep)
        async with open_supervisor() as supervisor:
            clerk = await supervisor.start(Clerk(Ref(mailbox)))
            clerk.note(RECORD, 7.0)
        assert [row.at_s for row in rows_of(heard[0])] == [7.0]
        assert heard[1] == Received()
        nursery.cancel_scope.cancel(reason="tested")


async def test_books_that_are_gone_hold_up_no_end_and_take_bounded_memory(autojump_clock: MockClock) -> None:
    mailbox: Mailbox[BooksMessage] = Mailbox("books", capacity=9)
    mailbox.close()
    async with open_supervisor() as supervisor:
        clerk = await supervisor.start(Clerk(Ref(mailbox)))
        for number in range(MAX_ROWS + 5):
            clerk.note(RECORD, float(number))
        await trio.sleep(3)
        assert (repr(clerk), clerk.dropped) == (f"<Clerk with {MAX_ROWS} rows>", 5)
