"""The built-in demo provider: a small HTTP/1.1 server on a real local socket.

It runs in this process or, as `python -m ucr.demo PARENT DESCRIPTOR`, in one of its own on a socket that it
inherits. It is what UCR routes to when no provider was found. Requests reach it as they would any other upstream, so a
first try exercises the whole path. What it says is decided in `ucr.demo_talk`.
"""

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import h11
import trio

from ucr import hygiene
from ucr.demo_talk import Answer, answer
from ucr.listening import inherited

BODY_LIMIT_BYTES = 64 * 1024 * 1024
IDLE_S = 300.0
PIECE_PAUSE_S = 0.01
_READ_BYTES = 64 * 1024


@asynccontextmanager
async def open_demo(piece_pause_s: float = PIECE_PAUSE_S) -> AsyncIterator[str]:
    """Run the demo provider as long as the block; give the base URL that an openai-chat provider needs."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_demo, listeners, piece_pause_s=piece_pause_s))
        yield f"http://127.0.0.1:{port}/v1"
        nursery.cancel_scope.cancel(reason="the demo provider is no longer needed")


async def serve_demo(
    listeners: list[trio.SocketListener],
    *,
    piece_pause_s: float = PIECE_PAUSE_S,
    clock: Callable[[], float] = time.time,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled. Between two pieces of a stream it waits, so that a reader sees one arrive."""

    async def converse(stream: trio.SocketStream) -> None:
        async with stream:
            await _Conversation(stream, piece_pause_s, clock).run()

    await trio.serve_listeners(converse, listeners, task_status=task_status)


class _Conversation:
    """One connection: requests in, answers out, until the client leaves or breaks HTTP."""

    def __init__(self, stream: trio.abc.Stream, piece_pause_s: float, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._piece_pause_s = piece_pause_s
        self._clock = clock
        self._http = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        try:
            while await self._answer_one():
                self._http.start_next_cycle()
        except (h11.ProtocolError, trio.BrokenResourceError):
            return

    async def _answer_one(self) -> bool:
        """Answer the next request; False when no other can follow on this connection."""
        request = await self._next_event()
        if not isinstance(request, h11.Request):
            return False
        body = await self._body()
        if body is None:
            await self._send_answer(Answer(413, "text/plain", (b"The body is too large.",)))
            return False
        method, target = request.method.decode(), request.target.decode()
        await self._send_answer(answer(method, target, body, int(self._clock())))
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _body(self) -> bytes | None:
        body = bytearray()
        while isinstance(event := await self._next_event(), h11.Data):
            body += event.data
            if len(body) > BODY_LIMIT_BYTES:
                return None
        return bytes(body)

    async def _next_event(self) -> object:
        """Return the next event of the request, or h11's mark that there is none before our answer."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            with trio.move_on_after(IDLE_S) as patience:
                self._http.receive_data(bytes(await self._stream.receive_some(_READ_BYTES)))
            if patience.cancelled_caught:
                self._http.receive_data(b"")
        return event

    async def _send_answer(self, said: Answer) -> None:
        headers = [("content-type", said.content_type)]
        if len(said.parts) == 1:
            headers.append(("content-length", str(len(said.parts[0]))))
        await self._send(h11.Response(status_code=said.status, headers=headers))
        for number, part in enumerate(said.parts):
            if number:
                await trio.sleep(self._piece_pause_s)
            await self._send(h11.Data(data=part))
        await self._send(h11.EndOfMessage())

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            await self._stream.send_all(data)


def main() -> None:
    """Serve on the inherited socket until the parent ends this process, or ends."""
    hygiene.ignore_terminal()
    hygiene.die_with(int(sys.argv[1]))
    (bound,) = inherited((int(sys.argv[2]),))
    trio.run(serve_demo, [trio.SocketListener(trio.socket.from_stdlib_socket(bound))])


if __name__ == "__main__":
    main()
