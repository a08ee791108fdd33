"""The walk over the keys of one space: what it sees, what it leaves, and that it ends when the server does."""

import trio

from actors.redis_reply import Command, Refused
from actors.redis_sweep import sweep
from actors.sealing import seal
from tests.world.redis import FakeRedis


class Server:
    """A server that is called without a network, and answers so many times."""

    def __init__(self, answers: float = float("inf")) -> None:
        self.redis = FakeRedis()
        self.answers = answers

    def put(self, name: bytes, *tags: str) -> None:
        sealed = seal(b"s", b"k", b"entry", tags, 0.0)
        assert sealed is not None
        self.redis.values[name] = (sealed, float("inf"))

    async def call(self, *commands: Command) -> list[object] | None:
        await trio.lowlevel.checkpoint()
        if self.answers <= 0:
            return None
        self.answers -= 1
        return [self.redis.reply([str(a).encode() if isinstance(a, int) else a for a in c]) for c in commands]  # type: ignore[misc]


async def test_a_walk_of_many_steps_removes_what_is_in_the_space(autojump_clock: trio.abc.Clock) -> None:
    server = Server()
    for number in range(9):
        server.put(b"a:%d" % number)
        server.put(b"b:%d" % number)
    assert await sweep(server.call, b"a:", None) == 9
    assert sorted(server.redis.names()) == [b"b:%d" % number for number in range(9)]


async def test_with_a_tag_only_what_has_it_goes(autojump_clock: trio.abc.Clock) -> None:
    server = Server()
    server.put(b"a:1", "x", "y")
    server.put(b"a:2", "xx")
    server.put(b"a:3")
    assert await sweep(server.call, b"a:", "x") == 1
    assert sorted(server.redis.names()) == [b"a:2", b"a:3"]


async def test_a_walk_ends_where_the_server_ends(autojump_clock: trio.abc.Clock) -> None:
    server = Server(answers=3)
    for number in range(9):
        server.put(b"a:%d" % number)
    assert await sweep(server.call, b"a:", None) == 2
    assert len(server.redis.names()) == 7


async def test_a_walk_that_is_not_allowed_removes_nothing(autojump_clock: trio.abc.Clock) -> None:
    async def refused(*_: Command) -> list[object]:
        await trio.lowlevel.checkpoint()
        return [Refused("NOPERM this user has no permissions to run the 'scan' command")]

    assert await sweep(refused, b"a:", None) == 0
