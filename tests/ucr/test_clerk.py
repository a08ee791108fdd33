"""A clerk: what is noted is told together, nothing is lost at the end, and memory is bounded by bytes."""

import trio
from trio.testing import MockClock

from actors import Mailbox, Ref, open_supervisor
from ucr.clerk import PART_BYTES, PART_NOTES, TELL_S, Clerk
from ucr.usage import Received

MAX_BYTES = 3 * PART_BYTES


def clerk_to(mailbox: Mailbox[object]) -> Clerk[bytes]:
    return Clerk(Ref(mailbox), "clerk", lambda notes: notes, MAX_BYTES)


async def test_what_is_noted_is_told_together_within_a_second(autojump_clock: MockClock) -> None:
    mailbox: Mailbox[object] = Mailbox("keeper", capacity=9)
    async with open_supervisor(grace_s=0) as supervisor:
        clerk = await supervisor.start(clerk_to(mailbox))
        clerk.note([b"a"], 1)
        clerk.note([b"b", b"c"], 2)
        await trio.sleep(TELL_S + 0.1)
        message, _ = await mailbox.take()
        assert message == (b"a", b"b", b"c")
        await trio.sleep(5)
        assert mailbox.is_idle


async def test_much_is_told_in_parts_and_in_its_order(autojump_clock: MockClock) -> None:
    mailbox: Mailbox[object] = Mailbox("keeper", capacity=9)
    notes = [bytes([number]) * (PART_BYTES // 2) for number in range(4)] + [b"x" * (PART_BYTES + 1)]
    async with open_supervisor(grace_s=0) as supervisor:
        clerk = await supervisor.start(clerk_to(mailbox))
        for note in notes:
            clerk.note([note], len(note))
        assert clerk.dropped == 1
        await trio.sleep(TELL_S + 0.1)
        clerk.note([notes[-1]], len(notes[-1]))
        assert clerk.dropped == 1
        await trio.sleep(TELL_S)
        told = [(await mailbox.take())[0] for _ in range(3)]
        assert told == [(notes[0], notes[1]), (notes[2], notes[3]), (notes[4],)]


async def test_others_have_a_turn_between_two_parts(autojump_clock: MockClock) -> None:
    mailbox: Mailbox[object] = Mailbox("keeper", capacity=9)
    turns: list[int] = []

    def write_out(notes: tuple[bytes, ...]) -> object:
        turns.append(len(notes))
        return notes

    async def other() -> None:
        while len(turns) < 3:
            turns.append(0)
            await trio.lowlevel.checkpoint()

    async with open_supervisor(grace_s=0) as supervisor:
        clerk = await supervisor.start(Clerk[bytes](Ref(mailbox), "clerk", write_out, MAX_BYTES))
        for _ in range(PART_NOTES):
            clerk.note([b"x", b"y"], 2)
        clerk.note([b"x"], 1)
        await trio.sleep(TELL_S - 0.01)
        async with trio.open_nursery() as nursery:
            await trio.sleep(0.01)
            nursery.start_soon(other)
        await trio.sleep(1)
    assert [size for size in turns if size] == [PART_NOTES, PART_NOTES, 1]
    assert 0 in turns[1:-1]


async def test_the_end_waits_until_the_keeper_has_the_rest(autojump_clock: MockClock) -> None:
    mailbox: Mailbox[object] = Mailbox("keeper", capacity=9)
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
            clerk = await supervisor.start(clerk_to(mailbox))
            clerk.note([b"last"], len(b"last"))
        assert heard == [(b"last",), Received()]
        nursery.cancel_scope.cancel(reason="tested")


async def test_a_keeper_that_is_gone_holds_up_no_end_and_takes_bounded_memory(
    autojump_clock: MockClock,
) -> None:
    mailbox: Mailbox[object] = Mailbox("keeper", capacity=9)
    mailbox.close()
    async with open_supervisor() as supervisor:
        clerk = await supervisor.start(clerk_to(mailbox))
        for _ in range(35):
            clerk.note([b"x" * (MAX_BYTES // 60)] * 2, MAX_BYTES // 30)
        await trio.sleep(3)
        assert (repr(clerk), clerk.dropped) == ("<Clerk clerk with 60 notes>", 10)
