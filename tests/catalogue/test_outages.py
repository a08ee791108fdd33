"""The failure catalogue, 24, 25 and 55 to 75: providers that fail for a while, breakers, retries and limits."""

from dataclasses import replace

import pytest
import trio

from actors import BreakerSpec
from tests.world.catalogue import PATHS, TIMES, Fine, Told, body_of, see, see_nothing_left, up
from tests.world.router import Heard, World, config_of, open_router
from ucr.config.model import Timeouts
from ucr.stress.failing import faults, healthy, named
from ucr.stress.network import Refuse

RESET_S = BreakerSpec().reset_s
FULL = Told(529, "overloaded_error")


async def ask(world: World, *, stream: bool = False) -> tuple[Heard, float]:
    """Ask once; return the answer and how long it took."""
    began = trio.current_time()
    heard = await world.ask(PATHS["anthropic"], body_of("anthropic", stream=stream))
    return heard, trio.current_time() - began


def calls(world: World, *names: str) -> int:
    return sum(len(world.upstreams[name].requests) for name in names)


async def outage(world: World, count: int, pause_s: float = 0.1) -> list[tuple[Heard, float]]:
    """Ask so many times, with pauses."""
    heard = []
    for _ in range(count):
        heard.append(await ask(world))
        await trio.sleep(pause_s)
    return heard


async def test_fault_24_flapping_is_hidden_by_a_second_provider(autojump_clock: object) -> None:
    flaps = named.flapping(faults.refuses(503), every=2)
    config = config_of(up("anthropic"), up("openai-chat", "second"))
    async with open_router(config, up=flaps, second=healthy.well) as world:
        heard = await outage(world, 200)
        assert all(answer.status == 200 for answer, _ in heard)
        assert calls(world, "up", "second") <= 1.6 * 200
        await see_nothing_left(world)


async def test_fault_25_a_square_wave_opens_the_breaker_soon_and_closes_it_after_one_probe(
    autojump_clock: object,
) -> None:
    wave = named.square_wave(faults.resets, down_s=5, up_s=60)
    async with open_router(config_of(up("anthropic")), up=wave) as world:
        heard = await outage(world, 450)
        opened = next(number for number, (answer, _) in enumerate(heard) if answer.status == 529)
        assert opened <= 5
        first_good = next(number for number, (answer, _) in enumerate(heard) if answer.status == 200)
        assert sum(took_s + 0.1 for _, took_s in heard[:first_good]) <= 5 + RESET_S + 2
        assert all(answer.status == 200 for answer, _ in heard[first_good : first_good + 100])


async def test_fault_55_an_outage_without_a_second_provider_costs_nothing_once_the_breaker_is_open(
    autojump_clock: object,
) -> None:
    async with open_router(config_of(up("anthropic")), up=faults.refuses(503)) as world:
        heard = await outage(world, 200)
        late = [(answer, took_s) for answer, took_s in heard if "x-ucr-attempts" not in answer.headers]
        assert len(late) >= 180
        assert all(answer.headers["retry-after"].isdecimal() for answer, _ in late)
        assert all(took_s <= 0.05 for _, took_s in late)
        for answer, _ in late:
            see(answer, FULL, "anthropic", stream=False)
        assert calls(world, "up") <= 0.1 * len(heard)
        await see_nothing_left(world)


@pytest.mark.parametrize("stream", [False, True])
async def test_fault_56_an_outage_with_a_second_provider_is_not_noticed(
    stream: bool, autojump_clock: object
) -> None:
    config = config_of(up("anthropic"), up("openai-chat", "second"))
    async with open_router(config, up=faults.is_silent, second=healthy.well) as world:
        took = []
        for _ in range(50):
            heard, took_s = await ask(world, stream=stream)
            see(heard, Fine(), "anthropic", stream=stream)
            took.append(took_s)
        assert all(took_s <= TIMES.first_byte_s for took_s in took[:5])
        assert sum(took_s > 0.05 for took_s in took) <= 5 + sum(took) / RESET_S
        await see_nothing_left(world)


async def test_fault_57_a_probe_whose_client_leaves_makes_room_for_another(autojump_clock: object) -> None:
    moody = named.Moody(faults.refuses(503))
    async with open_router(config_of(up("anthropic")), up=moody) as world:
        await outage(world, 10)
        await trio.sleep(RESET_S)
        moody.fault = faults.is_silent
        visitor = await world.connect()
        await visitor.send(PATHS["anthropic"], body_of("anthropic", stream=False))
        await trio.sleep(1)
        await visitor.stream.aclose()
        await trio.sleep(1)
        moody.fault = None
        heard, _ = await ask(world)
        see(heard, Fine(), "anthropic", stream=False)


