"""Asks the local servers that may be there: one request each, on a socket, without an HTTP client to load."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import h11
import trio

from ucr.config.model import Provider
from ucr.discovery import PROBES, Probe, found

TIMEOUT_S = 0.5
BODY_LIMIT_BYTES = 1024 * 1024
_READ_BYTES = 64 * 1024

Connect = Callable[[str, int], Awaitable[trio.abc.Stream]]


async def probe_local(
    connect: Connect = trio.open_tcp_stream, probes: tuple[Probe, ...] = PROBES
) -> tuple[Provider, ...]:
    """Return the local providers that answer within half a second, in the order of the probes."""
    answers: dict[str, Provider] = {}
    with trio.move_on_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            for probe in probes:
                nursery.start_soon(_ask, connect, probe, answers)
    return tuple(answers[probe.provider_id] for probe in probes if probe.provider_id in answers)


async def _ask(connect: Connect, probe: Probe, answers: dict[str, Provider]) -> None:
    url = urlsplit(probe.url)
    try:
        async with await connect(url.hostname or "", url.port or 80) as stream:
            status, body = await _get(stream, url.netloc, url.path)
    except (OSError, trio.BrokenResourceError, h11.ProtocolError):
        return
    provider = found(probe, status, body)
    if provider is not None and len(body) <= BODY_LIMIT_BYTES:
        answers[probe.provider_id] = provider


async def _get(stream: trio.abc.Stream, host: str, path: str) -> tuple[int, bytes]:
    """Return the status and the body, of which no more is read than is too much."""
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(method="GET", target=path, headers=[("host", host), ("connection", "close")])
    await stream.send_all((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    status, body = 0, bytearray()
    while not isinstance(event := http.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
        if event is h11.NEED_DATA:
            http.receive_data(bytes(await stream.receive_some(_READ_BYTES)))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_LIMIT_BYTES:
                break
    return status, bytes(body)
