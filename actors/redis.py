"""A backing in Redis or Valkey: entries that several machines share, each under a digest and a seal.

How this works. One task keeps a session with the server: it connects, and connects again after a growing pause, so
that no request waits for a connection or pays for finding out that the server is back. Without a session every key is
a miss at once. What is asked of the server has a short time; some such times in a row without an answer, or the loss
of a connection, end the session, and everything that waited to be sent with it.

Keys are `ucr:SPACE:e:DIGEST`, where the space is a digest of the secret: routers that do not share the secret share
nothing, nor do they clear each other's entries. They expire by themselves. `ucr:SPACE:c` holds a token that changes
whenever somebody clears something. Every second it is looked at, so that this machine's cache follows what was
cleared through another; and whoever writes looks at it behind the entry in the same breath, and takes the entry back
when it has changed. So a clear does not miss what is being written while it walks over the keys.

Values are read up to a limit of bytes, whatever the server has there.
"""

import hashlib
import hmac
import math
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import trio

from actors import sealing
from actors.backing import Backed
from actors.network import Network
from actors.redis_address import RedisAddress
from actors.redis_reply import Command, RedisGone, Refused
from actors.redis_sweep import sweep
from actors.supervisor import Restart
from actors.tls import Tls, client_tls

if TYPE_CHECKING:
    from actors.redis_session import Session

FIRST_DELAY_S = 0.1
MAX_DELAY_S = 5.0
WATCH_S = 1.0
_TOKEN_LIMIT = 100
"""A token has 64 characters."""


@dataclass(frozen=True, slots=True)
class RedisSpec:
    """`secret` seals the entries and names their space.

    A look-up has `answer_s`, a write `write_s`, a clear `clear_s`. After `patience` answers in a row that did not
    come in time the session ends, after a write that did not come to its end at once. More than `max_calls` at one
    time, and more than `max_pending_bytes` to be written, are not begun.
    """

    address: RedisAddress
    secret: bytes = field(repr=False)
    connections: int = 2
    connect_s: float = 2.0
    answer_s: float = 0.03
    write_s: float = 0.5
    clear_s: float = 10.0
    patience: int = 3
    max_calls: int = 256
    max_entry_bytes: int = 8 * 1024 * 1024
    max_pending_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RedisEvent:
    """A session was made, or there is none any more: `error` says why."""

    name: Literal["connected", "lost"]
    error: str | None = None


@dataclass(slots=True)
class RedisNumbers:
    """`skipped` were not asked, `late` not answered in time, `refused` not carried out, `unsealed` not ours."""

    connected: int = 0
    sessions: int = 0
    hits: int = 0
    misses: int = 0
    skipped: int = 0
    late: int = 0
    refused: int = 0
    unsealed: int = 0
    stored: int = 0
    unstored: int = 0


def _unheard(_event: RedisEvent) -> None:
    pass


