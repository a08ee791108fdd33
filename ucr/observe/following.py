"""How a command listens to the live feed of a running router."""

import json
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, HandshakeError, wrap_client_stream

from ucr.admin import EVENTS_PATH
from ucr.asking import Trust, Unanswered, nobody_at

CONNECT_S = 5.0
MESSAGE_BYTES = 4 * 1024 * 1024
_QUEUE = 64

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]
Take = Callable[[dict[str, Any]], None]


async def follow(url: str, key: str | None, trust: Trust, take: Take) -> None:
    """Give every message to `take` until the router ends the connection; raise `Unanswered` when there is none."""
    try:
        with trio.fail_after(CONNECT_S):
            stream = await _connected(url, trust)
    except (OSError, ValueError, trio.TooSlowError) as error:
        raise nobody_at(url, error) from None
    troubles: list[Unanswered] = []
    try:
        async with trio.open_nursery() as nursery:
            troubles += await _listen(nursery, stream, url, key, take)
            nursery.cancel_scope.cancel(reason="the feed has ended")
    except* ConnectionRejected as rejected:
        troubles += [_refused(url, one) for one in rejected.exceptions if isinstance(one, ConnectionRejected)]
    finally:
        await trio.aclose_forcefully(stream)
    if troubles:
        raise troubles[0]


async def _connected(url: str, trust: Trust) -> Stream:
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    stream = await trio.open_tcp_stream(host, parts.port or (443 if is_secure else 80))
    if not is_secure:
        return stream
    context = trust if isinstance(trust, ssl.SSLContext) else ssl.create_default_context()
    return trio.SSLStream(stream, context, server_hostname=host)


async def _listen(
    nursery: trio.Nursery, stream: Stream, url: str, key: str | None, take: Take
) -> list[Unanswered]:
    """Listen to the end; return what went wrong. The nursery is for the task that reads, and a refusal ends that one."""
    headers = [] if key is None else [(b"x-api-key", key.encode())]
    try:
        with trio.fail_after(CONNECT_S):
            socket = await wrap_client_stream(
                nursery,
                stream,
                urlsplit(url).netloc,
                EVENTS_PATH,
                extra_headers=headers,
                message_queue_size=_QUEUE,
                max_message_size=MESSAGE_BYTES,
            )
        while True:
            take(json.loads(await socket.get_message()))
    except ConnectionClosed:
        return []
    except (HandshakeError, OSError, trio.BrokenResourceError, ValueError, trio.TooSlowError) as error:
        return [nobody_at(url, error)]


def _refused(url: str, error: ConnectionRejected) -> Unanswered:
    return Unanswered(f"{url}: answered {error.status_code}: {words_of(error.body)}")


def words_of(body: bytes | None) -> str:
    """Return what an error says."""
    try:
        return str(json.loads(body or b"")["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return (body or b"").decode("utf-8", "replace")[:200]
