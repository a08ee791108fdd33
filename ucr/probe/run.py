"""Runs the checks of a probe, as a client of the router that asks a server."""

from collections.abc import AsyncIterable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING

import trio

from ucr import jsontext, sse
from ucr.jsontext import JsonError, JsonObject
from ucr.probe.checks import CHECKS, Check, Heard, Seen
from ucr.sse import SseError

if TYPE_CHECKING:
    import httpx

ANSWER_S = 120.0
LIMIT_BYTES = 4 * 1024 * 1024
_HOPELESS = frozenset({0, 403, 429, 529})
"""With one of these for the first check, nothing more is asked: no answer, a bad key, no more to be had."""


class Prober:
    """Asks the router at `base_url` for one model, over a transport of httpx."""

    def __init__(self, transport: "httpx.AsyncBaseTransport", base_url: str, model: str) -> None:
        self._transport = transport
        self._base_url = base_url
        self._model = model

    async def run(self, checks: Iterable[Check] = CHECKS) -> tuple[tuple[Check, Seen], ...]:
        """Return what was seen in each check; of one alone where it shows that nobody answers."""
        seen: list[tuple[Check, Seen]] = []
        for check in checks:
            heard = await self._heard(check)
            if check.leaves and heard.status == 200:
                heard = await self._heard(CHECKS[0])
            seen.append((check, check.judge(heard)))
            if check is CHECKS[0] and heard.status in _HOPELESS:
                break
        return tuple(seen)

    async def _heard(self, check: Check) -> Heard:
        import httpx

        body = jsontext.dumps({"model": self._model, **check.body})
        headers = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
        request = httpx.Request("POST", f"{self._base_url}{check.path}", content=body, headers=headers)
        try:
            with trio.fail_after(ANSWER_S):
                answer = await self._transport.handle_async_request(request)
                if not isinstance(answer.stream, httpx.AsyncByteStream):
                    return Heard(0, {}, words="no stream")
                async with aclosing(answer.stream) as stream:
                    if answer.status_code == 200 and check.body.get("stream"):
                        return Heard(200, {}, await _events(stream, leaves=check.leaves))
                    return Heard(answer.status_code, _object(await _whole(stream)))
        except (httpx.HTTPError, SseError) as error:
            return Heard(0, {}, words=f"{type(error).__name__}: {error}")
        except trio.TooSlowError:
            return Heard(0, {}, words=f"no whole answer within {ANSWER_S:g} s")


async def _events(stream: AsyncIterable[bytes], *, leaves: bool) -> tuple[JsonObject, ...]:
    """Return the events of a stream, the first ones alone where it is left early."""
    decoder, events = sse.Decoder(), list[JsonObject]()
    async for data in stream:
        events += [_object(event.data.encode()) for event in decoder.feed(data)]
        if leaves and events:
            break
    return tuple(events)


async def _whole(stream: AsyncIterable[bytes]) -> bytes:
    body = bytearray()
    async for data in stream:
        body += data
        if len(body) > LIMIT_BYTES:
            break
    return bytes(body)


def _object(data: bytes) -> JsonObject:
    try:
        value = jsontext.loads(data)
    except JsonError:
        return {}
    return value if isinstance(value, dict) else {}
