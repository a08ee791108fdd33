"""What is asked beside the request itself, in another's name: servers that a provider has beside its own, and requests
that must be sent although whoever wanted them is gone.

Whoever leaves is cancelled, and may not send anything then. So what is to be sent is left here: a child of the
supervisor, started when it is first needed, sends it. A request that finds no room is dropped and counted.
"""

from typing import TYPE_CHECKING

import trio

from actors import Limits, Pool, PoolError, Restart, UpstreamRequest

if TYPE_CHECKING:
    from actors import Network, Origin, Supervisor
    from ucr.config.model import Provider

CAPACITY = 256
AT_ONCE = 8
POOLS = 16
"""So many other servers are kept connections to; the one that was longest not asked goes first."""
CONNECTIONS = 100
SEND_S = 5.0
"""How long sending one request may take, and how long a shutdown waits for those that are left."""
LIMITS = Limits(connect_s=SEND_S, first_byte_s=SEND_S, idle_s=SEND_S)
_ANSWER_BYTES = 64 * 1024

_Sending = tuple[Pool, UpstreamRequest]


class SideCalls:
    """A supervised child that sends what is offered to it, and keeps connections that belong to nobody else."""

    name = "ucr:side-calls"
    essential = False
    restart: Restart = "permanent"

    def __init__(self, supervisor: "Supervisor", network: "Network") -> None:
        self.dropped = 0
        self._supervisor = supervisor
        self._network = network
        self._lock = trio.Lock()
        self._is_started = False
        self._open = 0
        self._left = trio.Event()
        self._pools: dict[tuple[str, Origin], Pool] = {}
        self._send, self._receive = trio.open_memory_channel[_Sending](CAPACITY)

    def __repr__(self) -> str:
        return f"<SideCalls: {self._open} open, {self.dropped} dropped, {len(self._pools)} pools>"

    async def ready(self) -> None:
        """Return when it runs."""
        if not self._is_started:
            async with self._lock:
                if not self._is_started:
                    await self._supervisor.start(self)
                    self._is_started = True

    def offer(self, pool: Pool, request: UpstreamRequest) -> bool:
        """Send a request soon, over a pool; False when there is no room for it."""
        try:
            self._send.send_nowait((pool, request))
        except trio.WouldBlock:
            self.dropped += 1
            return False
        self._open += 1
        return True

    async def pool(self, provider: "Provider", origin: "Origin") -> Pool:
        """Return the connections to another server of a provider's, which is reached the same way."""
        key = (provider.id, origin)
        pool = self._pools.pop(key, None) or Pool(
            origin, self._network, max_connections=CONNECTIONS, proxy=provider.proxy
        )
        self._pools[key] = pool
        if len(self._pools) > POOLS:
            oldest = next(iter(self._pools))
            await self._pools.pop(oldest).aclose()
        return pool

    async def run(self) -> None:
        """Send what comes, for ever, a few at once."""
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._work)

    async def _work(self) -> None:
        while True:
            pool, request = await self._receive.receive()
            try:
                with trio.move_on_after(SEND_S):
                    await _sent(pool, request)
            finally:
                self._open -= 1
                self._left.set()

    def crashed(self, error: BaseException | None) -> None:
        """Nothing to clear up: what was being sent is lost."""

    def gave_up(self) -> None:
        """Nobody waits for it."""

    async def drain(self) -> None:
        """Wait a moment for what is left."""
        with trio.move_on_after(SEND_S):
            while self._open:
                self._left = trio.Event()
                await self._left.wait()

    async def aclose(self) -> None:
        """Close the connections."""
        while self._pools:
            await self._pools.popitem()[1].aclose()

    def inside(self) -> None:
        """Return nothing."""


async def _sent(pool: Pool, request: UpstreamRequest) -> None:
    """Send it, whatever the answer is: nobody could do anything about a refusal."""
    try:
        with await pool.start(request, LIMITS) as response:
            await response.read(_ANSWER_BYTES)
    except PoolError:
        return
