"""What a handler of the scripted upstream answers, when it is asked over a stream in memory."""

import json
from typing import Any

import httptools
import trio
from trio.testing import memory_stream_pair

from ucr.stress.upstream import Answer, Handler, SeenRequest

ANTHROPIC, CHAT = "/v1/messages", "/v1/chat/completions"


class Heard:
    """An answer: its bytes as they came, and what is in them as far as they are HTTP."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_whole = False
        self._parser = httptools.HttpResponseParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.is_whole = False

    @property
    def status(self) -> int:
        return self._parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_whole = True

    def json(self) -> Any:
        return json.loads(self.body)


def asking(path: str = ANTHROPIC, *, stream: bool = False, model: str = "m") -> SeenRequest:
    """Return a request as an upstream sees it."""
    body = json.dumps({"model": model, "stream": stream}).encode()
    return SeenRequest("POST", path, (("x-api-key", "planted"),), body, 1)


async def answered(handler: Handler, request: SeenRequest, *, most: int = 1_000_000) -> Heard:
    """Let a handler answer; return what came until it had ended, could go no further, or had said `most` bytes."""
    near, far = memory_stream_pair()
    data = bytearray()
    async with trio.open_nursery() as nursery:

        async def speak() -> None:
            try:
                await handler(request, Answer(far))
            except trio.BrokenResourceError:
                return
            await far.aclose()

        nursery.start_soon(speak)
        with trio.move_on_after(30):
            while len(data) < most and (piece := await near.receive_some()):
                data += piece
        nursery.cancel_scope.cancel(reason="enough was said")
    return Heard(bytes(data))
