"""Requests that are alike and on their way at one time share one call, and each of them gets an honest answer."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import trio
from msgspec import structs
from trio.testing import lockstep_stream_pair

from tests.world import answers
from tests.world.check_anthropic_stream import check, frames
from tests.world.router import FRONT_LANE, Heard, Visitor, World, config_of, open_router, provider
from ucr.access import digest
from ucr.coalescing import ask_of
from ucr.config.model import Cache, Client, Config
from ucr.dialects.roles import Request

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES = "/v1/messages"
ASK: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}],
}
STREAM: dict[str, Any] = {**ASK, "stream": True}
WORDS = answers.anthropic_text("one ", "two ", "three ", "four")


def config(dialect: str = "anthropic", *, providers: int = 1, **changes: Any) -> Config:
    names = ("up", "other")[:providers]
    made = (provider(name, dialect, max_requests=1, max_pending=1) for name in names)
    return config_of(*made, **{"cache": Cache(), "max_attempts": 1, **changes})


def says_late(seconds: float, status: int = 200, body: object = None) -> Any:
    async def handler(request: Any, answer: Any) -> None:
        await trio.sleep(seconds)
        await answers.says(status, answers.anthropic_reply() if body is None else body)(request, answer)

    return handler


def how(heard: list[Heard]) -> list[str]:
    return sorted(one.headers.get("x-ucr-cache", "") for one in heard)


async def ask_all(world: World, count: int, body: object = ASK, *, apart_s: float = 0.0) -> list[Heard]:
    """Ask so many times, at once or one after the other, and return the answers in the order of the asking."""
    heard: dict[int, Heard] = {}

    async def ask(number: int) -> None:
        await trio.sleep(number * apart_s)
        heard[number] = await world.ask(MESSAGES, body)

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(ask, number)
    return [heard[number] for number in range(count)]


async def begin(world: World, body: object = ASK) -> Visitor:
    """Ask on a connection that is kept, and see the request in the router's hands."""
    visitor = await world.connect()
    await visitor.send(MESSAGES, body)
    await trio.sleep(0.5)
    return visitor


def calls(world: World, name: str = "up") -> int:
    return len(world.upstreams[name].requests)


def error_of(heard: Heard) -> tuple[int, str]:
    return heard.status, heard.json()["error"]["type"]


@pytest.mark.slow
async def test_a_hundred_at_once_make_one_call(autojump_clock: object) -> None:
    async with open_router(config(), up=says_late(5)) as world:
        heard = await ask_all(world, 100)
        assert calls(world) == 1
    assert how(heard) == ["coalesced"] * 99 + ["miss"]
    assert {(one.status, one.body) for one in heard} == {(200, heard[0].body)}
    assert len({one.headers["request-id"] for one in heard}) == 100
    assert len(world.finished) == 100


@pytest.mark.slow
async def test_a_hundred_streams_at_once_make_one_call(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.streams(WORDS, pause_s=1, first_s=3)) as world:
        heard = await ask_all(world, 100, STREAM)
        assert calls(world) == 1
    assert how(heard) == ["bypass"] + ["coalesced"] * 99
    assert {one.body for one in heard} == {heard[0].body}
    assert all(one.is_complete for one in heard)
    assert check(frames(heard[0].body)) == []


async def test_each_has_its_log_line_and_the_tokens_are_in_the_first_one(autojump_clock: object) -> None:
    async with open_router(config(), up=says_late(5)) as world:
        await ask_all(world, 3)
    lines = {line["cache"]: line for line in world.finished}
    assert [line["cache"] for line in world.finished].count("coalesced") == 2
    assert (lines["miss"]["input_tokens"], lines["miss"]["attempts"]) == (11, 1)
    shared = lines["coalesced"]
    assert (shared["input_tokens"], shared["output_tokens"], shared["attempts"]) == (None, None, 0)
    assert (shared["provider"], shared["tier"], shared["stop_reason"]) == ("up", "optimal", "end_turn")
    assert (shared["status"], shared["total_ms"]) == (200, 5000.0)
    assert shared["overhead_ms"] < 1


