"""An attacker's connection to a router in memory, and what must hold whatever it sent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from tests.world.router import World
from ucr.stress.attacks.wire import MARK, Answer, Attack, answers_in

PATIENCE_S = 1.0
"""An answer to nonsense comes within this time; what was not answered then is left waiting."""


@contextmanager
def named(row: str) -> Iterator[None]:
    """Add the name of a row to what fails in the block."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"row: {row}")
        raise


async def said(world: World, data: bytes, patience_s: float = PATIENCE_S) -> tuple[bytes, bool]:
    """Send bytes on a connection of their own; return what came, and whether the router ended the connection."""
    visitor = await world.connect()
    received = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_push, visitor.stream, data)
        with trio.move_on_after(patience_s) as scope:
            try:
                while piece := await visitor.stream.receive_some():
                    received += piece
            except trio.BrokenResourceError:
                pass
        nursery.cancel_scope.cancel(reason="the answer is there")
    await visitor.stream.aclose()
    return received, not scope.cancelled_caught


async def _push(stream: trio.abc.SendStream, data: bytes) -> None:
    try:
        await stream.send_all(data)
    except trio.BrokenResourceError:
        return


async def see_attack(world: World, attack: Attack) -> None:
    """Send an attack: it is refused in the router's words, nothing is smuggled, and the router lives."""
    received, is_ended = await said(world, attack.data)
    answers = answers_in(received)
    assert MARK not in received
    assert len(answers) <= attack.answers
    assert answers or attack.may_be_silent
    if answers:
        assert answers[0].status in attack.statuses
    assert is_ended or not attack.is_fault
    see_words(answers)
    await see_alive(world)


def see_words(answers: list[Answer]) -> None:
    """Assert that answers are JSON in a known shape, without a trace of the code or a foreign header."""
    for answer in answers:
        assert answer.headers["content-type"] == "application/json"
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert b"Traceback" not in answer.body
        body = json.loads(answer.body)
        assert answer.status < 400 or body["error"]["message"]


async def see_alive(world: World) -> None:
    """Assert that the router answers, and that nothing in it has crashed."""
    assert (await world.ask("/health", method="GET")).status == 200
    assert [line for line in world.lines if line["level"] in ("error", "critical")] == []
