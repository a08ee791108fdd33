import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from actors import Cache, CacheSpec, Fill, Lookup, open_supervisor
from actors.lookup import Store
from tests.world import answers
from tests.world.check_anthropic_stream import check
from tests.world.router import Heard, World, config_of, open_router, provider
from ucr.access import digest
from ucr.brief import ANSWER_S, LATE_ANSWER_S
from ucr.caching import LARGEST_REQUEST_BYTES, Answers, HotTier, Place, clear, wish_of
from ucr.config.model import Cache as CacheConfig
from ucr.config.model import Client, Config
from ucr.dialects.roles import Request, Summary
from ucr.patience import Patience
from ucr.pressure import Pressure
from ucr.record import Record
from ucr.repeats import Repeats
from ucr.routing import Candidate
from ucr.stress.clock import run_jumping
from ucr.stress.upstream import Answer, SeenRequest
from ucr.tree import hot_tier

MESSAGES = "/v1/messages"
ASK: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}],
}
SECRET = b"s" * 32
REQUEST = Request("anthropic", b'{"a": 1}', {"a": 1}, "claude-x", False, {})
CHOICES = (Candidate(provider("up", "anthropic"), "claude-x", "default"),)


def config(dialect: str = "anthropic", **changes: Any) -> Config:
    return config_of(provider("up", dialect), cache=CacheConfig(), **changes)


def how(*heard: Heard) -> list[str | None]:
    return [one.headers.get("x-ucr-cache") for one in heard]


async def ask_twice(world: World, body: object = ASK, **headers: str) -> tuple[Heard, Heard]:
    first = await world.ask(MESSAGES, body, headers=headers)
    return first, await world.ask(MESSAGES, body, headers=headers)


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_the_same_request_gets_the_same_answer_without_the_provider(
    dialect: str, autojump_clock: object
) -> None:
    body = answers.anthropic_reply() if dialect == "anthropic" else answers.chat_reply()
    async with open_router(config(dialect), up=answers.says(200, body)) as world:
        first = await world.ask(MESSAGES, ASK)
        await trio.sleep(12.5)
        second = await world.ask(MESSAGES, ASK)
    assert how(first, second) == ["miss", "hit"]
    assert (second.status, second.body) == (200, first.body)
    assert len(world.upstreams["up"].requests) == 1
    assert (second.headers["age"], "age" in first.headers) == ("12", False)
    assert second.headers["x-ucr-provider"] == "up"
    assert "x-ucr-attempts" not in second.headers
    miss, hit = world.finished
    assert (miss["cache"], hit["cache"]) == ("miss", "hit")
    assert (hit["provider"], hit["attempts"], hit["input_tokens"]) == ("up", 0, None)
    assert hit["stop_reason"] == miss["stop_reason"]


async def test_a_request_that_comes_again_byte_by_byte_is_answered_as_one_that_is_read(
    autojump_clock: object,
) -> None:
    body, another = json.dumps(ASK).encode(), json.dumps(ASK, indent=1).encode()
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = [await world.ask(MESSAGES, one) for one in (body, another, another)]
        assert repr(repeats_of(world)) == "<Repeats: 1>"
        heard += [await world.ask(MESSAGES, another), await world.ask(MESSAGES, another)]
        assert repr(repeats_of(world)) == "<Repeats: 1>", "who is known is not noted again"
        assert await clear(world.worker.api.generation.router.answers) == 1
        heard.append(await world.ask(MESSAGES, another))
    assert how(*heard) == ["miss", *["hit"] * 4, "miss"]
    assert len({one.body for one in heard}) == 1
    _, _, read, *known, _ = [
        {name: value for name, value in line.items() if name not in _OWN} for line in world.finished
    ]
    assert known == [read, read]
    assert read["model_asked"] == "claude-x" and read["request_bytes"] == len(another)


_OWN = ("timestamp", "request_id", "ttfb_ms", "total_ms", "overhead_ms")


