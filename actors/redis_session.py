"""Connections to a Redis server, on which many ask at once; all that is known here of coredis.

How this works. coredis frames, parses and pairs; the connections are ours, so that one that is being made belongs to
a task of its own: its pool loses a place for ever when whoever asks for a connection is cancelled meanwhile. There
are a few connections, all made at once, and each request takes the one with the fewest answers outstanding. What
nobody waits for any more is still answered, in its turn, and thrown away; a session whose server has fallen silent
is left as a whole, and with it everything that waits to be sent.

coredis takes a quarter of a second and 27 MB to load, so that this module is imported where Redis is used.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
from anyio import TASK_STATUS_IGNORED, BrokenResourceError, ClosedResourceError, EndOfStream
from anyio.abc import ByteStream, TaskStatus
from coredis.connection import BaseConnection, TCPLocation
from coredis.exceptions import RedisError, ResponseError

from actors.errors import ActorError
from actors.redis_address import RedisAddress
from actors.redis_reply import Argument, Command, RedisGone, Refused

Connect = Callable[[], Awaitable[trio.abc.Stream]]

RECEIVE_BYTES = 65_536


class _Stream(ByteStream):
    """A stream of Trio in the form in which coredis takes it."""

    def __init__(self, inner: trio.abc.Stream) -> None:
        self._inner = inner

    async def receive(self, max_bytes: int = RECEIVE_BYTES) -> bytes:
        try:
            data = await self._inner.receive_some(max_bytes)
        except trio.BrokenResourceError as error:
            raise BrokenResourceError from error
        except trio.ClosedResourceError as error:
            raise ClosedResourceError from error
        if not data:
            raise EndOfStream
        return bytes(data)

    async def send(self, item: bytes) -> None:
        try:
            await self._inner.send_all(item)
        except trio.BrokenResourceError as error:
            raise BrokenResourceError from error
        except trio.ClosedResourceError as error:
            raise ClosedResourceError from error

    async def send_eof(self) -> None:
        """Nothing follows; the stream is closed as a whole."""

    async def aclose(self) -> None:
        await trio.aclose_forcefully(self._inner)


class _Connection(BaseConnection):
    """A connection of coredis over a stream of ours. `outstanding` counts the answers that are awaited."""

    def __init__(self, address: RedisAddress, stream: trio.abc.Stream) -> None:
        super().__init__(
            TCPLocation(address.host or address.path, address.port),
            username=address.user or None,
            password=address.password or None,
            db=address.database,
        )
        self._reached = _Stream(stream)
        self.outstanding = 0

    def describe(self) -> str:
        return f"<connection to {self.location}>"

    async def _connect(self) -> ByteStream:
        return self._reached


class Session:
    """Connections that were all good when they were made; `lost` is set when one of them ends."""

    def __init__(self) -> None:
        self._connections: list[_Connection] = []
        self.lost = trio.Event()

    def add(self, connection: _Connection) -> None:
        """Let a connection that is good now be used."""
        self._connections.append(connection)

    @property
    def outstanding(self) -> int:
        """Return how many calls wait for their answers."""
        return sum(connection.outstanding for connection in self._connections)

    def __repr__(self) -> str:
        return f"<Session of {len(self._connections)} connections{', lost' if self.lost.is_set() else ''}>"

    async def call(self, *commands: Command) -> list[object]:
        """Send commands together, and return their answers; one that was not carried out is `Refused`.

        Raise `RedisGone` when the connection ends meanwhile. How long it may take is for the caller to say.
        """
        connection = min(self._connections, key=lambda one: one.outstanding)
        connection.outstanding += 1
        try:
            requests = [
                connection.create_request(_bytes(command[0]), *command[1:], decode=False)
                for command in commands
            ]
            return [await _answer(request) for request in requests]
        except (RedisError, OSError) as error:
            raise RedisGone(str(error) or repr(error)) from error
        finally:
            connection.outstanding -= 1


def _bytes(argument: Argument) -> bytes:
    return argument if isinstance(argument, bytes) else str(argument).encode()


async def _answer(request: Awaitable[object]) -> object:
    try:
        return await request
    except ResponseError as error:
        return Refused(error)


@asynccontextmanager
async def open_session(address: RedisAddress, connect: Connect, connections: int) -> AsyncIterator[Session]:
    """Make so many connections and sign in on each; they are closed at the end of the block, without a goodbye.

    Raise `RedisGone` when one of them cannot be made.
    """
    session = Session()
    failed: Exception | None = None
    async with trio.open_nursery() as nursery:
        for _ in range(connections):
            failed = failed or await nursery.start(_keep, session, address, connect)
        if failed is None:
            yield session
        nursery.cancel_scope.cancel(reason="the session has ended")
    if failed is not None:
        raise RedisGone(str(failed) or repr(failed)) from failed


async def _keep(
    session: Session,
    address: RedisAddress,
    connect: Connect,
    task_status: TaskStatus[Exception | None] = TASK_STATUS_IGNORED,
) -> None:
    """Make a connection and carry it to its end. coredis must not connect itself: it tidies up after no failure."""
    try:
        connection = _Connection(address, await connect())
        session.add(connection)
        await connection.run(task_status=task_status)
    except (RedisError, ActorError, OSError, trio.BrokenResourceError) as error:
        task_status.started(error)
    finally:
        session.lost.set()