async def test_fault_57_a_probe_that_hangs_counts_as_failed_in_time(autojump_clock: object) -> None:
    moody = named.Moody(faults.refuses(503))
    async with open_router(config_of(up("anthropic")), up=moody) as world:
        await outage(world, 10)
        await trio.sleep(RESET_S)
        moody.fault = faults.is_silent
        visitor = await world.connect()
        await visitor.send(PATHS["anthropic"], body_of("anthropic", stream=False))
        await trio.sleep(BreakerSpec().probe_s + 2 * RESET_S + 1)
        moody.fault = None
        heard, _ = await ask(world)
        see(heard, Fine(), "anthropic", stream=False)
        await visitor.stream.aclose()


async def test_fault_59_clients_that_leave_are_no_failures(autojump_clock: object) -> None:
    moody = named.Moody(faults.is_silent)
    async with open_router(config_of(up("anthropic")), up=moody) as world:
        for number in range(20):
            visitor = await world.connect()
            await visitor.send(PATHS["anthropic"], body_of("anthropic", stream=number % 2 == 0))
            await world.upstreams["up"].wait_requests(number + 1)
            await visitor.stream.aclose()
            await world.upstreams["up"].wait_aborted(number + 1)
        moody.fault = None
        heard, took_s = await ask(world)
        see(heard, Fine(), "anthropic", stream=False)
        assert took_s <= 0.05
        assert not world.worker.tree.children["up"].status.failures


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_fault_60_requests_that_are_refused_are_no_failures(status: int, autojump_clock: object) -> None:
    moody = named.Moody(faults.refuses(status, type_="invalid_request_error"))
    async with open_router(config_of(up("anthropic")), up=moody) as world:
        await outage(world, 20)
        assert calls(world, "up") == 20
        moody.fault = None
        heard, _ = await ask(world)
        see(heard, Fine(), "anthropic", stream=False)


async def test_fault_61_a_partial_outage_is_not_made_worse_by_retries(autojump_clock: object) -> None:
    flaps = named.flapping(faults.refuses(503), every=4)
    async with open_router(config_of(up("anthropic")), up=flaps) as world:
        heard = await outage(world, 200)
        assert calls(world, "up") <= 1.2 * 200 + 3
        assert max(int(answer.headers.get("x-ucr-attempts", "0")) for answer, _ in heard) <= 3


async def test_fault_62_no_attempt_outlives_the_deadline(autojump_clock: object) -> None:
    times = Timeouts(connect_s=5, first_byte_s=300, idle_s=240, total_s=12)
    providers = [replace(up("anthropic", name), timeouts=times) for name in ("up", "second", "third")]
    config = replace(config_of(*providers), timeouts=times)
    silent = faults.is_silent
    async with open_router(config, up=silent, second=silent, third=silent) as world:
        heard, took_s = await ask(world)
        see(heard, Told(504, "timeout_error"), "anthropic", stream=False)
        assert took_s <= 13
        assert calls(world, "up", "second", "third") <= 3
        await see_nothing_left(world)


async def test_fault_63_when_all_breakers_are_open_the_soonest_return_is_told(autojump_clock: object) -> None:
    config = config_of(up("anthropic"), up("openai-chat", "second"))
    refuses = faults.refuses(503)
    async with open_router(config, up=refuses, second=refuses) as world:
        await outage(world, 20)
        before = calls(world, "up", "second")
        heard, took_s = await ask(world)
        see(heard, FULL, "anthropic", stream=False)
        assert took_s <= 0.05
        assert 1 <= int(heard.headers["retry-after"]) <= 60
        assert calls(world, "up", "second") == before


async def test_fault_75_a_slow_provider_takes_nothing_from_another(autojump_clock: object) -> None:
    slow = replace(up("anthropic"), max_requests=4, max_pending=4, models=("slow",))
    quick = replace(up("anthropic", "quick"), models=("claude-x",))

    async def fill(world: World) -> None:
        body = {**body_of("anthropic", stream=False), "model": "up/slow"}
        await world.ask(PATHS["anthropic"], body)

    config = config_of(slow, quick)
    async with (
        open_router(config, up=faults.is_silent, quick=healthy.well) as world,
        trio.open_nursery() as nursery,
    ):
        for _ in range(20):
            nursery.start_soon(fill, world)
        await world.upstreams["up"].wait_requests(4)
        for _ in range(20):
            body = {**body_of("anthropic", stream=False), "model": "quick/claude-x"}
            began = trio.current_time()
            heard = await world.ask(PATHS["anthropic"], body)
            see(heard, Fine(), "anthropic", stream=False)
            assert trio.current_time() - began <= 0.05
        nursery.cancel_scope.cancel()


async def test_fault_1_refused_connections_open_the_breaker(autojump_clock: object) -> None:
    async with open_router(config_of(up("anthropic"))) as world:
        world.network.afflict("up.test", 80, Refuse())
        heard = await outage(world, 30)
        assert all(took_s <= 0.05 for _, took_s in heard[10:])
        assert world.network.attempts - len(heard) <= 10
