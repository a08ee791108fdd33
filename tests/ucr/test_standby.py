"""hypercorn standing by; that it is not loaded before it is needed is tested in tests/structure/test_imports.py."""

from functools import partial
from typing import Any

import trio
from trio.testing import memory_stream_pair

from ucr.connections import Connections, Limits
from ucr.standby import Standby
from ucr.stress.network import MemoryStream

HELLO = b"GET /x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi", "more_body": False})


def standby() -> Standby:
    return Standby(app, Limits(), partial(Connections, limits=Limits(), report=lambda error: None))


async def asked(server: Standby) -> tuple[bytes, bool]:
    """Return an answer, and whether the connection stays open for another one."""
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_one, MemoryStream(theirs))
        await ours.send_all(HELLO)
        heard = b""
        while not heard.endswith(b"hi"):
            heard += await ours.receive_some()
        with trio.move_on_after(1) as patience:
            await ours.receive_some()
        nursery.cancel_scope.cancel(reason="heard")
    return heard, patience.cancelled_caught


async def test_the_first_connections_are_served_by_one_server(autojump_clock: object) -> None:
    server = standby()
    assert repr(server) == "<Standby not loaded>"
    heard: list[tuple[bytes, bool]] = []

    async def visit() -> None:
        heard.append(await asked(server))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(visit)
    assert [answer[:15] for answer, _ in heard] == [b"HTTP/1.1 200 \r\n"] * 3
    assert all(stays for _, stays in heard)
    assert repr(server) == "<Standby loaded>"


async def test_a_drain_holds_before_and_after_the_loading(autojump_clock: object) -> None:
    early, late = standby(), standby()
    await early.drain()
    await asked(late)
    await late.drain()
    for server in (early, late):
        heard, stays = await asked(server)
        assert (heard[:12], stays) == (b"HTTP/1.1 200", False)