async def test_who_comes_late_is_given_the_stream_from_its_beginning(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.streams(WORDS, pause_s=2)) as world:
        heard = await ask_all(world, 3, STREAM, apart_s=4.5)
        assert calls(world) == 1
    assert heard[0].body == heard[1].body == heard[2].body
    assert [line["ttfb_ms"] < 1 for line in world.finished].count(True) == 2


@pytest.mark.parametrize("body", [ASK, STREAM])
async def test_the_call_goes_on_for_others_when_the_first_client_leaves(
    body: dict[str, Any], autojump_clock: object
) -> None:
    handler = answers.streams(WORDS, pause_s=2) if "stream" in body else says_late(15)
    async with open_router(config(), up=handler) as world:
        first, second = await begin(world, body), await begin(world, body)
        await trio.sleep(4)
        await first.stream.aclose()
        heard = await second.hear()
        await world.worker.api.wait_idle()
        assert (calls(world), world.upstreams["up"].aborted) == (1, [])
    assert (heard.status, heard.is_complete, heard.headers["x-ucr-cache"]) == (200, True, "coalesced")
    gone = next(line for line in world.finished if line["error_type"])
    assert (gone["error_type"], gone["output_tokens"]) == ("client_gone", 7)


@pytest.mark.parametrize("body", [ASK, STREAM])
async def test_the_call_ends_when_the_last_client_has_left(
    body: dict[str, Any], autojump_clock: object
) -> None:
    handler = answers.streams(WORDS, pause_s=30) if "stream" in body else says_late(100)
    async with open_router(config(), up=handler) as world:
        visitors = [await begin(world, body) for _ in range(3)]
        for visitor in visitors:
            await visitor.stream.aclose()
            await trio.sleep(1)
        await world.upstreams["up"].wait_aborted(1)
        assert trio.current_time() < 6
        await world.worker.api.wait_idle()
        heard = await world.ask(MESSAGES, {**ASK, "max_tokens": 51}) if body is ASK else None
    assert heard is None or heard.status == 200
    assert [line["error_type"] for line in world.finished[:3]] == ["client_gone"] * 3


@pytest.mark.parametrize("body", [ASK, STREAM])
async def test_a_follower_that_leaves_disturbs_nobody(body: dict[str, Any], autojump_clock: object) -> None:
    handler = answers.streams(WORDS, pause_s=2) if "stream" in body else says_late(15)
    async with open_router(config(), up=handler) as world:
        first, second = await begin(world, body), await begin(world, body)
        await trio.sleep(4)
        await second.stream.aclose()
        heard = await first.hear()
    assert (heard.status, heard.is_complete) == (200, True)


async def test_when_the_first_fails_one_other_tries_and_the_rest_get_its_answer(
    autojump_clock: object,
) -> None:
    handlers = (says_late(5, 500, {"error": {}}), says_late(5))
    async with open_router(config(), up=handlers) as world:
        heard = await ask_all(world, 10)
        assert calls(world) == 2
    assert [one.status for one in heard].count(500) == 1
    assert how([one for one in heard if one.status == 200]) == ["coalesced"] * 8 + ["miss"]


async def test_a_provider_that_fails_for_all_is_asked_three_times_and_not_once_for_each(
    autojump_clock: object,
) -> None:
    failing = says_late(5, 500, {"error": {"message": "no"}})
    async with open_router(config("openai-chat"), up=failing) as world:
        heard = await ask_all(world, 20)
        assert calls(world) == 3
    assert {error_of(one) for one in heard} == {(500, "api_error")}
    assert {one.json()["request_id"] for one in heard} == {one.headers["request-id"] for one in heard}


@pytest.mark.parametrize("body", [ASK, STREAM])
async def test_what_is_wrong_with_the_request_is_told_to_all_at_once(
    body: dict[str, Any], autojump_clock: object
) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "too many words"}}
    async with open_router(config(), up=says_late(5, 400, error)) as world:
        heard = await ask_all(world, 10, body)
        assert calls(world) == 1
    assert {error_of(one) for one in heard} == {(400, "invalid_request_error")}
    assert all("too many words" in one.json()["error"]["message"] for one in heard)
    assert {line["total_ms"] for line in world.finished} == {5000.0}


