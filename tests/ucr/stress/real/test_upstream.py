import trio

from tests.world.provided import provided
from ucr.stress.real.load import Marks, open_line, post, shoot
from ucr.stress.real.upstream import called, events, whole


async def test_a_provider_that_fell_refuses_and_rises_on_the_same_port() -> None:
    async with provided() as alpha:
        marks, port = Marks(), alpha.port
        alpha.fall()
        assert (await shoot(port, marks)).verdict == "lost"
        alpha.rise()
        assert (await shoot(port, marks)).verdict == "ok"


async def rest_of(stream: trio.SocketStream) -> bytes:
    """Read to the end of a connection, or to its breaking."""
    seen = b""
    async with stream:
        try:
            async for data in stream:
                seen += data
        except trio.BrokenResourceError:
            pass
    return seen


async def test_a_provider_that_falls_ends_its_running_answers() -> None:
    async with provided() as alpha:
        line = await open_line(alpha.port)
        await line.stream.send_all(post("mark-00000001", stream=True, model="m", orders="pieces=1000 pause=1"))
        await line.stream.receive_some(100)
        alpha.fall()
        assert not (await rest_of(line.stream)).endswith(b"0\r\n\r\n")


async def test_a_provider_notes_when_its_caller_leaves() -> None:
    async with provided() as alpha:
        line = await open_line(alpha.port)
        await line.stream.send_all(post("mark-00000001", stream=True, model="m", orders="pieces=1000 pause=1"))
        await line.stream.receive_some(100)
        line.reset()
        while "mark-00000001" not in alpha.left_at:
            await trio.lowlevel.checkpoint()


def test_a_request_orders_its_answer() -> None:
    call = called(
        "/v1/messages", post("mark-00000001", stream=True, model="m", orders="pieces=3 pause=0.5 size=10")
    )
    assert (call.mark, call.streams, call.pieces, call.pause_s, call.padding) == (
        "mark-00000001",
        True,
        3,
        0.5,
        "x" * 10,
    )


def test_each_piece_of_an_answer_holds_the_mark_in_either_dialect() -> None:
    for path in ("/v1/messages", "/v1/chat/completions"):
        call = called(path, b"mark-0000000a pieces=3")
        assert whole(call, "alpha").count(b"mark-0000000a@alpha") == 1
        assert b"".join(events(call, "alpha")).count(b"mark-0000000a@alpha") == 3
