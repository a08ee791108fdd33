"""The failure catalogue where it is about memory: too little of it, and what does not go away."""

import gc
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import Lease, Reply
from tests.world import answers
from tests.world.catalogue import DIALECTS, PATHS, Dialect, Fine, body_of, see, up
from tests.world.router import EPOCH, Heard, World, config_of, open_router
from tests.world.web import FOUND, SEARCH, TOOLS, chat_call_stream, chat_calls
from ucr.attempt import Attempt
from ucr.badge import Badge
from ucr.call import Call
from ucr.config.model import Cache, Memory
from ucr.dialects.openai_chat.client_turns import Turns
from ucr.dialects.openai_responses.client_items import Items
from ucr.dialects.roles import HeaderList, Headers, Outgoing
from ucr.errors import ApiError
from ucr.flight import Flight
from ucr.lane.chunks import ChunkReader
from ucr.lane.exchange import LaneExchange
from ucr.lead import Lead
from ucr.logs import make_log
from ucr.patience import Patience
from ucr.quirks import Quirks
from ucr.record import Record
from ucr.rests import LARGE_BYTES
from ucr.stress.failing import faults, healthy, named
from ucr.stress.real import attackers

KINDS = (Attempt, Call, Flight, Items, LaneExchange, Lead, Lease, Outgoing, Patience, Record, Reply, Turns)


class Hungry:
    """An exchange whose body finds no memory."""

    method, path, query, peer = "POST", PATHS["anthropic"].partition("?")[0], "", "127.0.0.1"
    request_id = "req_hungry"
    fault: ApiError | None = None
    whole: bytes | None = None

    def __init__(self) -> None:
        self.badge = Badge()
        self.headers: Headers = {"host": "127.0.0.1", "content-type": "application/json"}
        self.is_started = self.is_finished = False
        self.sent_bytes = self.status = 0
        self.told: HeaderList = ()
        self.sent = b""

    async def body(self, limit_bytes: int) -> bytes:
        raise MemoryError

    async def start(self, status: int, headers: HeaderList) -> None:
        self.is_started, self.status, self.told = True, status, headers

    async def send(self, data: bytes) -> None:
        self.sent += data

    async def finish(self, last: bytes = b"") -> None:
        if last:
            await self.send(last)
        self.is_finished = True


def alive() -> Counter[str]:
    """Count the objects that belong to requests, and that something still uses."""
    gc.collect()
    return held()


def held() -> Counter[str]:
    """Count the objects that belong to requests."""
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, KINDS))


async def left_of(world: World) -> set[str]:
    """Return what is left of requests that have ended, when their upstreams have forgotten them."""
    for upstream in world.upstreams.values():
        upstream.requests.clear()
    await trio.sleep(1)
    return set(held()) - {"Reply"}


async def ask(world: World, *, stream: bool) -> None:
    heard = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=stream))
    see(heard, Fine(), "anthropic", stream=stream)


async def test_fault_90_a_request_without_memory_is_an_overload_and_the_next_one_is_served(
    autojump_clock: object,
) -> None:
    async with open_router(config_of(up("anthropic")), up=healthy.well) as world:
        hungry = Hungry()
        await world.worker.api.answer(hungry)
        assert (hungry.status, dict(hungry.told)["retry-after"], hungry.is_finished) == (529, "5", True)
        assert json.loads(hungry.sent)["error"]["type"] == "overloaded_error"
        assert [line["event"] for line in world.lines if line["level"] == "error"] == ["memory.exhausted"]
        await ask(world, stream=False)