def repeats_of(world: World) -> Repeats:
    answers_ = world.worker.api.generation.router.answers
    assert answers_ is not None
    return answers_.repeats


async def test_where_a_client_has_a_name_each_request_is_read(autojump_clock: object) -> None:
    clients = (Client("ann", key_sha256=digest("key-of-ann")),)
    async with open_router(config(clients=clients), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = [await world.ask(MESSAGES, ASK, headers={"x-api-key": "key-of-ann"}) for _ in range(3)]
        assert repr(repeats_of(world)) == "<Repeats: 0>"
    assert how(*heard) == ["miss", "hit", "hit"]
    assert [line["client"] for line in world.finished] == ["ann"] * 3


async def test_an_answer_is_given_again_for_its_time_only(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        first = await world.ask(MESSAGES, ASK)
        await trio.sleep(301)
        second = await world.ask(MESSAGES, ASK)
    assert how(first, second) == ["miss", "miss"]


async def test_a_request_may_ask_to_go_past_the_cache(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = await ask_twice(world, **{"cache-control": "no-store"})
        last = await world.ask(MESSAGES, ASK)
    assert how(*heard, last) == ["bypass", "bypass", "miss"]
    assert len(world.upstreams["up"].requests) == 3


async def test_a_request_may_ask_for_a_new_answer_which_then_takes_the_place_of_the_old_one(
    autojump_clock: object,
) -> None:
    handlers = [answers.says(200, {**answers.anthropic_reply(), "id": f"msg_{number}"}) for number in range(3)]
    async with open_router(config(), up=tuple(handlers)) as world:
        heard = [await world.ask(MESSAGES, ASK) for _ in range(3)]
        heard.append(await world.ask(MESSAGES, ASK, headers={"cache-control": "no-cache"}))
        heard += [await world.ask(MESSAGES, ASK) for _ in range(3)]
    assert how(*heard) == ["miss", "hit", "hit", "miss", "hit", "hit", "hit"]
    assert [one.json()["id"] for one in heard] == ["msg_0"] * 3 + ["msg_1"] * 4


async def test_a_new_answer_that_comes_to_nothing_leaves_the_old_one(autojump_clock: object) -> None:
    handlers = (answers.says(200, answers.anthropic_reply()), answers.says(400, {"error": {}}))
    async with open_router(config(), up=handlers) as world:
        first = await world.ask(MESSAGES, ASK)
        failed = await world.ask(MESSAGES, ASK, headers={"cache-control": "no-cache"})
        last = await world.ask(MESSAGES, ASK)
    assert failed.status == 400
    assert (how(first, last), last.body) == (["miss", "hit"], first.body)


async def test_streams_go_past_the_cache(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.streams(answers.anthropic_text("hi"))) as world:
        heard = await ask_twice(world, {**ASK, "stream": True})
    assert how(*heard) == ["bypass", "bypass"]


STREAMING = {**ASK, "stream": True}
TEXT = answers.anthropic_text("one ", "two")


def with_streams(dialect: str = "anthropic", **changes: Any) -> Config:
    return replace(config(dialect, **changes), cache=CacheConfig(streams=True))


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_a_stream_is_given_again_event_by_event_when_streams_are_kept(
    dialect: str, autojump_clock: object
) -> None:
    pieces = TEXT if dialect == "anthropic" else answers.chat_text("one ", "two")
    async with open_router(with_streams(dialect), up=answers.streams(pieces, pause_s=1.0)) as world:
        first = await world.ask(MESSAGES, STREAMING)
        await trio.sleep(3.5)
        again = [await world.ask(MESSAGES, STREAMING) for _ in range(2)]
        whole = await world.ask(MESSAGES, ASK, headers={"cache-control": "no-store"})
        asked = len(world.upstreams["up"].requests)
    assert how(first, *again) == ["miss", "hit", "hit"]
    assert {one.body for one in again} == {first.body}
    assert [one.headers.get("age") for one in (first, *again)] == [None, "3", "3"]
    assert again[0].headers["content-type"] == first.headers["content-type"]
    assert (asked, whole.status) == (2, 200)
    lines = world.finished
    assert [(line["cache"], line["stream"], line["stop_reason"]) for line in lines[:2]] == [
        ("miss", True, "end_turn" if dialect == "anthropic" else lines[0]["stop_reason"]),
        ("hit", True, lines[0]["stop_reason"]),
    ]
    assert check([(event["type"], event) for event in again[0].events()]) == []


async def test_a_stream_is_kept_although_its_client_leaves_with_its_last_event(autojump_clock: object) -> None:
    async def lingers(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, answers.SSE)
        await answer.send(b"".join(answers.chat_text("hi")))
        await trio.sleep_forever()

    config = with_streams("openai-chat")
    async with open_router(config, up=lingers) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, STREAMING)
        heard = b""
        while b"message_stop" not in heard:
            heard += bytes(getattr(await visitor.next(), "data", b""))
        await visitor.stream.aclose()
        await world.wait_finished(1)
        assert (await world.ask(MESSAGES, STREAMING)).headers["x-ucr-cache"] == "hit"
    assert len(world.upstreams["up"].requests) == 1


async def test_a_stream_and_a_whole_answer_are_two_answers(autojump_clock: object) -> None:
    handlers = (answers.streams(TEXT), answers.says(200, answers.anthropic_reply()))
    async with open_router(with_streams(), up=handlers) as world:
        heard = [await world.ask(MESSAGES, body) for body in (STREAMING, ASK, STREAMING, ASK)]
    assert how(*heard) == ["miss", "miss", "hit", "hit"]
    assert (heard[2].body, heard[3].body) == (heard[0].body, heard[1].body)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(answers.cut_off(TEXT[:4]), id="cut off"),
        pytest.param(answers.streams(answers.anthropic_text("x" * 2_000_000)), id="too large"),
        pytest.param(
            answers.streams([piece.replace(b"end_turn", b"max_tokens") for piece in TEXT]), id="truncated"
        ),
        pytest.param(
            answers.streams([piece.replace(b"end_turn", b"tool_use") for piece in TEXT]), id="tool use"
        ),
        pytest.param(
            answers.streams([b"".join(TEXT[:3]), *TEXT[3:]], pause_s=21.0), id="kept alive, and whole"
        ),
        pytest.param(answers.streams([TEXT[0]], first_s=1.0), id="nothing but a beginning"),
    ],
)
async def test_only_whole_streams_are_kept(
    handler: Any, autojump_clock: object, request: pytest.FixtureRequest
) -> None:
    is_kept = "whole" in request.node.callspec.id
    async with open_router(with_streams(), up=handler) as world:
        heard = await ask_twice(world, STREAMING)
        cache = world.worker.tree.cache
        assert cache is not None
        assert cache.statistics().entries == (1 if is_kept else 0)
    assert [one.headers.get("x-ucr-cache") for one in heard if one.status == 200][1:] in (
        [["hit"]] if is_kept else [["miss"], []]
    )


