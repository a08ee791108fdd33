from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import (
    Board,
    BreakerOpen,
    BreakerSpec,
    CoolingDown,
    Failure,
    Lease,
    Origin,
    ProviderSpec,
    Timers,
    open_supervisor,
)
from actors import Provider as ProviderChild
from tests.world.sweep import Scenario, cancellation_sweep
from ucr import upstream
from ucr.address import Address
from ucr.config.model import Provider, Timeouts
from ucr.dialects.roles import Context, Outgoing
from ucr.errors import ErrorType, Fault, UpstreamError
from ucr.patience import Patience
from ucr.quirks import Quirks
from ucr.secret import Secret
from ucr.stress.network import Hang, MemoryNetwork, Refuse, Reset
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

PROVIDER = Provider(
    "p",
    "openai-chat",
    "http://up.test:8000/v1/",
    api_keys=(Secret("k-1"), Secret("k-2")),
    headers={"X-Team": "blue"},
    max_requests=1,
    max_pending=1,
    timeouts=Timeouts(connect_s=5, first_byte_s=30, idle_s=20),
)
CONTEXT = Context("p", "asked", "used", False, Quirks())
OUTGOING = Outgoing("/chat/completions", (("content-type", "application/json"),), b"{}", CONTEXT)


async def hello(request: SeenRequest, answer: Answer) -> None:
    await answer.reply(200, b"hello", (("x-a", "1"), ("x-a", "2"), ("request-id", "r")))


async def silence(request: SeenRequest, answer: Answer) -> None:
    await trio.sleep_forever()


async def half(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200)
    await answer.send(b"one")
    await trio.sleep_forever()


async def cut(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200, (("content-length", "10"),))
    await answer.raw(b"one")
    await answer.close()


async def nonsense(request: SeenRequest, answer: Answer) -> None:
    await answer.raw(b"SSH-2.0-OpenSSH\r\n\r\n")
    await answer.close()


class World:
    """One provider's child on a network in memory, before a scripted upstream."""

    def __init__(self, provider: Provider, *handlers: Handler) -> None:
        self.provider = provider
        self.network = MemoryNetwork()
        self.server = Upstream(*(handlers or (hello,)))
        self.listener = self.network.listener("up.test", 8000)
        self.timers = Timers()
        self.child: ProviderChild

    @asynccontextmanager
    async def run(self) -> AsyncIterator["World"]:
        board: Board = {}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.timers.run)
            nursery.start_soon(trio.serve_listeners, self.server.serve, [self.listener])
            async with open_supervisor(grace_s=1.0) as supervisor:
                child = ProviderChild(upstream.spec_of(self.provider), self.network, board)
                self.child = await supervisor.start(child)
                yield self
            nursery.cancel_scope.cancel(reason="the test has ended")

    async def open(self, held: Lease, patience: Patience | None = None) -> upstream.Answer:
        """Send a request; the answer is to be used in a `with` at once."""
        patience = patience or Patience(100)
        return await upstream.opened(self.child, Address(self.provider), OUTGOING, held, patience, self.timers)

    async def ask(self, patience: Patience | None = None) -> bytes:
        with await self.open(lease(), patience) as answer:
            return await answer.read()


def lease(key: int = 0) -> Lease:
    return Lease(1, "r", 1, lambda _: None, key=key)


@contextmanager
def refused() -> Iterator[list[UpstreamError]]:
    """Collect the `UpstreamError` that the block must raise."""
    caught: list[UpstreamError] = []
    with suppress(UpstreamError):
        try:
            yield caught
        except UpstreamError as error:
            caught.append(error)
            raise
    assert caught, "nothing was raised"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:9101/v1", Origin("http", "127.0.0.1", 9101)),
        ("http://plain.test", Origin("http", "plain.test", 80)),
        ("https://api.test/v1", Origin("https", "api.test", 443)),
        ("https://[::1]:8443/", Origin("https", "::1", 8443)),
    ],
)
def test_the_origin_is_read_from_the_base_url(url: str, origin: Origin) -> None:
    assert upstream.origin_of(url) == origin


def test_the_actors_learn_where_a_provider_is_and_its_limits() -> None:
    provider = replace(PROVIDER, wait_s=3, adaptive_limit=True, breaker=BreakerSpec(reset_s=7))
    origin = Origin("http", "up.test", 8000)
    breaker = BreakerSpec(reset_s=7)
    assert upstream.spec_of(provider) == ProviderSpec(
        "p", origin, 1, 1, 3, keys=2, breaker=breaker, adaptive=True
    )
    assert upstream.spec_of(replace(PROVIDER, api_keys=())).keys == 1


