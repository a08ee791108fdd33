"""The hands of a leader: what goes to its own client, what to others, and what happens when somebody is cancelled."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.world.router import config_of, provider
from tests.world.sweep import Scenario, cancellation_sweep
from ucr.call import Call, Router
from ucr.coalescing import enter, follow
from ucr.delivery import Delivery
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.roles import HeaderList
from ucr.errors import ApiError, ClientGone
from ucr.exchange import OnLeft
from ucr.flight import Flights, Seat
from ucr.lead import lagging
from ucr.patience import Patience
from ucr.record import Record

PARTS = (b"one ", b"two ", b"three")
ASK = b'{"model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'
STREAM = ASK[:-1] + b',"stream":true}'


class Client:
    """An exchange in memory. With `takes_s` it is slow to take a part; `leave` is what a server does then."""

    method, path, query, peer = "POST", "/v1/messages", "", "127.0.0.1"
    fault: ApiError | None = None

    def __init__(self, nursery: trio.Nursery, request_id: str, takes_s: float = 0.0) -> None:
        self.request_id = request_id
        self.headers: dict[str, str] = {}
        self.is_started = self.is_finished = self.is_gone = False
        self.sent_bytes = 0
        self.status = 0
        self.got = b""
        self.scope = trio.CancelScope()
        self._nursery = nursery
        self._takes_s = takes_s
        self._ask: OnLeft | None = None

    async def body(self, limit_bytes: int) -> bytes:
        return b""

    async def start(self, status: int, headers: HeaderList) -> None:
        assert not self.is_started
        await trio.lowlevel.checkpoint()
        self.is_started, self.status = True, status

    async def send(self, data: bytes) -> None:
        assert self.is_started
        await trio.sleep(self._takes_s)
        if self.is_gone:
            raise ClientGone("the client left")
        self.got += data

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        self._nursery.start_soon(act)

    def when_left(self, ask: OnLeft | None) -> None:
        self._ask = ask

    def leave(self) -> None:
        self.is_gone = True
        if self._ask is None or not self._ask(self.scope.cancel):
            self.scope.cancel()

    async def finish(self, last: bytes = b"") -> None:
        if last:
            await self.send(last)
        await trio.lowlevel.checkpoint()
        self.is_finished = True


class Scene:
    """Clients that share, and how often an answer was made for them."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.flights = Flights()
        config = config_of(provider("up", "anthropic"))
        self.router = Router(config, {}, {}, lambda: 0.0, flights=self.flights)
        self.nursery = nursery
        self.made = 0
        self.fails = False
        self.raises: ApiError | None = None

    def client(self, name: str, takes_s: float = 0.0) -> Client:
        return Client(self.nursery, name, takes_s)

    async def ask(self, exchange: Client, raw: bytes = STREAM) -> None:
        dialect = AnthropicClient()
        record = Record(exchange.request_id, "0", 0.0, lambda: 0.0)
        delivery = Delivery(exchange, dialect, record, self.router.timers)
        request = dialect.parse(raw, {})
        call = Call(self.router, dialect, request, record, delivery, Patience(1000.0))
        with exchange.scope:
            entered = enter(self.flights, exchange, call, ())
            if isinstance(entered, Seat):
                entered = await follow(entered, exchange, call, ())
            if entered is not None:
                try:
                    await self._make(call)
                finally:
                    entered.close()

    async def _make(self, call: Call) -> None:
        self.made += 1
        await trio.sleep(1)
        if self.raises is not None:
            raise self.raises
        if not call.request.stream:
            return await call.delivery.reply(b"".join(PARTS))
        for part in PARTS:
            await call.delivery.write(part)
            await trio.sleep(1)
        if self.fails:
            return await call.delivery.fail(ApiError("api_error", "broken"), None)
        return await call.delivery.end()


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    async with trio.open_nursery() as nursery:
        made = Scene(nursery)
        yield made
        await wait_all_tasks_blocked()
    assert (len(made.flights), made.flights.room.kept_bytes) == (0, 0)


def whole(client: Client) -> bool:
    return client.is_finished and client.got == b"".join(PARTS)


@pytest.mark.parametrize("raw", [ASK, STREAM])
async def test_one_alone_is_sent_its_parts_as_they_come(raw: bytes, autojump_clock: object) -> None:
    async with scene() as here:
        client = here.client("a")
        await here.ask(client, raw)
    assert (whole(client), here.made) == (True, 1)


async def test_a_leader_that_takes_its_stream_slowly_holds_up_nobody(autojump_clock: object) -> None:
    async with scene() as here:
        slow, quick = here.client("slow", 50.0), here.client("quick")
        here.nursery.start_soon(here.ask, slow)
        await trio.sleep(0.5)
        await here.ask(quick)
        assert trio.current_time() == pytest.approx(4.0)
        assert (whole(quick), slow.is_finished, slow.got) == (True, False, b"")
    assert (whole(slow), here.made) == (True, 1)


