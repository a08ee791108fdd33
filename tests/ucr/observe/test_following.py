import pytest
import trio
from trio_websocket import ConnectionRejected, HandshakeError, WebSocketRequest, serve_websocket

from ucr.asking import Unanswered
from ucr.observe.following import follow, words_of


async def served(messages: list[str], code: int | None, task_status: trio.TaskStatus[str]) -> None:
    """Serve one feed on loopback; a code that is given refuses the handshake with it."""

    async def answer(request: WebSocketRequest) -> None:
        if code is not None:
            await request.reject(code, body=b'{"error":{"message":"the admin key is wrong"}}')
            return
        assert request.path == "/ws/events"
        socket = await request.accept()
        for message in messages:
            await socket.send_message(message)
        await socket.aclose(1001)

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, answer, "127.0.0.1", 0, None)
        task_status.started(f"http://127.0.0.1:{server.port}")


@pytest.mark.parametrize("key", [None, "admin-key"])
async def test_every_message_is_given_until_the_router_ends_it(key: str | None) -> None:
    heard: list[object] = []
    async with trio.open_nursery() as nursery:
        url = await nursery.start(served, ['{"event":"a"}', '{"event":"b"}'], None)
        await follow(url, key, True, heard.append)
        nursery.cancel_scope.cancel()
    assert heard == [{"event": "a"}, {"event": "b"}]


async def test_a_refusal_is_told_in_the_words_of_the_router() -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(served, [], 401)
        with pytest.raises(Unanswered, match="answered 401: the admin key is wrong"):
            await follow(url, "x", True, print)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:1/"])
async def test_where_nobody_listens_it_says_what_helps(url: str) -> None:
    with pytest.raises(Unanswered, match="; start it with ucr-trio start, or give --url"):
        await follow(url, None, True, print)


async def test_what_is_no_message_of_a_router_is_told() -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(served, ["no JSON"], None)
        with pytest.raises(Unanswered):
            await follow(url, None, True, print)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("body", "words"), [(None, ""), (b"busy", "busy"), (b"[]", "[]"), (b'{"error":{"message":"no"}}', "no")]
)
def test_the_words_of_an_error_are_found(body: bytes | None, words: str) -> None:
    assert words_of(body) == words


def test_refusals_are_failed_handshakes() -> None:
    assert issubclass(ConnectionRejected, HandshakeError)