async def test_a_stream_that_the_router_had_to_open_itself_is_not_kept(autojump_clock: object) -> None:
    async with open_router(with_streams(), up=answers.streams(TEXT, first_s=30.0)) as world:
        heard = await ask_twice(world, STREAMING)
    assert how(*heard) == ["miss", "miss"]
    assert b"ping" in heard[0].body


async def test_what_a_client_left_behind_is_not_kept(autojump_clock: object) -> None:
    draining = with_streams(on_disconnect="drain")
    async with open_router(draining, up=answers.streams(TEXT, pause_s=1.0)) as world:
        with trio.move_on_after(2.5):
            await world.ask(MESSAGES, STREAMING)
        await world.wait_finished(1)
        last = await world.ask(MESSAGES, STREAMING)
    assert how(last) == ["miss"]


async def test_a_stream_whose_cache_is_refused_goes_past_it(autojump_clock: object) -> None:
    async with open_router(with_streams(), up=answers.streams(TEXT)) as world:
        heard = await ask_twice(world, STREAMING, **{"cache-control": "no-store"})
        renewed = await ask_twice(world, STREAMING, **{"cache-control": "no-cache"})
        last = await world.ask(MESSAGES, STREAMING)
    assert how(*heard, *renewed, last) == ["bypass", "bypass", "miss", "miss", "hit"]


