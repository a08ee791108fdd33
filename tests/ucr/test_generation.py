import time
from types import MappingProxyType

import trio
from trio.testing import wait_all_tasks_blocked

from ucr.call import Router
from ucr.config.model import Config
from ucr.generation import Generation
from ucr.patience import Patience


def generation() -> Generation:
    return Generation(Router(Config(), MappingProxyType({}), {}, time.time), 3)


async def test_a_generation_without_requests_is_left_already() -> None:
    await generation().wait_left()


async def test_a_generation_is_left_when_its_last_request_ends() -> None:
    present, first, second = generation(), Patience(1.0), Patience(1.0)
    left = trio.Event()

    async def watch() -> None:
        await present.wait_left()
        left.set()

    async with trio.open_nursery() as nursery:
        present.open |= {first: None, second: None}
        nursery.start_soon(watch)
        await wait_all_tasks_blocked()
        assert repr(present) == "<Generation 3: 2 requests>"
        assert present.is_awaited
        del present.open[first]
        present.look()
        await wait_all_tasks_blocked()
        assert not left.is_set()
        del present.open[second]
        present.look()
        await wait_all_tasks_blocked()
        assert left.is_set()
        assert not present.is_awaited
