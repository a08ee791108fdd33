import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ucr.observe.listener import Listener


async def test_texts_come_in_their_order(autojump_clock: MockClock) -> None:
    listener = Listener()
    listener.offer("one")
    listener.offer("two")
    assert [await listener.take(), await listener.take()] == ["one", "two"]


async def test_who_has_nothing_waits(autojump_clock: MockClock) -> None:
    listener, taken = Listener(), []

    async def take() -> None:
        taken.append(await listener.take())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await wait_all_tasks_blocked()
        listener.offer("late")
    assert taken == ["late"]


async def test_one_who_is_too_far_behind_has_lost_its_place() -> None:
    listener = Listener(limit_bytes=10)
    listener.offer("12345")
    listener.offer("67890")
    assert not listener.is_too_slow
    listener.offer("é")
    assert listener.is_too_slow
    assert repr(listener) == "<Listener, too slow, 0 bytes wait>"
    assert await listener.take() is None
    listener.offer("x")
    assert await listener.take() is None


async def test_what_was_taken_waits_no_more() -> None:
    listener = Listener(limit_bytes=10)
    for _ in range(10):
        listener.offer("é" * 5)
        await listener.take()
    assert not listener.is_too_slow


async def test_one_that_is_closed_has_what_waits_and_no_more() -> None:
    listener = Listener()
    listener.offer("one")
    listener.close()
    listener.offer("two")
    assert [await listener.take(), await listener.take()] == ["one", None]