async def test_a_stream_that_fails_before_its_first_words_is_tried_once_more_for_all(
    autojump_clock: object,
) -> None:
    handlers = (answers.cut_off(()), answers.streams(WORDS, first_s=5))
    async with open_router(config(), up=(says_late(5, 500, {"error": {}}), *handlers)) as world:
        heard = await ask_all(world, 10, STREAM)
        assert calls(world) == 3
    assert [one.status for one in heard].count(200) == 8
    assert len({one.body for one in heard if one.status == 200}) == 1


async def test_a_stream_that_breaks_later_ends_with_an_error_for_each(autojump_clock: object) -> None:
    async def breaks(request: Any, answer: Any) -> None:
        await answer.head(200, answers.SSE)
        for piece in WORDS[:4]:
            await answer.send(piece)
        await trio.sleep(5)
        await answer.reset()

    async with open_router(config(), up=breaks) as world:
        heard = await ask_all(world, 5, STREAM, apart_s=0.5)
        assert calls(world) == 1
    for one in heard:
        assert (one.status, one.is_complete) == (200, True)
        assert one.events()[-1]["type"] == "error"
        assert one.events()[-1]["request_id"] == one.headers["request-id"]
    assert {line["error_type"] for line in world.finished} == {"api_error"}


async def test_a_stream_that_a_pump_carries_can_be_joined(autojump_clock: object) -> None:
    words = answers.anthropic_text(*(f"word {number} " for number in range(20)))
    carried: list[int] = []
    heard: list[Heard] = []
    async with (
        open_router(config(), over_sockets=True, up=answers.streams(words, pause_s=1)) as world,
        trio.open_nursery() as nursery,
    ):

        async def ask(after_s: float) -> None:
            await trio.sleep(after_s)
            carried.append(world.worker.api.generation.router.pump.flowing)
            heard.append(await world.ask(MESSAGES, STREAM))

        for after_s in (0, 8.5, 15.5):
            nursery.start_soon(ask, after_s)
    assert len({one.body for one in heard}) == 1
    assert check(frames(heard[0].body)) == []
    assert how(heard) == ["bypass", "coalesced", "coalesced"]
    assert carried == [0, 1 if FRONT_LANE.get() else 0, 0]


async def test_an_answer_with_tool_use_is_shared_and_not_kept(autojump_clock: object) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    reply = {**answers.anthropic_reply(), "content": [use], "stop_reason": "tool_use"}
    async with open_router(config(), up=says_late(5, 200, reply)) as world:
        heard = await ask_all(world, 3)
        again = await world.ask(MESSAGES, ASK)
        assert calls(world) == 2
    assert how([*heard, again]) == ["coalesced", "coalesced", "miss", "miss"]


@pytest.mark.parametrize(("word", "said"), [("no-store", "bypass"), ("no-cache", "miss")])
async def test_who_wants_no_stored_answer_has_a_call_of_its_own(
    word: str, said: str, autojump_clock: object
) -> None:
    async with open_router(config(), up=says_late(1)) as world:
        visitor = await begin(world)
        heard = await world.ask(MESSAGES, ASK, headers={"cache-control": word})
        await visitor.hear()
        assert calls(world) == 2
    assert heard.headers["x-ucr-cache"] == said


async def test_clients_never_share(autojump_clock: object) -> None:
    clients = tuple(Client(name, digest(f"key-of-{name}")) for name in ("ann", "bob"))
    both = config(clients=clients, providers=1)
    wide = replace(both, providers=(replace(both.providers[0], max_requests=9),))
    heard: list[Heard] = []
    async with open_router(wide, up=answers.streams(WORDS, first_s=5)) as world:

        async def ask(name: str) -> None:
            heard.append(await world.ask(MESSAGES, STREAM, headers={"x-api-key": f"key-of-{name}"}))

        async with trio.open_nursery() as nursery:
            for name in ("ann", "bob", "ann", "bob"):
                nursery.start_soon(ask, name)
        assert calls(world) == 2
    assert {(line["client"], line["cache"]) for line in world.finished} == {
        (name, cache) for name in ("ann", "bob") for cache in ("bypass", "coalesced")
    }


