import pytest
import trio

from tests.world.provided import provided
from ucr.stress.real.load import open_line
from ucr.stress.real.slow import Kind, drip


async def test_what_drips_ends_when_the_connection_does(autojump_clock: object) -> None:
    async with provided() as alpha:
        line = await open_line(alpha.port)
        async with line.stream, trio.open_nursery() as nursery:
            nursery.start_soon(drip, line, Kind("drips", 1, b"GET / HT", b"\x00", 1.0))
            assert await line.stream.receive_some(100) == b""
    with pytest.raises(trio.ClosedResourceError):
        await line.stream.send_all(b"x")
