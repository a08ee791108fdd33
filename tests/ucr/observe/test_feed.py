import json
from typing import Any

import trio
from trio.testing import MockClock

from ucr.messages import Lines, Listening
from ucr.observe.feed import LEASE_S, MOST_LISTENERS, OUTGOING_BYTES, STATISTICS_S, Feed, alone, deaf
from ucr.outlet import Write
from ucr.views import Gathered, WorkerView


class Around:
    """A feed, the log that it overhears, and the parent that it tells."""

    def __init__(self) -> None:
        self.hear: Write | None = None
        self.told: list[Listening | Lines] = []
        self.feed = Feed(self.overhear, self.gather, lambda: 0.0, self.told.append)

    def overhear(self, hear: Write | None) -> None:
        self.hear = hear

    async def gather(self) -> Gathered:
        return Gathered((WorkerView("0", 1),))

    async def take(self, listener: Any) -> Any:
        return json.loads(await listener.take())


async def test_while_nobody_listens_the_log_is_not_overheard(autojump_clock: MockClock) -> None:
    around = Around()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(around.feed.run)
        await trio.sleep(10)
        assert (around.hear, around.told) == (None, [])
        with around.feed.listening():
            await trio.sleep(1)
            assert around.hear is not None
        await trio.sleep(1)
        assert around.hear is None
        nursery.cancel_scope.cancel()


async def test_a_listener_hears_statistics_each_second_and_every_line(autojump_clock: MockClock) -> None:
    around = Around()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(around.feed.run)
        with around.feed.listening() as listener:
            first = await around.take(listener)
            assert around.hear is not None
            around.hear(b'{"event":"breaker.opened"}\n')
            assert await listener.take() == '{"event":"breaker.opened"}'
            began_s = trio.current_time()
            second = await around.take(listener)
        nursery.cancel_scope.cancel()
    assert (first["event"], first["timestamp"]) == ("statistics", "1970-01-01T00:00:00.000Z")
    assert second["event"] == "statistics"
    assert 0 < trio.current_time() - began_s <= STATISTICS_S + 0.2


async def test_the_parent_is_told_each_second_that_somebody_listens(autojump_clock: MockClock) -> None:
    around = Around()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(around.feed.run)
        with around.feed.listening():
            await trio.sleep(5.1)
        assert around.told == [Listening()] * 6
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert around.told == [Listening()] * 6


async def test_while_others_listen_lines_are_passed_on_together(autojump_clock: MockClock) -> None:
    around = Around()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(around.feed.run)
        around.feed.others_listen()
        await trio.sleep(0.05)
        assert around.hear is not None
        for number in range(3):
            around.hear(b'{"n":%d}\n' % number)
        await trio.sleep(0.5)
        assert around.told == [Lines(('{"n":0}', '{"n":1}', '{"n":2}'))]
        await trio.sleep(LEASE_S)
        assert around.hear is None
        nursery.cancel_scope.cancel()


async def test_what_waits_to_be_passed_on_is_bounded(autojump_clock: MockClock) -> None:
    around = Around()
    around.feed.others_listen()
    for _ in range(OUTGOING_BYTES // 1000 + 50):
        around.feed.hear(b"x" * 999 + b"\n")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(around.feed.run)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    (lines,) = around.told
    assert isinstance(lines, Lines)
    assert sum(map(len, lines.lines)) <= OUTGOING_BYTES


async def test_what_others_log_is_told_and_not_passed_on(autojump_clock: MockClock) -> None:
    around = Around()
    around.feed.others_listen()
    with around.feed.listening() as listener:
        around.feed.hear_of_others(('{"event":"x"}',))
        assert await listener.take() == '{"event":"x"}'
    async with trio.open_nursery() as nursery:
        nursery.start_soon(around.feed.run)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert around.told == []


async def test_there_is_room_for_so_many_and_none_after_the_end() -> None:
    feed = Feed(deaf, Around().gather, lambda: 0.0, alone)
    held = [feed.listening() for _ in range(MOST_LISTENERS)]
    for one in held:
        assert feed.has_room
        one.__enter__()
    assert not feed.has_room
    for one in held:
        one.__exit__(None, None, None)
    assert feed.has_room
    feed.close()
    assert not feed.has_room


async def test_a_worker_that_ends_lets_its_listeners_go() -> None:
    feed = Feed(deaf, Around().gather, lambda: 0.0)
    with feed.listening() as listener:
        feed.hear(b'{"event":"worker.stopped"}\n')
        feed.close()
        assert [await listener.take(), await listener.take()] == ['{"event":"worker.stopped"}', None]
