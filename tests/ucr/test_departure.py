"""What a provider's answer is still good for when its client has left."""

import json
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider

MESSAGES = "/v1/messages"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": TURN}
STREAM: dict[str, Any] = {**ASK, "stream": True}


def in_halves(pause_s: float) -> Any:
    async def handler(request: Any, answer: Any) -> None:
        data = json.dumps(answers.chat_reply()).encode()
        await answer.head(200, (*answers.JSON, ("content-length", str(len(data)))))
        await answer.send(data[:20])
        await trio.sleep(pause_s)
        await answer.send(data[20:])

    return handler


async def leave(world: World, body: dict[str, Any], after_s: float) -> dict[str, Any]:
    """Ask, go after a while, and return what the log says of it when the router is done with it."""
    visitor = await world.connect()
    await visitor.send(MESSAGES, body)
    await trio.sleep(after_s)
    await visitor.stream.aclose()
    await world.worker.api.wait_idle()
    return world.finished[0]


async def test_an_answer_whose_head_has_not_come_is_waited_for(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"), on_disconnect="drain", drain_s=30.0)
    async with open_router(config, up=answers.late(5.0)) as world:
        line = await leave(world, ASK, 2.0)
        assert world.upstreams["up"].aborted == []
    assert (line["status"], line["error_type"], line["total_ms"]) == (499, "client_gone", 5000.0)
    assert (line["provider"], line["input_tokens"], line["output_tokens"]) == ("up", 11, 7)
    assert line["usage_estimated"] is False


async def test_an_answer_whose_head_has_come_is_read_to_its_end(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"), on_disconnect="drain", drain_s=30.0)
    async with open_router(config, up=in_halves(4.0)) as world:
        line = await leave(world, ASK, 2.0)
    assert (line["total_ms"], line["output_tokens"], line["usage_estimated"]) == (4000.0, 7, False)


@pytest.mark.parametrize("body", [ASK, STREAM])
async def test_what_takes_too_long_is_given_up_and_estimated(
    body: dict[str, Any], autojump_clock: object
) -> None:
    config = config_of(provider("up", "openai-chat"), on_disconnect="drain", drain_s=3.0)
    async with open_router(config, up=answers.late(60.0)) as world:
        line = await leave(world, body, 2.0)
        await world.upstreams["up"].wait_aborted(1)
    assert (line["provider"], line["total_ms"], line["usage_estimated"]) == ("up", 5000.0, True)
    assert line["input_tokens"] > 0


async def test_nobody_is_asked_after_the_client_has_left(autojump_clock: object) -> None:
    names = ("first", "second")
    config = config_of(*(provider(n, "openai-chat") for n in names), on_disconnect="drain", drain_s=30.0)
    async with open_router(config, first=answers.late(5.0, 500), second=answers.late(0.0)) as world:
        line = await leave(world, ASK, 2.0)
        assert len(world.upstreams["second"].requests) == 0
    assert (line["attempts"], line["status"], line["error_type"]) == (1, 499, "client_gone")


async def test_who_still_waits_for_a_place_gives_it_up_at_once(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat", max_requests=1), on_disconnect="drain", drain_s=30.0)
    async with open_router(config, up=answers.late(8.0)) as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.ask, MESSAGES, ASK)
        await world.upstreams["up"].wait_requests(1)
        line = await leave(world, ASK, 2.0)
    assert (line["attempts"], line["total_ms"]) == (0, 2000.0)


async def test_a_hedge_that_lost_is_cancelled_and_not_read_on(autojump_clock: object) -> None:
    names = ("first", "second")
    config = config_of(
        *(provider(n, "openai-chat") for n in names),
        hedge_after_s={"*": 1.0},
        on_disconnect="drain",
        drain_s=30.0,
    )
    async with open_router(config, first=answers.late(60.0), second=answers.late(1.0)) as world:
        began_s = trio.current_time()
        heard = await world.ask(MESSAGES, ASK)
        assert trio.current_time() - began_s == pytest.approx(2.0)
        with trio.fail_after(0.1):
            await world.upstreams["first"].wait_aborted(1)
    assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "second")


async def test_the_end_of_the_router_ends_what_nobody_waits_for(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"), on_disconnect="drain", drain_s=600.0)
    async with open_router(config, up=answers.late(300.0)) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, ASK)
        await world.upstreams["up"].wait_requests(1)
        await visitor.stream.aclose()
        world.stop.set()
        with trio.fail_after(40):
            await world.upstreams["up"].wait_aborted(1)


async def test_without_it_the_call_ends_with_its_client(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.late(5.0)) as world:
        line = await leave(world, ASK, 2.0)
        await world.upstreams["up"].wait_aborted(1)
    assert (line["provider"], line["model_used"], line["tier"]) == ("up", "up-model", "optimal")
    assert (line["total_ms"], line["usage_estimated"], line["output_tokens"]) == (2000.0, True, None)
    assert line["input_tokens"] > 0
