"""Answers that are asked for in several exchanges: a prediction is begun, and then waited for or streamed.

How this works. The first exchange begins the prediction, and may bring all of its output when that is there soon. A
stream is a second exchange, with the place that the first one named, and often with another server; without such a
place, and for whole answers, the prediction is asked for again until it has ended. What comes of it is an `Answer` like
any other. Unless it was served whole, the prediction is cancelled: by a third party, because whoever is cancelled
himself may not send.
"""

import trio

from actors import Lease, Origin, Pool, UpstreamRequest, UpstreamResponse
from actors import Provider as ProviderChild
from ucr import upstream
from ucr.address import Address
from ucr.call import Call
from ucr.dialects.replicate.prediction import Place, Prediction, read_prediction, stream_of
from ucr.dialects.roles import Headers, Outgoing
from ucr.errors import UpstreamError
from ucr.predicted import Kept, Streamed
from ucr.upstream import Answer
from ucr.watchdog import Watchdog

DIALECT = "replicate"
FIRST_PAUSE_S, LONGEST_PAUSE_S, SLOWER = 0.5, 5.0, 1.5
"""Pauses between two questions whether a prediction has ended."""
BODY_BYTES = 32 * 1024 * 1024
ERROR_BYTES = 256 * 1024
_ACCEPT = (("accept", "application/json"),)
_ACCEPT_STREAM = (("accept", "text/event-stream"), ("cache-control", "no-store"))


async def opened(
    call: Call, child: ProviderChild, address: Address, outgoing: Outgoing, lease: Lease
) -> Answer:
    """Begin a prediction; return its answer when the head of a stream is here, or the whole. Raise `UpstreamError`."""
    if call.router.side_calls is not None:
        await call.router.side_calls.ready()
    began_s = trio.current_time()
    with await upstream.opened(child, address, outgoing, lease, call.patience, call.router.timers) as answer:
        if not 200 <= answer.status < 300:
            return Kept(answer.status, answer.headers, await _words(answer))
        headers, body = answer.headers, await answer.read(BODY_BYTES)
    prediction = read_prediction(body, address.provider.id)
    course = _Course(call, child, address, lease, prediction, headers)
    begun = await course.followed(body, is_stream=outgoing.context.stream)
    lease.answered(trio.current_time() - began_s)
    return begun


async def _words(answer: Answer) -> bytes:
    """Read the words of a refusal, as far as they come."""
    try:
        return await answer.read(ERROR_BYTES)
    except UpstreamError:
        return b""


class _Course:
    """One prediction from its beginning on; `headers` are those of the answer that told of it first."""

    def __init__(
        self,
        call: Call,
        child: ProviderChild,
        address: Address,
        lease: Lease,
        prediction: Prediction,
        headers: Headers,
    ) -> None:
        self._call = call
        self._child = child
        self._address = address
        self._lease = lease
        self._prediction = prediction
        self._headers = headers

    async def followed(self, body: bytes, *, is_stream: bool) -> Answer:
        """Return its answer; a prediction that is given up before there is one is cancelled."""
        answer = None
        try:
            if is_stream and not self._prediction.has_ended:
                answer = await self._streamed()
            if answer is None:
                answer = await self._ended(body)
        finally:
            if answer is None:
                self._cancel()
        return answer

    async def _ended(self, body: bytes) -> Answer:
        """Ask until it has ended, ever more seldom."""
        pause_s, path = FIRST_PAUSE_S, f"/predictions/{self._prediction.id}"
        while not self._prediction.has_ended:
            with self._call.patience.wait():
                await trio.sleep(pause_s)
            pause_s = min(pause_s * SLOWER, LONGEST_PAUSE_S)
            request = self._address.plain("GET", path, _ACCEPT, self._lease.key)
            response, watchdog = await self._exchange(self._child.pool, request)
            with Answer(response, watchdog) as answer:
                if answer.status != 200:
                    return Kept(answer.status, answer.headers, await _words(answer))
                body = await answer.read(BODY_BYTES)
            self._prediction = read_prediction(body, self._address.provider.id)
        return Kept(200, {**self._headers, "content-type": "application/json"}, body)

    async def _streamed(self) -> Answer | None:
        """Return its stream; None where there is none."""
        place = stream_of(self._prediction, self._address.provider.base_url)
        pool = None if place is None else await self._pool(place)
        if place is None or pool is None:
            return None
        own = self._address.block(self._lease.key) if pool is self._child.pool else b""
        response, watchdog = await self._exchange(
            pool, UpstreamRequest("GET", place.path, _ACCEPT_STREAM, block=own)
        )
        if response.status == 200:
            return Streamed(response, watchdog, self._lease, self._cancel)
        response.close()
        return None

    async def _pool(self, place: Place) -> Pool | None:
        """Return the way to a server, which gets the provider's key only when it is the provider's own."""
        origin, side_calls = Origin(place.scheme, place.host, place.port), self._call.router.side_calls
        if origin == self._child.pool.origin:
            return self._child.pool
        return None if side_calls is None else await side_calls.pool(self._address.provider, origin)

    async def _exchange(self, pool: Pool, request: UpstreamRequest) -> tuple[UpstreamResponse, Watchdog]:
        watchdog = Watchdog(self._call.patience, self._call.router.timers, self._address.provider)
        with watchdog:
            response = await pool.start(request, self._address.limits, watchdog.on_wait)
        return response, watchdog

    def _cancel(self) -> None:
        """Have the prediction cancelled, if it still goes on."""
        side_calls = self._call.router.side_calls
        if side_calls is None or self._prediction.has_ended:
            return
        path = f"/predictions/{self._prediction.id}/cancel"
        side_calls.offer(self._child.pool, self._address.plain("POST", path, _ACCEPT, self._lease.key))
