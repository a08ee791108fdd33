from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trio

from actors import Mailbox, Measured, Ref, open_supervisor
from actors.metrics import MetricsMessage
from tests.world import answers
from tests.world.custom import CustomStage, answering, custom_stage, failing
from tests.world.router import World, config_of, open_router, provider
from ucr.custom import NAME
from ucr.custom_seat import CustomSeat
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.logs import make_log
from ucr.messages import Rejected

FACTS = Facts(Request("anthropic", b"{}", {}, "m", False, {}))
A, B = provider("a", "anthropic"), provider("b", "anthropic")
WITHOUT = config_of(A, B)
WITH = config_of(A, B, custom="one.py")
ASK = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
SAYS = answers.says(200, answers.anthropic_reply())


@asynccontextmanager
async def world_of(config: object, stage: CustomStage) -> AsyncIterator[World]:
    async with open_router(config, start_custom=stage.start, a=SAYS, b=SAYS) as world:  # type: ignore[arg-type]
        yield world


async def route(world: World) -> str:
    return (await world.ask("/v1/messages", ASK)).headers["x-ucr-route"]


def children(world: World) -> list[str]:
    names = (child.name for child in world.worker.tree.supervisor.statistics())
    return [name for name in names if name.startswith(NAME)]


async def test_a_worker_without_a_custom_router_starts_none(autojump_clock: object) -> None:
    async with custom_stage(answering(lambda request: "b")) as stage, world_of(WITHOUT, stage) as world:
        assert await route(world) == "default"
        assert stage.processes == []
        assert children(world) == []


async def test_a_custom_router_comes_and_goes_with_the_configuration(autojump_clock: object) -> None:
    async with custom_stage(answering(lambda request: "b")) as stage, world_of(WITHOUT, stage) as world:
        await world.worker.follow(WITH)
        assert await route(world) == "custom"
        assert children(world) == [NAME]
        await world.worker.follow(WITHOUT)
        assert await route(world) == "default"
        await trio.sleep(1)
        assert stage.living == []
        assert children(world) == []


async def test_one_that_the_change_does_not_concern_goes_on(autojump_clock: object) -> None:
    async with custom_stage(answering(lambda request: "b")) as stage, world_of(WITH, stage) as world:
        await world.worker.follow(replace(WITH, models={"x": WITH.router.default}))
        await trio.sleep(1)
        assert await route(world) == "custom"
        assert len(stage.processes) == 1


async def test_another_file_is_loaded_before_the_former_one_ends(autojump_clock: object) -> None:
    async with custom_stage(answering(lambda request: "b")) as stage, world_of(WITH, stage) as world:
        await world.worker.follow(config_of(A, B, custom="two.py", custom_memory_bytes=1 << 28))
        await trio.sleep(1)
        assert stage.starts[1] == ("two.py", 1 << 28)
        assert [process.pid for process in stage.living] == [101]
        assert children(world) == [f"{NAME}@2"]
        assert await route(world) == "custom"


async def test_a_file_that_cannot_be_loaded_is_rejected_and_changes_nothing(autojump_clock: object) -> None:
    async with custom_stage(answering(lambda request: "b")) as stage, world_of(WITH, stage) as world:
        stage.behave = failing
        with pytest.raises(Rejected, match=r"router\.custom = 'two.py'.*SyntaxError: no"):
            await world.worker.follow(config_of(A, B, custom="two.py"))
        assert await route(world) == "custom"
        assert children(world) == [NAME]
        assert world.worker.config == WITH


async def test_at_the_start_one_that_cannot_be_loaded_holds_nothing_up(autojump_clock: object) -> None:
    async with custom_stage(failing) as stage, world_of(WITH, stage) as world:
        assert await route(world) == "default"
        stage.behave = answering(lambda request: "b")
        await trio.sleep(2)
        assert await route(world) == "custom"


async def test_questions_are_counted_by_their_outcome(autojump_clock: object) -> None:
    results = iter(["b", None, "nobody"])
    async with custom_stage(answering(lambda request: next(results))) as stage, world_of(WITH, stage) as world:
        routes = [await route(world) for _ in range(3)]
        page = (await world.ask("/metrics", method="GET")).body.decode().splitlines()
    assert routes == ["custom", "default", "default"]
    for outcome in ("chosen", "none", "invalid"):
        assert f'ucr_custom_router_total{{outcome="{outcome}"}} 1' in page


async def test_an_outcome_has_one_tally_however_often_it_comes(autojump_clock: object) -> None:
    """The totals know a tally by itself, and so many of them alone: those of requests are not to make room."""
    metrics: Mailbox[MetricsMessage] = Mailbox("metrics", capacity=0)
    log = make_log("info", (), (), lambda: datetime.now(UTC))
    async with custom_stage(answering(lambda request: "b")) as stage, open_supervisor() as supervisor:
        router = await CustomSeat(supervisor, Ref(metrics), log, stage.start).first(WITH)
        assert router is not None
        for _ in range(2):
            await router.advice(FACTS, WITH)
        first, second = [(await metrics.take())[0] for _ in range(2)]
    assert isinstance(first, Measured)
    assert isinstance(second, Measured)
    assert first.tally is second.tally