async def test_errors_are_never_kept(autojump_clock: object) -> None:
    handlers = (answers.says(400, {"error": {}}), answers.says(200, answers.anthropic_reply()))
    async with open_router(config(), up=handlers) as world:
        first, second = await ask_twice(world)
        third = await world.ask(MESSAGES, ASK)
    assert [first.status, second.status] == [400, 200]
    assert how(second, third) == ["miss", "hit"]


async def test_without_a_cache_every_request_goes_past_it(autojump_clock: object) -> None:
    without = replace(config(), cache=CacheConfig(enabled=False))
    async with open_router(without, up=answers.says(200, answers.anthropic_reply())) as world:
        heard = await ask_twice(world)
    assert how(*heard) == ["bypass", "bypass"]


async def test_what_one_client_was_told_no_other_is(autojump_clock: object) -> None:
    keys = {name: f"key-of-{name}" for name in ("ann", "bob")}
    clients = tuple(Client(name, digest(key)) for name, key in keys.items())
    async with open_router(config(clients=clients), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = [
            await world.ask(MESSAGES, ASK, headers={"x-api-key": keys[name]}) for name in ("ann", "bob", "ann")
        ]
    assert how(*heard) == ["miss", "miss", "hit"]
    assert [line["client"] for line in world.finished] == ["ann", "bob", "ann"]


async def test_two_requests_at_once_both_go_to_the_provider_where_they_are_not_coalesced(
    autojump_clock: object,
) -> None:
    handler = answers.says(200, answers.anthropic_reply())

    async def slow(seen: Any, answer: Any) -> None:
        await trio.sleep(5)
        await handler(seen, answer)

    heard: list[Heard] = []
    alone = replace(config(), cache=CacheConfig(coalesce=False))
    async with open_router(alone, up=slow) as world:

        async def ask() -> None:
            heard.append(await world.ask(MESSAGES, ASK))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            nursery.start_soon(ask)
        last = await world.ask(MESSAGES, ASK)
    assert how(*heard, last) == ["miss", "miss", "hit"]
    assert len(world.upstreams["up"].requests) == 2


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        (None, "use"),
        ("max-age=5", "use"),
        ("no-cache", "renew"),
        ("max-age=0, No-Cache", "renew"),
        ("no-cache, no-store", "nothing"),
        ("NO-STORE", "nothing"),
    ],
)
def test_what_a_request_wants_of_the_cache_is_in_its_headers(said: str | None, wish: str) -> None:
    assert wish_of({} if said is None else {"cache-control": said}) == wish


def hot(**changes: Any) -> HotTier:
    return hot_tier(replace(CacheConfig(), **changes))


async def test_a_cache_that_does_not_answer_in_time_is_a_miss(autojump_clock: object) -> None:
    silent = Answers(Cache(CacheSpec()).ref, SECRET, CacheConfig(), hot())
    record = Record("req_1", "0", 0.0, lambda: 0.0)
    for within_s in (ANSWER_S, LATE_ANSWER_S):
        began_s = trio.current_time()
        glanced = silent.glance(REQUEST, CHOICES, record)
        assert glanced is not None
        with await glanced.look_up(Patience(60)) as place:
            assert trio.current_time() - began_s == pytest.approx(within_s)
            place.keep(b"{}")
        assert (place.kept, record.cache, repr(place)) == (None, "miss", "<Place miss>")
    assert await silent.count(b"k") is None
    assert await clear(silent) == 0
    assert await clear(None) == 0


