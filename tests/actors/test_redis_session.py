"""Connections to a Redis server: what several ask at once is answered each, and what goes wrong has one name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from actors.redis_address import RedisAddress
from actors.redis_reply import RedisGone, Refused
from actors.redis_session import Session, open_session
from tests.world.redis import HOST, PORT, FakeRedis
from ucr.stress.network import MemoryNetwork


@asynccontextmanager
async def session(
    redis: FakeRedis, url: str = f"redis://{HOST}", connections: int = 2
) -> AsyncIterator[Session]:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        await nursery.start(redis.listen, network)

        async def connect() -> trio.abc.Stream:
            stream: trio.abc.Stream = await network.connect(HOST, PORT)
            return stream

        async with open_session(RedisAddress.of(url), connect, connections) as opened:
            yield opened
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_commands_that_go_together_are_answered_in_their_order(autojump_clock: trio.abc.Clock) -> None:
    async with session(FakeRedis()) as opened:
        assert await opened.call((b"SET", b"a", b"1"), (b"GET", b"a"), (b"GET", b"b")) == [b"OK", b"1", None]


async def test_many_ask_at_once_on_all_connections(autojump_clock: trio.abc.Clock) -> None:
    redis = FakeRedis(delay_s=0.01)
    got: dict[int, list[object]] = {}
    async with session(redis, connections=2) as opened, trio.open_nursery() as nursery:

        async def ask(number: int) -> None:
            name = b"%d" % number
            got[number] = await opened.call((b"SET", name, name), (b"GET", name))

        for number in range(20):
            nursery.start_soon(ask, number)
        await trio.testing.wait_all_tasks_blocked()
        assert opened.outstanding == 20
    assert got == {number: [b"OK", b"%d" % number] for number in range(20)}
    assert len(redis.streams) == 2


async def test_a_command_that_is_not_carried_out_is_answered_with_the_servers_words(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with session(FakeRedis(is_full=True)) as opened:
        refused, missing = await opened.call((b"SET", b"a", b"1"), (b"GET", b"a"))
        assert isinstance(refused, Refused)
        assert "OOM" in refused
        assert missing is None


async def test_whoever_leaves_does_not_take_the_answer_of_another(autojump_clock: trio.abc.Clock) -> None:
    redis = FakeRedis(delay_s=1.0)
    async with session(redis, connections=1) as opened:
        with trio.move_on_after(0.5):
            await opened.call((b"SET", b"a", b"1"))
        assert await opened.call((b"GET", b"a")) == [b"1"]
        assert opened.outstanding == 0


async def test_a_password_is_told_and_a_wrong_one_is_no_session(autojump_clock: trio.abc.Clock) -> None:
    async with session(FakeRedis(password=b"right"), f"redis://:right@{HOST}/1") as opened:
        assert await opened.call((b"GET", b"a")) == [None]
    with pytest.RaisesGroup(pytest.RaisesExc(RedisGone, match="WRONGPASS|invalid username-password")):
        async with session(FakeRedis(password=b"right"), f"redis://:wrong@{HOST}"):
            raise AssertionError("there is no session")


async def test_a_server_that_closes_ends_the_session_and_what_was_asked(autojump_clock: trio.abc.Clock) -> None:
    redis = FakeRedis(is_stopped=True)
    redis.is_stopped = False
    async with session(redis) as opened, trio.open_nursery() as nursery:
        redis.is_stopped = True

        async def ask() -> None:
            with pytest.raises(RedisGone):
                await opened.call((b"GET", b"a"))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        await redis.close()
        await opened.lost.wait()
        with pytest.raises(RedisGone):
            await opened.call((b"GET", b"a"))


async def test_a_server_that_cannot_be_reached_is_no_session(autojump_clock: trio.abc.Clock) -> None:
    async def connect() -> trio.abc.Stream:
        raise OSError("no route")

    with pytest.raises(RedisGone):
        async with open_session(RedisAddress("a"), connect, 1):
            raise AssertionError("there is no session")
