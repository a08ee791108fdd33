from functools import partial

import pytest
import trio

from ucr.operate.answering import state_of

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (b'{"status":"ready"}', "ready"),
        (b'{"status":"draining"}', "draining"),
        (b'{"status":"fine"}', "what answers is no router"),
        (b"[1]", "what answers is no router"),
        (b"<html>", "what answers is no router"),
    ],
)
async def test_what_answers_is_looked_at(body: bytes, state: str) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(PAGE % (len(body), body))

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        assert await state_of(f"http://127.0.0.1:{port}") == state
        nursery.cancel_scope.cancel()


async def test_where_nobody_listens_there_is_no_answer() -> None:
    assert (await state_of("http://127.0.0.1:1")).startswith("no answer (")