async def test_fault_91_nothing_of_a_request_is_left_however_it_ended(autojump_clock: object) -> None:
    before = alive()
    config = config_of(up("anthropic"), up("openai-chat", "second"))
    unwell = (faults.refuses(503), faults.refuses(400), faults.resets_midway, faults.is_silent)
    async with open_router(config, up=(*unwell * 5, healthy.well), second=healthy.well) as world:
        for number in range(40):
            with trio.move_on_after(400 if number % 5 else 0.01):
                await world.ask(PATHS["anthropic"], body_of("anthropic", stream=bool(number % 2)))
        await trio.sleep(400)
        await wait_all_tasks_blocked()
        left = alive() - before
        assert set(left) <= {"Reply"}
        assert left["Reply"] <= 2 * len(world.worker.tree.supervisor.statistics())


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Let only the counts of references free what is no longer used, and look at nothing that was there before."""
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("fault", sorted(set(named.NAMED) - attackers.LARGE))
async def test_fault_91_a_request_is_freed_at_its_end_without_the_collector(
    fault: str, client: Dialect, stream: bool, autojump_clock: object
) -> None:
    """A body of 20 MB that waits for the collector is soon one of many."""
    provider: Dialect = "openai-chat" if client == "anthropic" else "anthropic"
    async with open_router(config_of(up(provider)), up=named.NAMED[fault]) as world:
        await world.ask(PATHS[client], body_of(client, stream=stream))
        left = await left_of(world)
    assert left == set()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("stay_s", [(400.0,), (400.0, 400.0), (0.5, 400.0), (400.0, 0.5), (0.5, 0.5)], ids=repr)
@pytest.mark.parametrize("fault", ["well", "slow", "silent", "status-500", "reset-midway"])
async def test_fault_91_requests_that_share_an_answer_are_freed_at_their_end_without_the_collector(
    fault: str, stay_s: tuple[float, ...], stream: bool, autojump_clock: object
) -> None:
    """Every request may be followed by another one like it where there is a cache."""
    config = config_of(up("openai-chat"), cache=Cache(enabled=True))

    async def stay(world: World, seconds: float) -> None:
        with trio.move_on_after(seconds):
            await world.ask(PATHS["anthropic"], body_of("anthropic", stream=stream))

    async with open_router(config, up=named.NAMED[fault]) as world:
        async with trio.open_nursery() as nursery:
            for seconds in stay_s:
                nursery.start_soon(stay, world, seconds)
                await trio.sleep(0.2)
        left = await left_of(world)
    assert left == set()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_fault_91_a_request_with_a_tool_that_the_router_runs_is_freed_without_the_collector(
    stream: bool, autojump_clock: object
) -> None:
    call = ("web_search", {"query": "cats"})
    calls = answers.streams(chat_call_stream(call)) if stream else answers.says(200, chat_calls(call))
    config = config_of(replace(up("openai-chat"), quirks=Quirks(server_tools=())), tools=TOOLS)
    engine = answers.says(200, FOUND)
    async with open_router(config, up=(calls, healthy.well), engine=engine) as world:
        body = body_of("anthropic", stream=stream) | {"tools": [SEARCH]}
        heard = await world.ask(PATHS["anthropic"], body)
        assert (heard.status, len(world.upstreams["engine"].requests)) == (200, 1)
        left = await left_of(world)
    assert left == set()


@pytest.mark.usefixtures("no_collector")
async def test_fault_91_a_call_that_fails_after_its_client_has_left_is_freed_without_the_collector(
    autojump_clock: object,
) -> None:
    config = config_of(up("openai-chat"), on_disconnect="drain", drain_s=30.0)
    async with open_router(config, up=answers.late(5.0, 500)) as world:
        with trio.move_on_after(2.0):
            await world.ask(PATHS["anthropic"], body_of("anthropic", stream=False))
        await world.wait_finished(1)
        left = await left_of(world)
    assert left == set()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    "make", [lambda: Turns([]), lambda: Items([]), ChunkReader], ids=["chat", "items", "chunks"]
)
def test_fault_91_a_reader_of_requests_is_freed_without_the_collector(make: Callable[[], object]) -> None:
    kind = type(make())
    assert [thing for thing in gc.get_objects() if isinstance(thing, kind)] == []


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("written", [b'{"model": "m", "messages": [{"role": "no one"', b"[" * 9])
async def test_fault_91_a_large_body_that_is_refused_is_freed_without_the_collector(
    written: bytes, autojump_clock: object
) -> None:
    async with open_router(config_of(up("anthropic")), up=healthy.well) as world:
        tracemalloc.start()
        heard = await world.ask(PATHS["anthropic"], b" " * LARGE_BYTES + written)
        await wait_all_tasks_blocked()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert heard.status == 400
    assert kept < LARGE_BYTES // 2


async def test_fault_90_a_long_answer_is_kept_once_for_a_client_that_does_not_read() -> None:
    """With a clock that goes by itself, over sockets: memory between the two would take all at once."""
    size = 8 * 1024 * 1024
    written = json.dumps(answers.anthropic_reply("a" * size)).encode()
    config = config_of(up("anthropic"))
    async with open_router(config, over_sockets=True, up=answers.says(200, written)) as world:
        visitor = await world.connect()
        tracemalloc.start()
        await visitor.send(PATHS["anthropic"], body_of("anthropic", stream=False))
        await visitor.stream.receive_some(1)
        await wait_all_tasks_blocked(0.01)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await visitor.stream.aclose()
        await world.wait_finished(1)
    assert size < kept < 1.5 * size


@pytest.mark.usefixtures("both_lanes")
@pytest.mark.parametrize("path", [*PATHS.values(), "/v1/messages/count_tokens"])
async def test_fault_90_a_worker_that_is_short_of_memory_begins_no_request_and_goes_on_with_those_it_has(
    path: str, autojump_clock: object
) -> None:
    async with open_router(config_of(up("anthropic")), up=faults.in_pieces(40, pause_s=0.05)) as world:
        pressure = world.worker.api.pressure
        heard: list[Heard] = []

        async def ask_early() -> None:
            heard.append(await world.ask(PATHS["anthropic"], body_of("anthropic", stream=True)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_early)
            await trio.sleep(0.1)
            pressure.look(int(0.91 * pressure.limit_bytes))
            refused = await world.ask(path, body_of("anthropic", stream=False))
            health = await world.ask("/health", method="GET")
        assert (refused.status, refused.headers["retry-after"], health.status) == (529, "1", 200)
        assert "short of memory" in refused.json()["error"]["message"]
        see(heard[0], Fine(), "anthropic", stream=True)
        pressure.look(0)
        await ask(world, stream=False)


async def test_fault_90_a_worker_that_gets_short_of_memory_gives_kept_answers_and_keeps_no_others(
    autojump_clock: object,
) -> None:
    config = config_of(up("anthropic"), cache=Cache(enabled=True))
    async with open_router(config, up=healthy.well) as world:
        await ask(world, stream=False)
        pressure, upstream = world.worker.api.pressure, world.upstreams["up"]
        pressure.look(int(0.85 * pressure.limit_bytes))
        other = {**body_of("anthropic", stream=False), "max_tokens": 77}
        found = [(await world.ask(PATHS["anthropic"], body)).headers["x-ucr-cache"] for body in (other, other)]
        assert found == ["miss", "miss"]
        kept = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=False))
        assert kept.headers["x-ucr-cache"] == "hit"
        assert len(upstream.requests) == 3


async def test_a_new_limit_holds_at_once(autojump_clock: object) -> None:
    config = config_of(up("anthropic"))
    async with open_router(config, up=healthy.well) as world:
        await world.worker.follow(replace(config, memory=Memory(worker_limit_bytes=12345678)))
        assert world.worker.api.pressure.limit_bytes == 12345678
        view = await world.worker.take_view()
        assert view.pressure == "calm"


async def test_fault_90_a_worker_that_is_short_of_memory_says_so_and_forgets_the_answers_that_it_keeps(
    autojump_clock: object,
) -> None:
    config = config_of(up("anthropic"), cache=Cache(enabled=True, scope="worker"))
    async with open_router(config, up=healthy.well) as world, trio.open_nursery() as nursery:
        await ask(world, stream=False)
        lines = list[dict[str, Any]]()
        log = make_log("info", (), (lambda line: lines.append(json.loads(line)),), lambda: EPOCH)
        world.worker.api.pressure.limit_bytes = 1_000_000
        nursery.start_soon(world.worker.watch_memory, log)
        await trio.sleep(1.5)
        view = await world.worker.take_view()
        assert (view.pressure, view.cache and view.cache["entries"]) == ("spent", 0)
        assert [(line["event"], line["pressure"]) for line in lines] == [("memory.pressed", "spent")]
        nursery.cancel_scope.cancel(reason="seen")
