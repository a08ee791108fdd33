"""The failure catalogue where it is about size, framing and what is passed on: bounds, bytes and headers."""

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trio
from trio.testing import lockstep_stream_pair

from tests.world.catalogue import (
    DIALECTS,
    PATHS,
    Case,
    Cut,
    Dialect,
    Fine,
    Told,
    body_of,
    see,
    see_alone,
    see_helped,
    see_nothing_left,
    up,
)
from tests.world.router import World, config_of, open_router
from ucr.stress.failing import faults, healthy
from ucr.stress.upstream import Answer, SeenRequest, Upstream

MIB = 1024 * 1024
BROKEN = Told(500, "api_error")


@contextmanager
def at_most(mib: float) -> Iterator[None]:
    """Assert that the block never holds more memory than this above what there was."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mib * MIB
    finally:
        tracemalloc.stop()


async def ask(world: World, client: Dialect, *, stream: bool) -> object:
    return await world.ask(PATHS[client], body_of(client, stream=stream))


async def test_fault_7_a_connection_that_ended_while_idle_is_replaced_in_silence(
    autojump_clock: object,
) -> None:
    calls: list[SeenRequest] = []

    async def closes_when_reused(request: SeenRequest, answer: Answer) -> None:
        calls.append(request)
        if len(calls) == 2:
            return await answer.close()
        return await healthy.well(request, answer)

    async with open_router(config_of(up("anthropic")), up=closes_when_reused) as world:
        for _ in range(2):
            began = trio.current_time()
            heard = await world.ask("/v1/messages", body_of("anthropic", stream=False))
            see(heard, Fine(), "anthropic", stream=False)
            assert heard.headers["x-ucr-attempts"] == "1"
            assert trio.current_time() - began <= 0.01
        child = world.worker.tree.children["up"]
        assert [call.connection for call in calls] == [1, 1, 2]
        assert child.pool.statistics().stale == 1
        assert not child.status.failures
        await see_nothing_left(world)


async def test_fault_9_a_date_to_wait_for_becomes_seconds(autojump_clock: object) -> None:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    dates = (
        ("date", format_datetime(now, usegmt=True)),
        ("retry-after", format_datetime(now + timedelta(seconds=30), usegmt=True)),
    )
    handler = faults.refuses(429, dates, type_="rate_limit_error")
    async with open_router(config_of(up("anthropic")), up=handler) as world:
        heard = await world.ask("/v1/messages", body_of("anthropic", stream=False))
    see(heard, Told(429, "rate_limit_error", retry_after="30"), "anthropic", stream=False)


@pytest.mark.parametrize("stream", [False, True])
async def test_fault_17_nobody_goes_where_a_redirect_points(stream: bool, autojump_clock: object) -> None:
    async with open_router(
        config_of(up("anthropic")), up=faults.redirects(307), elsewhere=healthy.well
    ) as world:
        heard = await world.ask("/v1/messages", body_of("anthropic", stream=stream))
        see(heard, BROKEN, "anthropic", stream=stream)
        assert world.upstreams["elsewhere"].connections == 0


@pytest.mark.parametrize(("name", "fault"), [("endless", faults.ENDLESS_HEAD), ("flood", faults.FLOOD)])
async def test_fault_19_a_head_without_end_is_read_to_its_bound_only(
    name: str, fault: object, autojump_clock: object
) -> None:
    sent = await sent_bytes(fault, "anthropic", stream=False)
    assert sent < 3 * 3 * 65_536


async def sent_bytes(fault: object, dialect: Dialect, *, stream: bool) -> int:
    """Return how much an upstream could send before the router closed its connections."""
    async with open_router(config_of(up(dialect)), lockstep_stream_pair, up=fault) as world:  # type: ignore[arg-type]
        heard = await world.ask("/v1/messages", body_of("anthropic", stream=stream))
        see(heard, Cut("api_error") if stream else BROKEN, "anthropic", stream=stream)
        await see_nothing_left(world)
        return sum(stream.peer.sent_bytes for stream in world.network.streams[1:] if stream.peer)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_fault_35_a_line_without_end_is_cut_at_the_size_of_an_event(
    dialect: Dialect, autojump_clock: object
) -> None:
    line = faults.endless(b"x" * 60_000)
    with at_most(24):
        assert await sent_bytes(line, dialect, stream=True) < 5 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_fault_36_words_without_end_are_cut_at_the_size_of_a_body(
    dialect: Dialect, autojump_clock: object
) -> None:
    config = config_of(up(dialect))
    async with open_router(config, lockstep_stream_pair, up=faults.talks_without_end) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", body_of("anthropic", stream=True))
        with at_most(16):
            last = b""
            while hasattr(event := await visitor.next(), "headers") or hasattr(event, "data"):
                last = bytes(getattr(event, "data", b"")) or last
        assert b"event: error" in last
        await visitor.stream.aclose()
        await see_nothing_left(world)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_fault_36_a_client_that_does_not_read_holds_the_provider_back(
    dialect: Dialect, autojump_clock: object
) -> None:
    config = config_of(up(dialect))
    async with open_router(config, lockstep_stream_pair, up=faults.talks_without_end) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", body_of("anthropic", stream=True))
        await trio.sleep(20)
        peer = world.network.streams[1].peer
        assert peer is not None
        assert peer.sent_bytes < MIB
        await visitor.stream.aclose()
        await see_nothing_left(world)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_fault_38_json_without_end_is_cut_at_the_size_of_a_body(
    dialect: Dialect, autojump_clock: object
) -> None:
    with at_most(64):
        assert await sent_bytes(faults.goes_on_in_json, dialect, stream=False) < 34 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_fault_40_what_is_compressed_beyond_measure_is_refused(
    dialect: Dialect, autojump_clock: object
) -> None:
    bomb = faults.bombs(200_000_000)
    with at_most(64):
        await sent_bytes(bomb, dialect, stream=False)


async def test_fault_42_what_follows_an_answer_is_seen_by_nobody(autojump_clock: object) -> None:
    async with open_router(config_of(up("anthropic")), up=faults.says_too_much) as world:
        for _ in range(2):
            heard = await world.ask("/v1/messages", body_of("anthropic", stream=False))
            see(heard, Fine(), "anthropic", stream=False)
            assert b"smuggled" not in heard.body
        assert world.upstreams["up"].connections == 2


ODD = {
    "large-number": ((b": 20", b": 1e999"), (b": 100", b": 1e999")),
    "long-number": ((b": 20", b": " + b"7" * 6000), (b": 100", b": " + b"7" * 6000)),
    "negative-number": ((b": 20", b": -20"), (b": 100", b": -1")),
    "huge-number": ((b": 20", b": 99999999999999999999"), (b": 100", b": 1e300")),
    "words-for-numbers": ((b": 20", b': "many"'), (b": 100", b": null")),
    "twice": ((b'"usage"', b'"usage": null, "usage"'),),
    "surrogate": ((b"All", b"All \\ud800"),),
    "nul": ((b"All", b"All \\u0000"),),
    "bom": ((b"{", b"\xef\xbb\xbf{"),),
}
"""Changes of a healthy answer by name: what JSON allows and readers stumble over."""


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_fault_44_to_48_odd_json_is_read_or_refused_and_never_breaks_an_answer(
    name: str, client: Dialect, dialect: Dialect, autojump_clock: object
) -> None:
    handler = faults.changed(*ODD[name])
    async with open_router(config_of(up(dialect)), up=handler) as world:
        heard = await world.ask(PATHS[client], body_of(client, stream=False))
        assert heard.status in {200, 500}
        heard.body.decode("utf-8")
        json.loads(heard.body)
        await see_nothing_left(world)
        counted = [world.finished[0][name] for name in ("input_tokens", "output_tokens")]
        assert all(count is None or 0 <= count < 2**53 for count in counted)


ARGUMENTS = '{"path": "a"'


def calls_a_tool(request: SeenRequest) -> object:
    call = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": ARGUMENTS}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


async def test_fault_47_arguments_that_are_no_json_are_given_as_they_are(autojump_clock: object) -> None:
    config = config_of(up("openai-chat"))
    async with open_router(config, up=faults.replies(calls_a_tool)) as world:
        heard = await world.ask("/v1/messages", body_of("anthropic", stream=False))
        passed = await world.ask("/v1/chat/completions", body_of("openai-chat", stream=False))
    block = heard.json()["content"][0]
    assert (block["type"], block["name"]) == ("tool_use", "read")
    assert isinstance(block["input"], dict)
    function = passed.json()["choices"][0]["message"]["tool_calls"][0]["function"]
    assert function["arguments"] == ARGUMENTS


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
async def test_fault_50_headers_of_a_provider_stay_with_the_router(
    client: Dialect, dialect: Dialect, stream: bool, autojump_clock: object
) -> None:
    async with open_router(config_of(up(dialect)), up=faults.sends_hostile_headers) as world:
        heard = await world.ask(PATHS[client], body_of(client, stream=stream))
    see(heard, Fine(), client, stream=stream)
    assert heard.headers["x-ucr-provider"] == "up"
    told = {name for name, _ in faults.HOSTILE} - {"x-ucr-provider", "connection"}
    assert not told & heard.headers.keys()


LARGE = "x" * 2_000_000


@pytest.mark.parametrize("helped", [False, True])
async def test_fault_52_a_provider_that_does_not_read_is_given_up(helped: bool, autojump_clock: object) -> None:
    providers = [up("anthropic"), up("openai-chat", "second")][: 2 if helped else 1]
    deaf = Upstream(faults.is_silent, early=True)
    body = {**body_of("anthropic", stream=False), "system": LARGE}
    async with open_router(config_of(*providers), lockstep_stream_pair, up=deaf, second=healthy.well) as world:
        began = trio.current_time()
        heard = await world.ask("/v1/messages", body)
        see(heard, Fine() if helped else Told(504, "timeout_error"), "anthropic", stream=False)
        assert trio.current_time() - began <= 301
        await see_nothing_left(world)


@pytest.mark.parametrize("client", DIALECTS)
async def test_fault_53_a_refusal_before_the_body_was_read_is_passed_on(
    client: Dialect, autojump_clock: object
) -> None:
    turn = [{"role": "user", "content": LARGE}]
    hasty = Upstream(faults.refuses_unread, early=True)
    async with open_router(config_of(up("anthropic")), lockstep_stream_pair, up=hasty) as world:
        heard = await world.ask(PATHS[client], {**body_of(client, stream=False), "messages": turn})
        see(heard, Told(413, "request_too_large", "too large"), client, stream=False)
        await see_nothing_left(world)


async def test_fault_54_no_second_answer_follows_the_beginning_of_a_first(autojump_clock: object) -> None:
    case = Case(54, "no-splice", faults.resets_midway, None, Cut("api_error"))
    await see_helped(case, "anthropic", "openai-chat", stream=True)


async def test_fault_37_a_total_limit_ends_what_never_ends(autojump_clock: object) -> None:
    again = faults.endless(b": still here\n\n" + b'event: ping\ndata: {"type": "ping"}\n\n', pause_s=60)
    case = Case(
        37, "pings-after-words", again, None, Cut("timeout_error"), within_s=3600, providers=("anthropic",)
    )
    await see_alone(case, "anthropic", "anthropic", stream=True)