class RedisBacking:
    """A supervised child, and the `Backing` that it keeps connected.

    `on_cleared` is called when entries were cleared through another machine; `clock` is the one on the wall.
    """

    essential = False
    restart: Restart = "permanent"

    def __init__(
        self,
        spec: RedisSpec,
        network: Network,
        clock: Callable[[], float],
        name: str = "redis",
        *,
        on_event: Callable[[RedisEvent], None] = _unheard,
        rng: Callable[[], float] = random.random,
        token: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self.name = name
        self.spec = spec
        self.on_cleared: Callable[[], None] = lambda: None
        self._network = network
        self._clock = clock
        self._on_event = on_event
        self._rng = rng
        self._token = token
        self._tls: Tls | None = None
        self._numbers = RedisNumbers()
        self._session: Session | None = None
        self._writes: trio.Nursery | None = None
        self._late_in_a_row = 0
        self._pending_bytes = 0
        self._cleared: bytes | None = None
        self._owes_clear = False
        self._reported: str | None = None
        space = hmac.new(spec.secret, b"the space of keys", hashlib.sha256).hexdigest()[:16]
        self._entries = f"ucr:{space}:e:".encode()
        self._clears = f"ucr:{space}:c".encode()

    def __repr__(self) -> str:
        return f"<RedisBacking at {self.spec.address} {'down' if self._session is None else 'up'}>"

    def statistics(self) -> Mapping[str, int]:
        """Return what was counted; `connected` is 1 while there is a session."""
        self._numbers.connected = int(self._session is not None)
        return asdict(self._numbers)

    async def get(self, key: bytes) -> Backed | None:
        """Return what is under a key; None when nothing is, or no answer comes in time."""
        limit = sealing.HEAD_BYTES + self.spec.max_entry_bytes
        answers = await self._call(self.spec.answer_s, (b"GETRANGE", self._name(key), 0, limit))
        if answers is None or not isinstance(answers[0], bytes):
            return None
        if not answers[0]:
            self._numbers.misses += 1
            return None
        opened = sealing.open_seal(self.spec.secret, key, answers[0])
        if opened is None:
            self._numbers.unsealed += 1
            return None
        self._numbers.hits += 1
        return Backed(opened.entry, max(0.0, self._clock() - opened.at_s), opened.tags)

    async def put(self, key: bytes, entry: bytes, ttl_s: float, tags: tuple[str, ...]) -> None:
        """Keep an entry, or count that it could not be kept.

        It goes on when the caller is cancelled: what was sent must be taken back if something is cleared meanwhile.
        """
        sealed = sealing.seal(self.spec.secret, key, entry, tags, self._clock())
        has_room = sealed is not None and self._has_room(sealed) and len(entry) <= self.spec.max_entry_bytes
        if sealed is None or self._writes is None or not has_room:
            self._numbers.unstored += 1
            await trio.lowlevel.checkpoint()
            return
        self._pending_bytes += len(sealed)
        done = trio.Event()
        self._writes.start_soon(self._put, self._name(key), sealed, max(1, int(ttl_s * 1000)), done)
        await done.wait()

    async def _put(self, name: bytes, sealed: bytes, millis: int, done: trio.Event) -> None:
        is_stored = False
        try:
            is_stored = await self._stored(name, sealed, millis)
        finally:
            self._pending_bytes -= len(sealed)
            self._numbers.stored += is_stored
            self._numbers.unstored += not is_stored
            done.set()

    async def _stored(self, name: bytes, sealed: bytes, millis: int) -> bool:
        before = self._cleared
        look = (b"GETRANGE", self._clears, 0, _TOKEN_LIMIT)
        answers = await self._write((b"SET", name, sealed, b"PX", millis), look)
        if answers is None or answers[0] != b"OK":
            return False
        if self._cleared != before or self._learn(answers[1]):
            await self._write((b"UNLINK", name))
            return False
        return True

    async def clear(self, tag: str | None) -> int:
        """Forget the entries with a tag, or all; return how many it were.

        What cannot be forgotten now, because the server does not answer, is when it does: then it is everything.
        """
        token = self._token()
        answers = await self._write((b"SET", self._clears, token))
        self._owes_clear = answers is None
        if answers is None:
            return 0
        self._cleared = token.encode()
        with trio.move_on_after(self.spec.clear_s):
            return await sweep(partial(self._call, self.spec.write_s), self._entries, tag)
        return 0

    def _name(self, key: bytes) -> bytes:
        return self._entries + key.hex().encode()

    def _has_room(self, sealed: bytes) -> bool:
        return self._pending_bytes + len(sealed) <= self.spec.max_pending_bytes

    async def _write(self, *commands: Command) -> list[object] | None:
        """Ask the server for what must come to its end: when it does not, what is on its way goes with the session."""
        session = self._session
        answers = await self._call(self.spec.write_s, *commands)
        if answers is None and session is not None:
            self._leave(session, "a write was not answered in time")
        return answers

    async def _call(self, within_s: float, *commands: Command) -> list[object] | None:
        """Ask the server; None when it is not there, has too much to do, or does not answer in time."""
        session = self._session
        if session is None or session.outstanding >= self.spec.max_calls:
            self._numbers.skipped += 1
            return None
        answers: list[object] | None = None
        try:
            with trio.move_on_after(within_s):
                answers = await session.call(*commands)
        except RedisGone as gone:
            self._leave(session, str(gone))
            return None
        if answers is None:
            self._numbers.late += 1
            self._late_in_a_row += 1
            if self._late_in_a_row >= self.spec.patience:
                self._leave(session, "it does not answer in time")
            return None
        self._late_in_a_row = 0
        self._numbers.refused += sum(isinstance(answer, Refused) for answer in answers)
        return answers

    def _leave(self, session: "Session", reason: str) -> None:
        """End a session that is no good; from now on there is none, and every key is a miss."""
        if self._session is session:
            self._session = None
            self._report("lost", reason)
            session.lost.set()

    def _report(self, name: Literal["connected", "lost"], error: str | None = None) -> None:
        """Tell of a change, and not of each attempt that fails like the one before."""
        if self._reported != name:
            self._reported = name
            self._on_event(RedisEvent(name, error))

    def _learn(self, said: object) -> bool:
        """Take down which clear was the last one; return whether it was made elsewhere since we looked."""
        if not isinstance(said, bytes) or not said:
            self._cleared = self._cleared or b""
            return False
        is_news = self._cleared is not None and said != self._cleared
        self._cleared = said
        if is_news:
            self.on_cleared()
        return is_news

    async def run(self) -> None:
        """Keep a session with the server, for ever."""
        delay_s = FIRST_DELAY_S
        while True:
            since = trio.current_time()
            await self._serve_session()
            if trio.current_time() - since > 2 * MAX_DELAY_S:
                delay_s = FIRST_DELAY_S
            await trio.sleep(delay_s * (0.5 + 0.5 * self._rng()))
            delay_s = min(2 * delay_s, MAX_DELAY_S)

    async def _serve_session(self) -> None:
        """Make a session and keep it to its end."""
        from actors.redis_session import open_session

        reason = f"no answer within {self.spec.connect_s:g} s"
        try:
            with trio.move_on_after(self.spec.connect_s) as scope:
                async with open_session(self.spec.address, self._connect, self.spec.connections) as session:
                    reason = "it does not do what it is asked"
                    if await self._is_good(session):
                        scope.deadline = math.inf
                        await self._follow(session)
                        reason = "it has closed a connection"
        except RedisGone as gone:
            reason = str(gone)
        self._report("lost", reason)

    async def _connect(self) -> trio.abc.Stream:
        address = self.spec.address
        if address.path:
            return await trio.open_unix_socket(address.path)
        if address.tls and self._tls is None:
            self._tls = Tls(client_tls())
        return await self._network.connect(
            address.host, address.port, tls=self._tls, server_hostname=address.host
        )

    async def _is_good(self, session: "Session") -> bool:
        """Ask what a session is for, once; and make up for a clear that the server has missed."""
        self._session, self._late_in_a_row = session, 0
        looked = await self._look()
        self._session = session if looked else None
        if looked and self._owes_clear:
            await self.clear(None)
        return looked and self._session is not None

    async def _look(self) -> bool:
        """Look whether something was cleared elsewhere; return whether the server told us."""
        answers = await self._call(self.spec.answer_s, (b"GETRANGE", self._clears, 0, _TOKEN_LIMIT))
        if answers is None or isinstance(answers[0], Refused):
            return False
        self._learn(answers[0])
        return True

    async def _follow(self, session: "Session") -> None:
        """Follow what others clear, until the session is lost."""
        self._numbers.sessions += 1
        self._report("connected")
        async with trio.open_nursery() as nursery:
            self._writes = nursery  # a write outlives its caller, and ends with the session
            try:
                await self._watch(session)
            finally:  # and not behind the block: a nursery takes nobody in from its last task's end on
                self._session = self._writes = None
            nursery.cancel_scope.cancel(reason="the session is lost")

    async def _watch(self, session: "Session") -> None:
        while not session.lost.is_set():
            with trio.move_on_after(WATCH_S):
                await session.lost.wait()
                break
            await self._look()

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear: a session ends with its incarnation."""

    def gave_up(self) -> None:
        """There is no session any more, and every key is a miss."""

    async def drain(self) -> None:
        """Return at once: what is being written holds up nobody."""

    async def aclose(self) -> None:
        """The session was closed with the last incarnation."""

    def inside(self) -> None:
        """Return nothing: `statistics` has the numbers."""