async def test_what_was_found_twice_is_at_hand_and_nobody_is_asked_for_it(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = [await world.ask(MESSAGES, ASK) for _ in range(2)]
        for _ in range(3):
            await trio.sleep(50.3)
            heard.append(await world.ask(MESSAGES, ASK))
        asked = world.worker.tree.cache
        assert asked is not None
        assert asked.mailbox.statistics().asked == 2
        assert world.worker.tree.hot.statistics().hits == 3
        await trio.sleep(61)
        heard.append(await world.ask(MESSAGES, ASK))
        assert asked.mailbox.statistics().asked == 3
        await trio.sleep(90)
        heard.append(await world.ask(MESSAGES, ASK))
    assert how(*heard) == ["miss", *["hit"] * 5, "miss"]
    assert [one.headers.get("age") for one in heard] == [None, "0", "50", "100", "150", "211", None]


async def test_an_answer_at_hand_is_given_for_its_own_time_only(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = [await world.ask(MESSAGES, ASK)]
        for _ in range(7):
            await trio.sleep(50)
            heard.append(await world.ask(MESSAGES, ASK))
    assert how(*heard) == ["miss", *["hit"] * 5, "miss", "hit"]


async def test_nothing_that_was_found_before_the_cache_was_cleared_is_at_hand_after_it(
    autojump_clock: object,
) -> None:
    async with open_cache() as (cache, found):
        await found(keeps=True)
        await trio.testing.wait_all_tasks_blocked()
        looked_up = cache.hot.epoch
        assert await cache.clear() == 1
        cache.hot.put(b"k", 7, 1, trio.current_time() + 9, looked_up)
        assert cache.hot.statistics().entries == 0
        assert (await found()).kept is None


async def test_under_pressure_answers_are_given_again_and_none_is_kept(autojump_clock: object) -> None:
    pressure = Pressure(100)
    async with open_cache(pressure) as (cache, found):
        await found(keeps=True)
        pressure.look(85)
        assert (await found()).kept is not None
        assert cache.hot.statistics().entries == 0
        cache.note_count(b"k", 7)
        assert await cache.count(b"k") is None
        await cache.clear()
        await found(keeps=True)
        assert (await found()).kept is None


async def test_an_entry_that_cannot_be_read_is_a_miss(autojump_clock: object) -> None:
    async with open_cache() as (cache, found):
        key = cache.keys.of(REQUEST, CHOICES, "")
        ticket = await cache.ref.ask(Lookup(key))
        assert isinstance(ticket, Fill)
        cache.ref.tell(Store(ticket.ticket, b"of another version"))
        assert (await found()).kept is None
        assert "Answers in <Hot 0/100" in repr(cache)


async def test_a_request_that_is_very_large_goes_past_the_cache(autojump_clock: object) -> None:
    async with open_cache() as (cache, _found):
        large = structs.replace(REQUEST, raw=b" " * (LARGEST_REQUEST_BYTES + 1))
        record = Record("req_1", "0", 0.0, lambda: 0.0)
        assert cache.glance(large, CHOICES, record) is None
        assert record.cache == "bypass"


async def test_counts_are_kept_in_both_tiers(autojump_clock: object) -> None:
    async with open_cache() as (cache, _found):
        assert await cache.count(b"k") is None
        cache.note_count(b"k", 1234)
        assert await cache.count(b"k") == 1234
        cache.hot.clear()
        await trio.sleep(500)
        assert await cache.count(b"k") == 1234
        assert cache.hot.statistics().entries == 1
        await trio.sleep(100)
        assert await cache.count(b"k") is None


@asynccontextmanager
async def open_cache(
    pressure: Pressure | None = None,
) -> AsyncIterator[tuple[Answers, Callable[..., Awaitable[Place]]]]:
    """Yield a cache, and what looks `REQUEST` up in it and brings an answer if it is told to."""
    async with open_supervisor() as supervisor:
        actor = await supervisor.start(Cache(CacheSpec()))
        cache = Answers(actor.ref, SECRET, CacheConfig(), hot(), pressure)

        async def found(*, keeps: bool = False) -> Place:
            record = Record("req_1", "0", 0.0, lambda: 0.0, status=200, tier="optimal")
            glanced = cache.glance(REQUEST, CHOICES, record)
            assert glanced is not None
            with await glanced.look_up(Patience(60)) as place:
                if keeps:
                    record.summary = Summary(stop_reason="end_turn")
                    place.keep(b"{}")
            return place

        yield cache, found


async def test_a_cache_that_has_given_up_costs_no_request(autojump_clock: object) -> None:
    unknown: Any = object()
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        await world.ask(MESSAGES, ASK)
        cache = world.worker.tree.cache
        assert cache is not None
        for _ in range(6):
            cache.ref.tell(unknown)
        await trio.sleep(10)
        heard = await ask_twice(world)
    assert [one.status for one in heard] == [200, 200]
    assert how(*heard) == ["miss", "miss"]
    assert "actor.gave_up" in [line["event"] for line in world.lines]


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"),
            st.sampled_from((0, 1)),
            st.sampled_from(("a", "b", "c")),
            st.sampled_from(("", "", "", "no-cache", "no-store")),
            st.booleans(),
        ),
        st.tuples(st.just("wait"), st.sampled_from((1, 30, 59, 61, 150, 299))),
        st.tuples(st.just("clear"), st.sampled_from((None, "model:a", "provider:up", "model:b@up"))),
        st.tuples(st.just("press"), st.booleans()),
    ),
    max_size=40,
)


