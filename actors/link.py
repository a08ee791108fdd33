"""A link: a ref to an actor of another process that stays good while connections to it come and go.

How this works. Both sides begin a connection with a greeting: the link says by one byte which actor it wants,
and is connected when the byte comes back. So a peer whose socket is there, kept by a third process, although
nobody serves it just now, is not taken for one that answers: the connection waits in the backlog until the
peer's successor takes it.
"""

import math
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Generic, TypeVar

import trio

from actors.bridge import Bridge
from actors.errors import ActorStopped, WireError
from actors.mailbox import MailboxStatistics, Reply
from actors.ref import Question, Ref
from actors.supervisor import Inside, Restart
from actors.wire import Codec

Answer = TypeVar("Answer")
Message = TypeVar("Message")

FIRST_DELAY_S = 0.05
MAX_DELAY_S = 1.0

_NEVER = MailboxStatistics(
    queued=0,
    unanswered=0,
    capacity=0,
    closed=True,
    asked=0,
    answered=0,
    refused=0,
    failed=0,
    abandoned=0,
    full=0,
    dropped=0,
    undeliverable=0,
)


class LinkRef(Ref[Message]):
    """The verbs of a `Ref`. Without a connection an ask raises `ActorStopped`, and what is told is lost."""

    __slots__ = ("_link",)

    def __init__(self, link: "Link[Message]") -> None:
        self._link = link

    def __repr__(self) -> str:
        return f"<LinkRef through {self._link!r}>"

    @property
    def name(self) -> str:
        return self._link.name

    def statistics(self) -> MailboxStatistics:
        return _NEVER if self._link.bridge is None else self._link.bridge.statistics()

    async def ask(self, message: Question[Answer], *, deadline: float = math.inf) -> Answer:
        return await self._remote().ask(message, deadline=deadline)

    def ask_nowait(self, message: Question[Answer]) -> Reply[Answer]:
        return self._remote().ask_nowait(message)

    def tell(self, message: Message) -> None:
        if self._link.bridge is not None:
            self._link.bridge.remote.tell(message)

    def offer(self, message: Message) -> bool:
        return self._link.bridge is not None and self._link.bridge.remote.offer(message)

    def _remote(self) -> Ref[Message]:
        if self._link.bridge is None:
            raise ActorStopped(f"{self.name}: there is no connection")
        return self._link.bridge.remote


class LinkEvents(Generic[Message]):
    """What a link reports; `ref` is always the link's own. Each `up` is followed by one `down`."""

    def up(self, ref: Ref[Message]) -> None:
        """There is a connection: the peer may be told something at once."""

    def down(self, reason: str | None) -> None:
        """The connection is gone, and what was unanswered has failed; None: the link itself has ended."""

    def unclaimed(self, ref: Ref[Message], message: object, answer: object) -> None:
        """An answer came to somebody who has left."""


class Link(Generic[Message]):
    """A supervised child that connects, and connects again for ever, with a growing pause between failures."""

    essential = False
    restart: Restart = "permanent"

    def __init__(
        self,
        name: str,
        connect: Callable[[], Awaitable[trio.abc.Stream]],
        codec: Codec,
        greeting: bytes,
        events: LinkEvents[Message],
        *,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.ref: LinkRef[Message] = LinkRef(self)
        self.bridge: Bridge[Message] | None = None
        self._connect = connect
        self._codec = codec
        self._greeting = greeting
        self._events = events
        self._rng = rng
        self._delay_s = FIRST_DELAY_S

    def __repr__(self) -> str:
        return f"<Link {self.name!r} {'down' if self.bridge is None else 'up'}>"

    @property
    def is_up(self) -> bool:
        return self.bridge is not None

    async def run(self) -> None:
        """Keep up a connection, for ever."""
        while True:
            stream = await self._greeted()
            if stream is not None:
                self._delay_s = FIRST_DELAY_S
                await self._carry(stream)
            await trio.sleep(self._delay_s * (0.5 + 0.5 * self._rng()))
            self._delay_s = min(2 * self._delay_s, MAX_DELAY_S)

    async def _greeted(self) -> trio.abc.Stream | None:
        """Return a stream on which the peer has greeted back, or None."""
        try:
            stream = await self._connect()
        except OSError:
            return None
        try:
            await stream.send_all(self._greeting)
            if await stream.receive_some(1) == self._greeting:
                return stream
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        await trio.aclose_forcefully(stream)
        return None

    async def _carry(self, stream: trio.abc.Stream) -> None:
        bridge: Bridge[Message] = Bridge(
            self.name, stream, self._codec, on_unclaimed=partial(self._events.unclaimed, self.ref)
        )
        reason: str | None = None
        self.bridge = bridge
        self._events.up(self.ref)
        try:
            await bridge.run()
            reason = "the other process closed it"
        except WireError as error:
            reason = str(error)
        finally:
            self.bridge = None
            self._events.down(reason)

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear: a connection ends with its incarnation."""

    def gave_up(self) -> None:
        """Nobody is connected any more, which is what asks are told."""

    async def drain(self) -> None:
        """Return at once: who asks holds up his own end."""

    async def aclose(self) -> None:
        """The connection was closed with the last incarnation."""

    def inside(self) -> Inside:
        """Return the counts of the connection."""
        return self.ref.statistics()


async def greet(stream: trio.abc.Stream, known: dict[bytes, Any]) -> Any | None:
    """Take a greeting and give it back; return what it stands for, or None for one that is not known."""
    greeting = bytes(await stream.receive_some(1))
    if greeting not in known:
        return None
    await stream.send_all(greeting)
    return known[greeting]
