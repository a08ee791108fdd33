"""The parent; how it lives with real workers is tested in tests/e2e/test_workers.py."""

import socket

import httpx
import pytest
import trio

from tests.world.crew import EPOCH, dies, on_stage, works
from ucr import listening
from ucr.config.model import Config, Server
from ucr.logs import OpenLog
from ucr.parent import Parent, demo_process
from ucr.reload import NotApplied
from ucr.store_spec import StoreAddress


@pytest.mark.slow
async def test_the_demo_runs_in_a_process_of_its_own_as_long_as_the_block() -> None:
    async with demo_process() as base_url, httpx.AsyncClient(trust_env=False, timeout=20) as client:
        assert (await client.get(f"{base_url}/models")).status_code == 200
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{base_url}/models")


async def test_the_former_port_is_closed_when_another_one_is_listened_on(autojump_clock: object) -> None:
    old, new = (Config(server=Server(port=port, workers=1)) for port in free_ports(2))
    sockets = listening.bind(old)
    async with on_stage(old, sockets=sockets) as (_, crew):
        await crew.resize(1)
        await Parent(crew, OpenLog(old, lambda: EPOCH), take_no_store).apply(new)
        assert listening.port_of(crew.sockets) == new.server.port
        assert [bound.fileno() for bound in sockets] == [-1]
        crew.sockets[0].close()


async def test_a_second_worker_comes_with_a_store_that_the_first_one_knows_too(autojump_clock: object) -> None:
    alone, both = (Config(server=Server(workers=count)) for count in (1, 2))
    address = StoreAddress("/a/socket", 2, b"secret")

    async def take_store(_workers: int, _config: Config) -> StoreAddress:
        return address

    async with on_stage(alone) as (stage, crew):
        parent = Parent(crew, OpenLog(alone, lambda: EPOCH), take_store)
        await parent.start()
        assert [process.store for process in stage.living] == [None]
        stage.script = dies
        with pytest.raises(NotApplied):
            await parent.apply(both)
        assert crew.store is None
        stage.script = works
        await parent.apply(both)
        await trio.sleep(5)
        assert [process.store for process in stage.living] == [address] * 2
        await parent.apply(alone)
        await trio.sleep(5)
        assert [process.store for process in stage.living] == [address]


async def take_no_store(_workers: int, _config: Config) -> StoreAddress:
    raise AssertionError("one worker needs no store")


def free_ports(count: int) -> list[int]:
    bound = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in bound]
    for one in bound:
        one.close()
    return ports