async def test_every_one_that_shares_counts_as_a_request_of_its_client_and_its_tokens_once(
    autojump_clock: object,
) -> None:
    client = Client("ann", digest("key"), rpm=3, tpm=1000)
    async with open_router(config(clients=(client,)), up=says_late(5)) as world:
        heard: list[Heard] = []

        async def ask() -> None:
            heard.append(await world.ask(MESSAGES, ASK, headers={"x-api-key": "key"}))

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(ask)
        assert sorted(one.status for one in heard) == [200, 200, 200, 429]
        assert calls(world) == 1


async def test_a_silent_stream_is_opened_for_all_and_kept_alive(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.streams(WORDS, first_s=70)) as world:
        heard = await ask_all(world, 3, STREAM, apart_s=25)
        assert calls(world) == 1
    assert heard[0].body == heard[1].body == heard[2].body
    kinds = [event["type"] for event in heard[2].events()]
    assert kinds[:4] == ["message_start", "ping", "ping", "ping"]
    assert kinds.count("message_start") == 1
    assert check(frames(heard[2].body)) == []


async def test_the_time_of_one_that_waits_is_its_own(autojump_clock: object) -> None:
    times = replace(config().timeouts, total_s=8.0)
    slow = config(timeouts=times)
    async with open_router(slow, up=says_late(100)) as world:
        visitor = await begin(world)
        await trio.sleep(4)
        heard = await world.ask(MESSAGES, ASK)
        assert trio.current_time() == pytest.approx(12.5)
        assert (await visitor.hear()).status == 200
    assert heard.status == 504


async def test_the_end_of_the_router_is_told_to_all(autojump_clock: object) -> None:
    quick = config()
    quick = replace(quick, server=replace(quick.server, grace_s=2.0))
    heard: list[Heard] = []
    async with (
        open_router(quick, up=answers.streams(WORDS, pause_s=60)) as world,
        trio.open_nursery() as nursery,
    ):

        async def ask(body: Any) -> None:
            heard.append(await world.ask(MESSAGES, body))

        for body in (ASK, ASK, STREAM, STREAM, STREAM):
            nursery.start_soon(ask, body)
        await trio.sleep(1)
        world.stop.set()
    assert len(heard) == 5
    assert all(b"shutting down" in one.body for one in heard)


async def test_requests_that_differ_go_their_own_ways(autojump_clock: object) -> None:
    many = config()
    many = replace(many, providers=(replace(many.providers[0], max_requests=9),))
    bodies = [ASK, {**ASK, "max_tokens": 51}, {**ASK, "temperature": 0}, {**ASK, "model": "claude-y"}]
    async with open_router(many, up=says_late(5)) as world, trio.open_nursery() as nursery:
        for body in bodies:
            nursery.start_soon(world.ask, MESSAGES, body)
        await world.upstreams["up"].wait_requests(4)


async def test_requests_that_mean_the_same_share_an_answer_by_the_cache(autojump_clock: object) -> None:
    heard: list[Heard] = []
    other = json.dumps(dict(reversed(ASK.items())), indent=1).encode()
    async with open_router(config(), up=says_late(5)) as world:

        async def ask(body: object) -> None:
            heard.append(await world.ask(MESSAGES, body))

        async with trio.open_nursery() as nursery:
            for body in (ASK, other, other, ASK):
                nursery.start_soon(ask, body)
        assert calls(world) == 1
    assert how(heard) == ["coalesced"] * 3 + ["miss"]
    assert len({one.body for one in heard}) == 1
    assert not any("age" in one.headers for one in heard)


async def test_the_next_one_that_means_the_same_asks_when_the_first_has_failed_or_left(
    autojump_clock: object,
) -> None:
    other = json.dumps(dict(reversed(ASK.items()))).encode()
    async with open_router(config(), up=(says_late(5, 500, {"error": {}}), says_late(5))) as world:
        first, second, third = [await begin(world, body) for body in (ASK, other, {**ASK, "stream": False})]
        assert (await first.hear()).status == 500
        await trio.sleep(1)
        await second.stream.aclose()
        heard = await third.hear()
        await world.worker.api.wait_idle()
    assert (heard.status, heard.headers["x-ucr-cache"]) == (200, "miss")


