"""The bodies that a worker holds at one time, in both lanes: who is refused, and when there is room again."""

import gzip
import json
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.world import answers
from tests.world.router import Heard, Visitor, World, config_of, open_router, provider
from ucr.bodies import Bodies
from ucr.budget import Hold
from ucr.config.model import Server
from ucr.errors import ApiError
from ucr.stress.upstream import Answer, SeenRequest

CONFIG = config_of(
    provider("up", "openai-chat"), server=Server(body_limit_bytes=10_000, bodies_limit_bytes=10_000)
)
HEAD = b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


def ask(size: int) -> dict[str, Any]:
    """Return a request whose body has about this size."""
    return {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x" * size}]}


async def begun(world: World, size: int) -> Visitor:
    """Return a client that has sent so much of a body, and goes no further."""
    visitor = await world.connect()
    await visitor.stream.send_all(CHUNKED + b"%x\r\n" % (size + 1) + b" " * size)
    await wait_all_tasks_blocked()
    return visitor


def is_overloaded(heard: Heard) -> bool:
    assert heard.status == 529
    assert int(heard.headers["retry-after"]) >= 1
    return bool(heard.json()["error"]["type"] == "overloaded_error")


@pytest.mark.usefixtures("both_lanes")
async def test_a_body_for_which_there_is_no_room_is_refused_until_there_is(autojump_clock: MockClock) -> None:
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        holder = await begun(world, 6_000)
        assert is_overloaded(await world.ask("/v1/messages", ask(5_000)))
        assert (await world.ask("/v1/messages", ask(2_000))).status == 200
        await holder.stream.aclose()
        await wait_all_tasks_blocked()
        assert (await world.ask("/v1/messages", ask(5_000))).status == 200


@pytest.mark.usefixtures("both_lanes")
async def test_what_was_announced_and_does_not_come_takes_no_room(autojump_clock: MockClock) -> None:
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        for _ in range(3):
            visitor = await world.connect()
            await visitor.stream.send_all(HEAD + b"content-length: 9999\r\n\r\n")
        await wait_all_tasks_blocked()
        assert (await world.ask("/v1/messages", ask(8_000))).status == 200


@pytest.mark.usefixtures("both_lanes")
async def test_a_body_counts_until_its_answer_begins(autojump_clock: MockClock) -> None:
    go_on = trio.Event()

    async def slowly(request: SeenRequest, answer: Answer) -> None:
        if len(request.body) > 5_000:
            await go_on.wait()
        await answers.streams(answers.chat_text("one", "two"), pause_s=100)(request, answer)

    async with open_router(CONFIG, up=slowly) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", {**ask(8_000), "stream": True})
        await world.upstreams["up"].wait_requests(1)
        assert is_overloaded(await world.ask("/v1/messages", ask(3_000)))
        go_on.set()
        assert (await visitor.next()).status_code == 200
        other = await world.connect()
        await other.send("/v1/messages", {**ask(3_000), "stream": True})
        assert (await other.next()).status_code == 200
        for each in (visitor, other):
            await each.stream.aclose()


@pytest.mark.usefixtures("both_lanes")
async def test_a_coded_body_counts_as_what_it_becomes(autojump_clock: MockClock) -> None:
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        await begun(world, 6_000)
        packed = gzip.compress(json.dumps(ask(5_000)).encode())
        assert len(packed) < 200
        assert is_overloaded(await world.ask("/v1/messages", packed, headers={"content-encoding": "gzip"}))


@pytest.mark.usefixtures("both_lanes")
async def test_a_slow_body_is_told_so_in_the_clients_dialect(autojump_clock: MockClock) -> None:
    async with open_router(CONFIG) as world:
        for path, shape in (("/v1/messages", {"type", "error"}), ("/v1/chat/completions", {"error"})):
            visitor = await world.connect()
            await visitor.stream.send_all(CHUNKED.replace(b"/v1/messages", path.encode()) + b"9\r\nabc")
            heard = await visitor.hear()
            assert (heard.status, heard.headers["connection"]) == (408, "close")
            assert set(heard.json()) - {"request_id"} == shape


async def test_a_long_coded_body_is_decoded_beside_the_loop() -> None:
    bodies = Bodies(50_000_000)
    text = bytes(range(256)) * 100_000
    packed = gzip.compress(text, 1)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count_turns)
        assert await bodies.decode(packed, "gzip", len(text), Hold(bodies.budget)) == text
        nursery.cancel_scope.cancel()
    assert turns > 10
    assert bodies.budget.held_bytes == len(text)


async def test_what_is_broken_or_too_much_holds_nothing() -> None:
    bodies = Bodies(100)
    hold = Hold(bodies.budget)
    for packed, status in ((b"x" * 20_000, 400), (gzip.compress(b"." * 101), 529)):
        with pytest.raises(ApiError) as caught:
            await bodies.decode(packed, "gzip", 1000, hold)
        assert caught.value.status == status
    assert repr(bodies) == "<Bodies: 0 of 100 bytes>"