async def test_a_request_arrives_with_the_configured_headers_and_the_key(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        assert await world.ask() == b"hello"
    (seen,) = world.server.requests
    assert (seen.method, seen.path, seen.body) == ("POST", "/v1/chat/completions", b"{}")
    assert seen.header("content-type") == "application/json"
    assert seen.header("x-team") == "blue"
    assert seen.header("authorization") == "Bearer k-1"


async def test_a_configured_header_wins_over_the_dialects_and_the_key_over_both(
    autojump_clock: MockClock,
) -> None:
    headers = {"Content-Type": "application/special", "Authorization": "Bearer other"}
    async with World(replace(PROVIDER, headers=headers)).run() as world:
        await world.ask()
    (seen,) = world.server.requests
    names = [name for name, _ in seen.headers]
    assert names.count("content-type") == names.count("authorization") == 1
    assert seen.header("content-type") == "application/special"
    assert seen.header("authorization") == "Bearer k-1"


async def test_repeated_headers_of_an_answer_are_joined(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        with await world.open(lease()) as answer:
            assert answer.headers == {"x-a": "1, 2", "request-id": "r", "content-length": "5"}


async def test_a_refused_connection_is_an_overload(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        world.network.script("up.test", 8000, Refuse())
        with refused() as errors:
            await world.ask()
    assert (errors[0].fault, errors[0].type) == ("connect", "overloaded_error")
    assert errors[0].message.startswith("provider 'p': http://up.test:8000 cannot be connected to")


async def test_a_connection_that_is_never_made_is_given_up_after_its_own_limit(
    autojump_clock: MockClock,
) -> None:
    async with World(PROVIDER).run() as world:
        world.network.script("up.test", 8000, Hang())
        began = trio.current_time()
        with refused() as errors:
            await world.ask()
        assert trio.current_time() - began == 5
    assert (errors[0].fault, errors[0].status) == ("timeout", 504)


async def test_a_provider_that_says_nothing_times_out(autojump_clock: MockClock) -> None:
    async with World(PROVIDER, silence).run() as world:
        patience = Patience(100)
        with refused() as errors:
            await world.ask(patience)
    assert (errors[0].fault, errors[0].type, errors[0].status) == ("timeout", "timeout_error", 504)
    assert patience.waited_s() == 30


async def test_the_deadline_of_the_whole_request_counts_while_its_head_is_awaited(
    autojump_clock: MockClock,
) -> None:
    async with World(PROVIDER, silence).run() as world:
        with refused() as errors:
            await world.ask(Patience(7))
        assert errors[0].message == "the answer took longer than 7 s"
        await world.server.wait_aborted(1)


async def test_a_body_that_stops_times_out_inside_the_block(autojump_clock: MockClock) -> None:
    async with World(PROVIDER, half).run() as world:
        with refused() as errors:
            await world.ask()
    assert (errors[0].fault, errors[0].message) == ("timeout", "provider 'p': no byte for 20 s")


@pytest.mark.parametrize(("handler", "fault"), [(cut, "reset"), (nonsense, "protocol")])
async def test_an_answer_that_is_cut_off_or_is_no_http_is_an_api_error(
    autojump_clock: MockClock, handler: Handler, fault: Fault
) -> None:
    async with World(PROVIDER, handler).run() as world:
        with refused() as errors:
            await world.ask()
    assert (errors[0].fault, errors[0].status) == (fault, 500)


async def test_a_reset_before_the_head_is_one(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        world.network.script("up.test", 8000, Reset(after_bytes=5))
        with refused() as errors:
            await world.ask()
    assert (errors[0].fault, errors[0].status) == ("reset", 500)


@pytest.mark.parametrize("after_s", [pytest.param(3, id="edge-67")])
async def test_a_client_that_leaves_ends_the_call_at_once(autojump_clock: MockClock, after_s: int) -> None:
    async with World(PROVIDER, half).run() as world:
        with trio.move_on_after(after_s):
            await world.ask()
        with trio.fail_after(0.1):
            await world.server.wait_aborted(1)
        assert world.child.pool.statistics().open == 0


async def test_leaving_before_the_end_closes_the_connection_and_reading_it_whole_keeps_it(
    autojump_clock: MockClock,
) -> None:
    async with World(PROVIDER).run() as world:
        with await world.open(lease()):
            pass
        assert world.child.pool.statistics().idle == 0
        await world.ask()
        assert world.child.pool.statistics().idle == 1


async def test_an_error_of_the_caller_passes_unchanged(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        with pytest.raises(KeyError), await world.open(lease()):
            raise KeyError("mine")


async def test_a_permit_is_waited_for_and_given(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        patience = Patience(100)
        first = await upstream.admitted(world.child, PROVIDER, "m", "r1", patience)

        async def release() -> None:
            await trio.sleep(4)
            with first:
                pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(release)
            with await upstream.admitted(world.child, PROVIDER, "m", "r2", patience) as lease:
                assert lease.request_id == "r2"
        assert patience.waited_s() == 4


@pytest.mark.slow
def test_no_step_at_which_a_call_is_cancelled_loses_a_permit_or_a_connection() -> None:
    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        async with World(PROVIDER).run() as world:

            async def act() -> None:
                for _ in range(2):
                    patience = Patience(100)
                    with await upstream.admitted(world.child, PROVIDER, "m", "swept", patience):
                        assert await world.ask(patience) == b"hello"

            async def check() -> None:
                await wait_all_tasks_blocked()
                pool = world.child.pool.statistics()
                assert (world.child.status.in_flight, world.child.status.waiting) == (0, 0)
                assert pool.open == pool.idle
                await act()

            yield Scenario(act, check)

    assert cancellation_sweep(scenario) >= 6


async def test_a_provider_without_room_is_an_overload_at_once(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        with await upstream.admitted(world.child, PROVIDER, "m", "r1", Patience(100)):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(upstream.admitted, world.child, PROVIDER, "m", "r2", Patience(100))
                await wait_all_tasks_blocked()
                began = trio.current_time()
                with refused() as errors:
                    await upstream.admitted(world.child, PROVIDER, "m", "r3", Patience(100))
                assert trio.current_time() == began
                nursery.cancel_scope.cancel(reason="seen")
    assert (errors[0].fault, errors[0].status, errors[0].retry_after_s) == ("overload", 529, 2)
    assert errors[0].message == "provider 'p' has 1 requests running and no room for more"


async def test_a_provider_that_drains_or_has_stopped_is_an_overload(autojump_clock: MockClock) -> None:
    async with World(PROVIDER).run() as world:
        await world.child.drain()
        with refused() as draining:
            await upstream.admitted(world.child, PROVIDER, "m", "r1", Patience(100))
        assert draining[0].message == "provider 'p' is shutting down"
    with refused() as stopped:
        await upstream.admitted(world.child, PROVIDER, "m", "r2", Patience(100))
    assert stopped[0].message.startswith("provider 'p' is not available: ")
    assert [(error.fault, error.status) for error in draining + stopped] == [("overload", 529)] * 2


@pytest.mark.parametrize("fault", ["request", "overflow", "model"])
def test_a_fault_of_the_request_is_not_counted_against_its_provider(fault: Fault) -> None:
    assert upstream.outcome_of(UpstreamError("invalid_request_error", "w", fault=fault)) is None


@pytest.mark.parametrize("fault", ["connect", "rate_limit", "auth", "midstream"])
def test_other_faults_are_counted_by_their_kind(fault: Fault) -> None:
    error = UpstreamError("api_error", "w", fault=fault, retry_after_s=9)
    outcome = upstream.outcome_of(error)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.retry_after_s) == (fault, 9)


@pytest.mark.parametrize(
    ("refusal", "type_", "fault", "retry_after_s", "words"),
    [
        (
            BreakerOpen("w", 7.2),
            "overloaded_error",
            "overload",
            8,
            "failed too often with m; it is asked again in 8 s",
        ),
        (CoolingDown("w", -1, "rate_limit"), "rate_limit_error", "rate_limit", 1, "is at its rate limit"),
        (CoolingDown("w", 60, "quota"), "billing_error", "quota", 60, "has no credit left for its key"),
        (CoolingDown("w", 900, "auth"), "permission_error", "auth", 60, "refuses its key"),
    ],
)
async def test_a_refusal_says_why_and_for_how_long(
    refusal: BreakerOpen | CoolingDown,
    type_: ErrorType,
    fault: Fault,
    retry_after_s: int,
    words: str,
    mock_clock: MockClock,
) -> None:
    error = upstream.refused(PROVIDER, "m", refusal)
    assert (error.type, error.fault, error.retry_after_s) == (type_, fault, retry_after_s)
    assert words in error.message


async def test_each_call_uses_the_key_of_its_lease(autojump_clock: MockClock) -> None:
    async with World(replace(PROVIDER, max_requests=2)).run() as world:
        for key in (1, 0):
            with await world.open(lease(key)):
                pass
    assert [seen.header("authorization") for seen in world.server.requests] == ["Bearer k-2", "Bearer k-1"]


async def test_the_time_to_the_head_of_a_good_answer_is_told_to_the_lease(autojump_clock: MockClock) -> None:
    async def slow(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(3)
        await hello(request, answer)

    async def busy(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(503)

    async with World(PROVIDER, slow, busy).run() as world:
        leases = [lease(), lease()]
        for one in leases:
            with await world.open(one):
                pass
    assert [one.ttfb_s for one in leases] == [3, None]


def test_no_secret_of_a_provider_stays_in_its_words_or_in_its_id() -> None:
    secrets = ("key-of-the-provider", "token-of-the-provider")
    one = replace(PROVIDER, api_keys=(Secret(secrets[0]),), headers={"X-Token": secrets[1], "X-Team": "blue"})
    said = f"{secrets[0]} or {secrets[1]} of blue"
    error = UpstreamError("api_error", said, fault="server", body=said.encode())
    upstream.mask_own_keys(error, one)
    for text in (error.message, str(error.body)):
        assert not any(secret in text for secret in secrets)
        assert "blue" in text
    assert upstream.request_id_of({"request-id": "id-7"}, one) == "id-7"
    assert upstream.request_id_of({"request-id": f"id-{secrets[0]}"}, one) is None
    assert upstream.request_id_of({}, one) is None
