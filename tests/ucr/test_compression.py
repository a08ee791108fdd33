"""Answers in gzip and deflate, in both lanes: which, for whom, and what stays as it is."""

import gzip
import zlib
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.badge import Badge
from ucr.compression import LEAST_BYTES, SLOW_BYTES, CompressingExchange, may_be_compressed, packed
from ucr.config.model import Server

ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
CONFIG = config_of(provider("up", "openai-chat"), server=Server(compression=True))
LONG = "tell " * 2_000
GZIP = {"accept-encoding": "gzip"}

pytestmark = pytest.mark.usefixtures("both_lanes")


def long_reply(length: int = len(LONG)) -> Any:
    return answers.says(200, answers.chat_reply((LONG * (length // len(LONG) + 1))[:length]))


@pytest.mark.parametrize(
    ("accepted", "coding", "unpack"),
    [("gzip, deflate", "gzip", gzip.decompress), ("deflate", "deflate", zlib.decompress)],
)
async def test_a_long_json_answer_is_compressed_for_who_accepts_that(
    accepted: str, coding: str, unpack: Any, autojump_clock: MockClock
) -> None:
    async with open_router(CONFIG, up=long_reply()) as world:
        visitor = await world.connect()
        for _ in range(2):  # the connection stays usable
            await visitor.send("/v1/messages", ASK, headers={"accept-encoding": accepted})
            heard = await visitor.hear()
            assert (heard.status, heard.headers["content-encoding"]) == (200, coding)
            assert heard.headers["vary"] == "accept-encoding"
            assert int(heard.headers["content-length"]) == len(heard.body) < 2_000
            assert LONG.encode() in unpack(heard.body)
        await world.wait_finished(2)
        assert world.finished[0]["answer_bytes"] == len(heard.body)


@pytest.mark.parametrize("accepted", ["", "gzip;q=0", "identity", "br"])
async def test_who_does_not_ask_gets_the_plain_answer(accepted: str, autojump_clock: MockClock) -> None:
    async with open_router(CONFIG, up=long_reply()) as world:
        heard = await world.ask("/v1/messages", ASK, headers={"accept-encoding": accepted} if accepted else {})
    assert "content-encoding" not in heard.headers
    assert heard.headers["vary"] == "accept-encoding"
    assert LONG.encode() in heard.body


async def test_without_the_configuration_nothing_is_compressed(autojump_clock: MockClock) -> None:
    async with open_router(config_of(provider("up", "openai-chat")), up=long_reply()) as world:
        heard = await world.ask("/v1/messages", ASK, headers=GZIP)
    assert not {"content-encoding", "vary"} & heard.headers.keys()
    assert LONG.encode() in heard.body


async def test_a_short_answer_and_a_stream_stay_as_they_are(autojump_clock: MockClock) -> None:
    pieces = answers.chat_text(*[LONG] * 3)
    async with open_router(CONFIG, up=answers.streams(pieces)) as world:
        short = await world.ask("/health", method="GET", headers=GZIP)
        stream = await world.ask("/v1/messages", {**ASK, "stream": True}, headers=GZIP)
    for heard in (short, stream):
        assert heard.status == 200
        assert not {"content-encoding", "vary"} & heard.headers.keys()
    assert len(stream.events()) > 3


async def test_a_long_error_is_compressed_too(autojump_clock: MockClock) -> None:
    body = {"error": {"message": LONG, "type": "invalid_request_error"}}
    async with open_router(CONFIG, up=answers.says(400, body)) as world:
        heard = await world.ask("/v1/messages", ASK, headers=GZIP)
    assert (heard.status, heard.headers["content-encoding"]) == (400, "gzip")
    assert b"invalid_request_error" in gzip.decompress(heard.body)


class Sink:
    """An exchange that keeps what is sent on it."""

    request_id, method, path, query, peer = "req_1", "GET", "/", "", ""
    fault, badge = None, Badge()
    is_started = is_finished = False
    sent_bytes = 0

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.sent = b""

    async def body(self, limit_bytes: int) -> bytes:
        return b""

    async def start(self, status: int, headers: object) -> None:
        self.is_started = True

    async def send(self, data: bytes) -> None:
        self.sent += data

    async def finish(self, last: bytes = b"") -> None:
        if last:
            await self.send(last)
        self.is_finished = True


@pytest.mark.parametrize(("length", "is_beside"), [(SLOW_BYTES - 1, False), (SLOW_BYTES * 8, True)])
async def test_a_very_long_answer_is_compressed_beside_the_loop(length: int, is_beside: bool) -> None:
    inner, packing = Sink(), trio.CapacityLimiter(1)
    exchange = CompressingExchange(inner, "gzip", packing)
    body = bytes(range(256)) * (length // 256) + b"." * (length % 256)
    await exchange.start(200, (("content-type", "application/json"), ("content-length", str(length))))
    await exchange.send(body)
    packing.acquire_on_behalf_of_nowait(inner)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(exchange.finish)
        await trio.testing.wait_all_tasks_blocked()
        assert packing.statistics().tasks_waiting == is_beside
        assert inner.is_finished is not is_beside
        packing.release_on_behalf_of(inner)
    assert gzip.decompress(inner.sent) == body


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ((("content-type", "application/json"), ("content-length", str(LEAST_BYTES))), True),
        ((("content-type", "application/json; charset=utf-8"), ("content-length", "9999")), True),
        ((("content-type", "application/json"), ("content-length", str(LEAST_BYTES - 1))), False),
        ((("content-type", "application/json"),), False),
        ((("content-type", "text/event-stream"), ("content-length", "9999")), False),
        ((("content-type", "text/plain"), ("content-length", "9999")), False),
        ((("content-length", "9999"),), False),
        (
            (("content-type", "application/json"), ("content-length", "9999"), ("content-encoding", "gzip")),
            False,
        ),
    ],
)
def test_only_whole_json_of_some_length_may_be_compressed(
    headers: tuple[tuple[str, str], ...], may: bool
) -> None:
    assert may_be_compressed(headers) is may


def test_the_same_body_is_always_packed_alike() -> None:
    assert packed(b"a" * 5000, "gzip") == packed(b"a" * 5000, "gzip")
    assert zlib.decompress(packed(b"abc", "deflate")) == b"abc"
