"""Large requests: read while there is memory for them, and very large ones beside the loop."""

from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import Heard, World, config_of, open_router, provider
from ucr.estimate import estimate
from ucr.parsing import WEIGHTY_BYTES
from ucr.rests import LARGE_BYTES

CONFIG = config_of(provider("up", "openai-chat"))
UP = answers.says(200, answers.chat_reply())
PATHS = ("/v1/messages", "/v1/messages/count_tokens")


def body(size: int) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x" * size}]}


@pytest.mark.parametrize("path", PATHS)
async def test_without_memory_nothing_large_is_read(autojump_clock: object, path: str) -> None:
    async with open_router(CONFIG, up=UP) as world:
        pressure = world.worker.api.pressure
        heard = [await world.ask(path, body(WEIGHTY_BYTES))]
        pressure.take = lambda: pressure.limit_bytes
        heard += [await world.ask(path, body(size)) for size in (WEIGHTY_BYTES, 10)]
        pressure.take = lambda: pressure.limit_bytes // 2
        heard.append(await world.ask(path, body(WEIGHTY_BYTES)))
    assert [one.status for one in heard] == [200, 529, 200, 200]
    assert heard[1].json()["error"]["type"] == "overloaded_error"
    assert heard[1].headers["retry-after"] == "1"


async def test_whether_there_is_memory_is_asked_when_a_very_large_one_has_its_turn() -> None:
    """With a clock that goes by itself: one that jumps would not wait for a thread."""
    heard: list[Heard] = []
    async with open_router(CONFIG, up=UP) as world, trio.open_nursery() as nursery:
        pressure = world.worker.api.pressure
        async with world.worker.api.generation.router.reading:
            nursery.start_soon(ask_large, world, PATHS[0], heard)
            await wait_for_turn(world)
            pressure.take = lambda: pressure.limit_bytes
    assert [one.status for one in heard] == [529]


async def test_to_count_a_very_large_one_holds_up_no_other() -> None:
    heard: list[Heard] = []
    async with open_router(CONFIG, up=UP) as world, trio.open_nursery() as nursery:
        reading = world.worker.api.generation.router.reading
        async with reading:
            nursery.start_soon(ask_large, world, PATHS[1], heard)
            await wait_for_turn(world)
            assert (await world.ask(PATHS[1], body(10))).status == 200
        async with reading:  # whose turn comes when the request has been read
            await wait_for_turn(world)
            assert heard == []
    assert [one.json() for one in heard] == [{"input_tokens": estimate(body(LARGE_BYTES), "openai-chat")}]


async def ask_large(world: World, path: str, heard: list[Heard]) -> None:
    heard.append(await world.ask(path, body(LARGE_BYTES)))


async def wait_for_turn(world: World) -> None:
    reading = world.worker.api.generation.router.reading
    while not reading.statistics().tasks_waiting:
        await trio.lowlevel.checkpoint()
