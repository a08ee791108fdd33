"""A Redis server in memory: the few commands that the router uses, on Trio's clock, with faults on request."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import trio

from ucr.stress.network import MemoryNetwork

Arguments = list[bytes]
Answer = bytes

HOST, PORT = "redis.test", 6379
OOM = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"


@dataclass
class FakeRedis:
    """What the server holds, and how it behaves.

    With a `password` it wants one; while it is `stopped` it takes what is sent and answers nothing; each answer takes
    `delay_s`; while it is `full` it stores nothing. `seen` are the commands in the order in which they came.
    """

    password: bytes = b""
    delay_s: float = 0.0
    is_full: bool = False
    is_stopped: bool = False
    values: dict[bytes, tuple[bytes, float]] = field(default_factory=dict)
    seen: list[Arguments] = field(default_factory=list)
    streams: list[trio.abc.Stream] = field(default_factory=list)
    cursors: dict[int, bytes] = field(default_factory=dict)
    _resumed: trio.Event = field(default_factory=trio.Event)

    async def listen(
        self,
        network: MemoryNetwork,
        host: str = HOST,
        port: int = PORT,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve connections to an address of the network."""
        listener = network.listener(host, port)
        task_status.started()
        await trio.serve_listeners(self.serve, [listener])

    def resume(self) -> None:
        """Answer again, also what came in the meantime."""
        self.is_stopped = False
        self._resumed.set()
        self._resumed = trio.Event()

    async def close(self) -> None:
        """Close every connection."""
        for stream in self.streams:
            await trio.aclose_forcefully(stream)

    def names(self) -> list[bytes]:
        """Return the keys that have not expired."""
        now = trio.current_time()
        return [key for key, (_, until) in self.values.items() if until > now]

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Answer commands until the client leaves."""
        self.streams.append(stream)
        buffer = bytearray()
        is_known = not self.password
        try:
            while data := await stream.receive_some():
                buffer += data
                while (arguments := _command(buffer)) is not None:
                    self.seen.append(arguments)
                    while self.is_stopped:
                        await self._resumed.wait()
                    await trio.sleep(self.delay_s)
                    is_known = is_known or arguments[-1] == self.password
                    await stream.send_all(self._answer(arguments, is_known))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    def _answer(self, arguments: Arguments, is_known: bool) -> Answer:
        name = arguments[0].upper()
        if not is_known:
            return b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        answer = _COMMANDS.get(name)
        return b"-ERR unknown command\r\n" if answer is None else answer(self, arguments[1:])

    def reply(self, arguments: Arguments) -> object:
        """Return the answer to a command as a client understands it."""
        from coredis.parser import Parser

        parser = Parser()
        parser.feed(self._answer(arguments, is_known=True))
        return parser.parse(decode=False)[1]

    def value(self, key: bytes) -> bytes | None:
        value, until = self.values.get(key, (b"", 0.0))
        return value if until > trio.current_time() else None


def _command(buffer: bytearray) -> Arguments | None:
    """Take one whole command out of the buffer."""
    lines = bytes(buffer)
    end = lines.find(b"\r\n")
    if end < 0:
        return None
    count, at = int(lines[1:end]), end + 2
    arguments = []
    for _ in range(count):
        end = lines.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(lines[at + 1 : end])
        at = end + 2 + size + 2
        if at > len(lines):
            return None
        arguments.append(lines[end + 2 : at - 2])
    del buffer[:at]
    return arguments


def _bulk(value: bytes | None) -> Answer:
    return b"_\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


def _array(items: list[Answer]) -> Answer:
    return b"*%d\r\n%s" % (len(items), b"".join(items))


def _hello(_redis: FakeRedis, _arguments: Arguments) -> Answer:
    said = (
        (b"server", _bulk(b"redis")),
        (b"version", _bulk(b"7.0.0")),
        (b"proto", b":3\r\n"),
        (b"id", b":1\r\n"),
    )
    return b"%%%d\r\n" % len(said) + b"".join(_bulk(key) + value for key, value in said)


def _select(_redis: FakeRedis, _arguments: Arguments) -> Answer:
    return b"+OK\r\n"


def _set(redis: FakeRedis, arguments: Arguments) -> Answer:
    if redis.is_full:
        return OOM
    key, value, *options = arguments
    words = [option.upper() for option in options]
    if b"NX" in words and redis.value(key) is not None:
        return _bulk(None)
    if b"XX" in words and redis.value(key) is None:
        return _bulk(None)
    until = float("inf")
    if b"PX" in words:
        until = trio.current_time() + int(options[words.index(b"PX") + 1]) / 1000
    redis.values[key] = (value, until)
    return b"+OK\r\n"


def _get(redis: FakeRedis, arguments: Arguments) -> Answer:
    return _bulk(redis.value(arguments[0]))


def _getrange(redis: FakeRedis, arguments: Arguments) -> Answer:
    key, first, last = arguments
    return _bulk((redis.value(key) or b"")[int(first) : int(last) + 1])


def _unlink(redis: FakeRedis, arguments: Arguments) -> Answer:
    return b":%d\r\n" % sum(redis.values.pop(key, None) is not None for key in arguments)


def _scan(redis: FakeRedis, arguments: Arguments) -> Answer:
    """Answer two keys in a step, so that every walk has several; a cursor stands for the last key of a step."""
    cursor, pattern = int(arguments[0]), arguments[arguments.index(b"MATCH") + 1].decode()
    keys = sorted(key for key in redis.names() if cursor == 0 or key > redis.cursors[cursor])
    step, has_more = keys[:2], len(keys) > 2
    if has_more:
        redis.cursors[len(redis.cursors) + 1] = step[-1]
    found = [_bulk(key) for key in step if fnmatch.fnmatchcase(key.decode(), pattern)]
    return _array([_bulk(b"%d" % (len(redis.cursors) if has_more else 0)), _array(found)])


_COMMANDS: Mapping[bytes, Callable[[FakeRedis, Arguments], Answer]] = MappingProxyType(
    {
        b"HELLO": _hello,
        b"SELECT": _select,
        b"SET": _set,
        b"GET": _get,
        b"GETRANGE": _getrange,
        b"UNLINK": _unlink,
        b"SCAN": _scan,
    }
)