async def test_it_can_be_turned_off(autojump_clock: object) -> None:
    off = config(cache=Cache(coalesce=False))
    off = replace(off, providers=(replace(off.providers[0], max_requests=9),))
    async with open_router(off, up=says_late(5)) as world:
        assert how(await ask_all(world, 3)) == ["miss"] * 3
        assert calls(world) == 3


def endless_text(piece: bytes, times: int) -> Callable[[Any, Any], Awaitable[None]]:
    async def handler(request: Any, answer: Any) -> None:
        await trio.sleep(3)
        await answer.head(200, answers.SSE)
        for part in WORDS[:2]:
            await answer.send(part)
        delta = {"type": "text_delta", "text": piece.decode()}
        for _ in range(times):
            await answer.send(answers.anthropic_event("content_block_delta", index=0, delta=delta))
            await trio.sleep(0.01)
        for part in WORDS[-3:]:
            await answer.send(part)
        await answer.finish()

    return handler


@pytest.mark.slow
@pytest.mark.parametrize("slow_one", ["leader", "follower"])
async def test_who_reads_too_slowly_is_cut_off_honestly_and_holds_up_nobody(
    slow_one: str, autojump_clock: object
) -> None:
    many = endless_text(b"x" * 40_000, 100)
    heard: list[Heard] = []
    async with open_router(config(), lockstep_stream_pair, up=many) as world:

        async def ask() -> None:
            heard.append(await world.ask(MESSAGES, STREAM))

        slow = await world.connect()
        async with trio.open_nursery() as nursery:
            if slow_one == "follower":
                nursery.start_soon(ask)
                await world.upstreams["up"].wait_requests(1)
            await slow.send(MESSAGES, STREAM)
            if slow_one == "leader":
                await world.upstreams["up"].wait_requests(1)
                nursery.start_soon(ask)
            await trio.sleep(20)
            assert len(heard) == 1
            rest = await slow.hear()
        assert calls(world) == 1
    assert heard[0].events()[-1]["type"] == "message_stop"
    assert len(heard[0].body) > 100 * 40_000
    last = rest.events()[-1]
    assert (last["type"], last["error"]["type"]) == ("error", "overloaded_error")
    assert "no-store" in last["error"]["message"]
    assert last["request_id"] == rest.headers["request-id"]
    assert len(rest.body) < len(heard[0].body)
    assert world.worker.api.generation.router.flights is not None
    assert world.worker.api.generation.router.flights.room.kept_bytes == 0


def test_what_changes_an_answer_keeps_requests_apart() -> None:
    request = Request("anthropic", b'{"a": 1}', {"a": 1}, "m", False, {})
    asks = [
        ask_of(request, "", ()),
        ask_of(request, "ann", ()),
        ask_of(structs.replace(request, raw=b'{"a": 2}'), "", ()),
        ask_of(structs.replace(request, dialect="openai-chat"), "", ()),
        ask_of(structs.replace(request, stream=True), "", ()),
        ask_of(structs.replace(request, headers={"anthropic-beta": "b"}), "", ()),
        ask_of(structs.replace(request, headers={"anthropic-version": "b"}), "", ()),
        ask_of(structs.replace(request, headers={"openai-beta": "b"}), "", ()),
        ask_of(structs.replace(request, stream=True, headers={"user-agent": "ai-sdk/5"}), "", ()),
    ]
    assert len(set(asks)) == len(asks)
    assert ask_of(structs.replace(request, headers={"user-agent": "x"}), "", ()) == asks[0]
    assert json.loads(request.raw) == request.body


def test_requests_that_differ_in_their_paths_alone_are_not_alike() -> None:
    asks = [
        ask_of(Request("gemini", b"{}", {}, "m", False, {}, beside=beside), "", ())
        for beside in ("m:generateContent", "n:generateContent", "m:generateContent")
    ]
    assert asks[0] == asks[2]
    assert asks[0] != asks[1]
