"""An upstream that speaks HTTP/2, step by step."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset


class Peer:
    """An upstream that speaks HTTP/2; its answer is up to the test."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        self.h2.initiate_connection()
        self.body = b""
        self.resets: list[int] = []

    async def flush(self) -> None:
        await self.stream.send_all(self.h2.data_to_send())

    async def read(self) -> RequestReceived:
        """Read a request to its end; `body` is its body."""
        request, self.body = None, b""
        await self.flush()
        while True:
            data = await self.stream.receive_some(65_536)
            if not data:
                raise trio.BrokenResourceError("the client has left")
            events = self.h2.receive_data(bytes(data))
            for event in events:
                if isinstance(event, RequestReceived):
                    request = event
                elif isinstance(event, DataReceived):
                    self.body += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamReset):
                    self.resets.append(int(event.error_code))
            await self.flush()
            if request is not None and any(isinstance(event, StreamEnded) for event in events):
                return request

    async def answer(self, request: RequestReceived, *parts: bytes, **fields: str) -> None:
        self.h2.send_headers(request.stream_id, [(":status", "200"), *fields.items()], end_stream=not parts)
        for number, part in enumerate(parts, 1):
            self.h2.send_data(request.stream_id, part, end_stream=number == len(parts))
        await self.flush()


Handle = Callable[[Peer, RequestReceived], Awaitable[None]]


class Http2Upstream:
    """Answers its n-th request with its n-th handler, and those after the last with the last."""

    def __init__(self, *handles: Handle) -> None:
        self._handles = handles
        self.requests: list[RequestReceived] = []

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        peer = Peer(stream)
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while True:
                request = await peer.read()
                self.requests.append(request)
                await self._handles[min(len(self.requests), len(self._handles)) - 1](peer, request)
        await trio.aclose_forcefully(stream)
