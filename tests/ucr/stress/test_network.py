import pytest
import trio
from trio.testing import MockClock, check_half_closeable_stream

from ucr.stress.network import Hang, MemoryNetwork, Refuse, Reset, Silent, stream_pair


async def test_both_ends_behave_like_streams() -> None:
    async def make() -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
        return stream_pair()

    await check_half_closeable_stream(make, None)


async def test_a_connection_arrives_at_its_listener() -> None:
    network = MemoryNetwork()
    listener = network.listener("a.test", 80)
    ours = await network.connect("a.test", 80)
    theirs = await listener.accept()
    await ours.send_all(b"hello")
    assert await theirs.receive_some() == b"hello"
    await theirs.aclose()
    assert await ours.receive_some() == b""


async def test_a_reset_breaks_the_other_end_after_what_was_sent() -> None:
    ours, theirs = stream_pair()
    await theirs.send_all(b"last words")
    await theirs.reset()
    assert await ours.receive_some() == b"last words"
    with pytest.raises(trio.BrokenResourceError):
        await ours.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await ours.send_all(b"x")


async def test_faults_come_in_the_order_of_the_script(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()
    listener = network.listener("a.test", 80)
    network.script("a.test", 80, Refuse(), Hang(), Reset(3), Silent(), None)
    with pytest.raises(ConnectionRefusedError):
        await network.connect("a.test", 80)
    with trio.move_on_after(5) as scope:
        await network.connect("a.test", 80)
    assert scope.cancelled_caught
    broken = await network.connect("a.test", 80)
    with pytest.raises(trio.BrokenResourceError):
        await (await listener.accept()).send_all(b"12345")
    assert await broken.receive_some() == b"123"
    silent = await network.connect("a.test", 80)
    with trio.move_on_after(5) as scope:
        await silent.receive_some()
    assert scope.cancelled_caught
    await network.connect("a.test", 80)
    assert (await listener.accept()).peer is network.streams[-1]


async def test_nobody_listens_where_nothing_was_said() -> None:
    with pytest.raises(ConnectionRefusedError):
        await MemoryNetwork().connect("a.test", 80)


async def test_a_closed_listener_refuses(nursery: trio.Nursery) -> None:
    network = MemoryNetwork()
    listener = network.listener("a.test", 80)
    await listener.aclose()
    with pytest.raises(ConnectionRefusedError):
        await network.connect("a.test", 80)
    with pytest.raises(trio.ClosedResourceError):
        await listener.accept()
