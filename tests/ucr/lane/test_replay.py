from ucr.lane.replay import ReplayStream
from ucr.stress.network import stream_pair


async def test_what_was_read_comes_first_in_whatever_pieces_it_is_asked_for() -> None:
    ours, theirs = stream_pair()
    await theirs.send_all(b"ghi")
    stream = ReplayStream(b"abcdef", ours)
    assert [await stream.receive_some(4), await stream.receive_some(), await stream.receive_some(3)] == [
        b"abcd",
        b"ef",
        b"ghi",
    ]


async def test_all_else_is_the_streams_own() -> None:
    ours, theirs = stream_pair()
    stream = ReplayStream(b"", ours)
    await stream.wait_send_all_might_not_block()
    await stream.send_all(b"abc")
    await stream.send_eof()
    assert [await theirs.receive_some(), await theirs.receive_some()] == [b"abc", b""]
    await stream.aclose()
    assert ours.is_closed
    assert stream.socket is ours.socket