async def test_while_a_part_is_being_sent_nobody_joins(autojump_clock: object) -> None:
    async with scene() as here:
        slow, late = here.client("slow", 50.0), here.client("late")
        here.nursery.start_soon(here.ask, slow)
        await trio.sleep(1.5)
        await here.ask(late)
        assert (whole(late), here.made) == (True, 2)
    assert whole(slow)


async def test_a_leader_whose_client_left_ends_with_the_last_that_follows(autojump_clock: object) -> None:
    async with scene() as here:
        first, second = here.client("first"), here.client("second")
        here.nursery.start_soon(here.ask, first)
        await trio.sleep(0.5)
        here.nursery.start_soon(here.ask, second)
        await trio.sleep(1)
        first.leave()
        await wait_all_tasks_blocked()
        assert len(here.flights) == 1
        second.leave()
        await wait_all_tasks_blocked()
        assert len(here.flights) == 0
    assert (here.made, first.is_finished, second.is_finished) == (1, False, False)


async def test_a_client_that_leaves_while_it_is_sent_to_is_no_error(autojump_clock: object) -> None:
    async with scene() as here:
        first, second = here.client("first", 0.3), here.client("second")
        here.nursery.start_soon(here.ask, first)
        await trio.sleep(0.5)
        here.nursery.start_soon(here.ask, second)
        await trio.sleep(0.6)
        first.is_gone = True
    assert (whole(second), first.is_finished) == (True, False)


async def test_a_failure_within_the_stream_is_told_to_each_under_its_own_name(autojump_clock: object) -> None:
    async with scene() as here:
        here.fails = True
        clients = [here.client(name) for name in ("req_a", "req_b", "req_c")]
        for client in clients:
            here.nursery.start_soon(here.ask, client)
    for client in clients:
        assert client.got.startswith(b"".join(PARTS))
        assert (b"broken" in client.got, client.is_finished) == (True, True)
        assert client.request_id.encode() in client.got
        assert client.got.count(b"req_") == 1


@pytest.mark.parametrize("raw", [ASK, STREAM])
async def test_an_error_that_is_raised_is_left_to_the_edge_and_another_takes_over(
    raw: bytes, autojump_clock: object
) -> None:
    async with scene() as here:
        here.raises = ApiError("invalid_request_error", "unspeakable")
        clients = [here.client(name) for name in ("req_a", "req_b")]
        failed = []

        async def ask(client: Client) -> None:
            with pytest.raises(ApiError, match="unspeakable"):
                await here.ask(client, raw)
            failed.append(client)

        for client in clients:
            here.nursery.start_soon(ask, client)
    assert (set(failed), here.made) == (set(clients), 2)
    assert not any(client.is_started for client in clients)


async def test_an_error_of_one_alone_is_left_to_the_edge(autojump_clock: object) -> None:
    async with scene() as here:
        here.raises = ApiError("invalid_request_error", "unspeakable")
        client = here.client("a")
        with pytest.raises(ApiError, match="unspeakable"):
            await here.ask(client)
    assert not client.is_started


def test_who_lags_is_told_what_to_do() -> None:
    assert "no-store" in lagging().message


@pytest.mark.slow
@pytest.mark.parametrize("raw", [ASK, STREAM])
@pytest.mark.parametrize("who", ["leader", "follower", "both followers"])
def test_whoever_is_cancelled_at_any_step_the_others_get_an_honest_end(who: str, raw: bytes) -> None:
    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        async with scene() as here:
            clients = [here.client(name) for name in ("req_a", "req_b", "req_c")]
            swept = {"leader": clients[:1], "follower": clients[1:2], "both followers": clients[1:]}[who]

            async def act() -> None:
                async with trio.open_nursery() as nursery:
                    for number, client in enumerate(clients):
                        start = nursery.start_soon if client in swept else here.nursery.start_soon
                        start(late, number, client)

            async def late(number: int, client: Client) -> None:
                await trio.sleep(number / 10)
                await here.ask(client, raw)

            async def check() -> None:
                await trio.sleep(20)
                for client in clients:
                    if client not in swept:
                        assert client.is_finished
                        assert whole(client) or b"event: error" in client.got
                assert (len(here.flights), here.flights.room.kept_bytes) == (0, 0)
                after = here.client("req_d")
                await here.ask(after, raw)
                assert whole(after)

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 4


@pytest.mark.parametrize("raw", [ASK, STREAM])
async def test_the_clients_may_leave_in_any_order_and_at_any_time(raw: bytes, autojump_clock: object) -> None:
    times = (0.05, 0.95, 1.5, 2.5)
    for first_s in times:
        for second_s in times:
            async with scene() as here:
                clients = [here.client(name) for name in ("req_a", "req_b", "req_c")]
                for client in clients:
                    here.nursery.start_soon(here.ask, client, raw)
                began_s = trio.current_time()
                for at_s, client in sorted([(first_s, clients[0]), (second_s, clients[1])], key=lambda x: x[0]):
                    await trio.sleep(began_s + at_s - trio.current_time())
                    client.leave()
            assert (whole(clients[2]), here.made) == (True, 1)