class TwoWorkers:
    """Two workers with a hot tier each before one cache, and beside them a list of all that they were told."""

    def __init__(self, cache: Cache) -> None:
        self.pressure = Pressure(100)
        self.workers = [Answers(cache.ref, SECRET, CacheConfig(), hot(), self.pressure) for _ in range(2)]
        self.told: dict[str, list[tuple[bytes, float]]] = {}
        self.numbers = count()

    def alive(self, model: str) -> list[tuple[bytes, float]]:
        """What may be given again, the latest last."""
        return [one for one in self.told.get(model, ()) if trio.current_time() < one[1] + 300]

    async def ask(self, worker: int, model: str, said: str, is_whole: bool) -> None:
        asked = structs.replace(REQUEST, body={"model": model}, headers={"cache-control": said} if said else {})
        record = Record("req_1", "0", 0.0, lambda: 0.0, status=200, tier="optimal", provider="up")
        record.model_asked = record.model_used = model
        glanced = self.workers[worker].glance(asked, CHOICES, record)
        if glanced is None:
            assert (said, record.cache) == ("no-store", "bypass")
            return
        with await glanced.look_up(Patience(60)) as place:
            alive = self.alive(model)
            assert record.cache == ("hit" if alive and not said else "miss")
            if place.kept is not None:
                (since_s,) = (since_s for body, since_s in alive if body == place.kept.body)
                assert place.age_s == pytest.approx(trio.current_time() - since_s)
                return
            record.summary = Summary(stop_reason="end_turn" if is_whole else "max_tokens")
            body = b"%d" % next(self.numbers)
            place.keep(body)
        if is_whole and not self.pressure.is_tight:
            self.told.setdefault(model, []).append((body, trio.current_time()))

    async def clear(self, tag: str | None) -> None:
        for worker in self.workers:
            await worker.clear(tag)
        for model in "abc":
            if tag in (None, f"model:{model}", "provider:up", f"model:{model}@up"):
                self.told.pop(model, None)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_two_tiers_and_two_workers_give_what_one_list_would(steps: list[tuple[Any, ...]]) -> None:
    async def act() -> None:
        async with open_supervisor() as supervisor:
            both = TwoWorkers(await supervisor.start(Cache(CacheSpec())))
            for step in steps:
                match step:
                    case ("ask", worker, model, said, is_whole):
                        await both.ask(worker, model, said, is_whole)
                    case ("wait", seconds):
                        await trio.sleep(seconds)
                    case ("clear", tag):
                        await both.clear(tag)
                    case ("press", is_pressed):
                        both.pressure.look(85 if is_pressed else 0)

    run_jumping(act)
