import time
from types import MappingProxyType

import trio
from trio.testing import wait_all_tasks_blocked

from ucr.call import Router
from ucr.config.model import Config
from ucr.generation import Generation


def generation() -> Generation:
    return Generation(Router(Config(), MappingProxyType({}), {}, time.time), 3)


async def test_a_generation_without_requests_is_left_already() -> None:
    await generation().wait_left()


async def test_a_generation_is_left_when_its_last_request_ends() -> None:
    present = generation()
    left = trio.Event()

    async def watch() -> None:
        await present.wait_left()
        left.set()

    async with trio.open_nursery() as nursery:
        present.enter()
        present.enter()
        nursery.start_soon(watch)
        await wait_all_tasks_blocked()
        assert repr(present) == "<Generation 3: 2 requests>"
        present.leave()
        await wait_all_tasks_blocked()
        assert not left.is_set()
        present.leave()
        await wait_all_tasks_blocked()
        assert left.is_set()
        assert present.visits == 0
