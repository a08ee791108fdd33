"""An exchange whose client is in the same process."""

import gzip

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ucr.bodies import Bodies
from ucr.errors import ApiError
from ucr.library.exchange import LocalExchange

HOST = ("host", "localhost")


def exchange(
    body: bytes = b"", *pairs: tuple[str, str], method: str = "POST", bodies: Bodies | None = None
) -> LocalExchange:
    return LocalExchange("req_1", method, "/v1/messages", "", [HOST, *pairs], body, bodies or Bodies(1000))


async def hello(exchange: LocalExchange) -> None:
    await exchange.start(200, (("x-name", "one\r\ntwo"),))
    await exchange.send(b"hello")
    await exchange.finish()


async def test_an_answer_has_a_head_and_a_body() -> None:
    one = exchange()
    await one.run(hello)
    assert await one.wait_head()
    assert (one.status, one.answer_headers) == (200, (("x-name", "one two"),))
    assert (await one.pipe.receive(), one.pipe.is_whole, one.sent_bytes) == (b"hello", True, 5)


async def test_the_answer_to_head_has_no_body() -> None:
    one = exchange(method="HEAD")
    await one.run(hello)
    assert (await one.pipe.receive(), one.sent_bytes) == (b"", 0)


async def test_an_answer_that_does_not_begin_or_end_is_seen() -> None:
    async def begin(exchange: LocalExchange) -> None:
        await exchange.start(200, ())

    async def nothing(exchange: LocalExchange) -> None:
        pass

    one, other = exchange(), exchange()
    await one.run(begin)
    await other.run(nothing)
    assert (await one.wait_head(), one.pipe.is_whole) == (True, False)
    assert not await other.wait_head()


async def test_a_body_is_decoded_and_counts_until_the_answer_begins() -> None:
    bodies = Bodies(1000)
    one = exchange(gzip.compress(b"{}" * 50), ("content-encoding", "gzip"), bodies=bodies)
    assert await one.body(500) == b"{}" * 50
    assert bodies.budget.held_bytes == 100
    await one.start(200, ())
    assert bodies.budget.held_bytes == 0


@pytest.mark.parametrize(
    ("body", "pairs", "status"),
    [
        (b"x" * 501, (), 413),
        (gzip.compress(b"x" * 501), (("content-encoding", "gzip"),), 413),
        (b"x", (("content-encoding", "br"),), 415),
    ],
    ids=["too large", "too large when decoded", "coded in another way"],
)
async def test_a_body_that_cannot_be_taken_is_refused(
    body: bytes, pairs: tuple[tuple[str, str], ...], status: int
) -> None:
    with pytest.raises(ApiError) as caught:
        await exchange(body, *pairs).body(500)
    assert caught.value.status == status


async def test_no_more_bodies_are_held_than_there_is_room_for() -> None:
    bodies = Bodies(1000)
    await exchange(b"x" * 600, bodies=bodies).body(600)
    with pytest.raises(ApiError) as caught:
        await exchange(b"x" * 600, bodies=bodies).body(600)
    assert caught.value.status == 529


async def test_an_answer_ends_when_its_reader_leaves(nursery: trio.Nursery) -> None:
    one, ended = exchange(), trio.Event()

    async def wait(exchange: LocalExchange) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    nursery.start_soon(one.run, wait)
    await wait_all_tasks_blocked()
    one.leave()
    await ended.wait()


async def test_an_answer_that_others_need_goes_on(nursery: trio.Nursery) -> None:
    one, release, beside = exchange(), trio.Event(), []

    async def wait(exchange: LocalExchange) -> None:
        async def act() -> None:
            beside.append("beside")

        exchange.spawn(act)
        exchange.when_left(lambda cancel: True)
        await release.wait()
        beside.append("went on")

    nursery.start_soon(one.run, wait)
    await wait_all_tasks_blocked()
    one.leave()
    await wait_all_tasks_blocked()
    release.set()
    await wait_all_tasks_blocked()
    assert beside == ["beside", "went on"]
