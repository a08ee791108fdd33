from dataclasses import replace
from typing import Any

import pytest
import trio

from actors import Cache, CacheSpec
from tests.world import answers
from tests.world.router import Heard, World, config_of, open_router, provider
from ucr.access import digest
from ucr.caching import COMPLETE, Answers, clear, key_of, may_keep, may_use
from ucr.config.model import Cache as CacheConfig
from ucr.config.model import Client, Config
from ucr.dialects.roles import Request, Summary
from ucr.record import Record
from ucr.routing import Candidate

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


async def test_an_answer_is_given_again_for_its_time_only(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        first = await world.ask(MESSAGES, ASK)
        await trio.sleep(301)
        second = await world.ask(MESSAGES, ASK)
    assert how(first, second) == ["miss", "miss"]


@pytest.mark.parametrize("words", ["no-store", "no-cache", "max-age=0, No-Cache"])
async def test_a_request_may_ask_to_go_past_the_cache(words: str, autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = await ask_twice(world, **{"cache-control": words})
    assert how(*heard) == ["bypass", "bypass"]
    assert len(world.upstreams["up"].requests) == 2


async def test_streams_go_past_the_cache(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.streams(answers.anthropic_text("hi"))) as world:
        heard = await ask_twice(world, {**ASK, "stream": True})
    assert how(*heard) == ["bypass", "bypass"]


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


def test_whatever_changes_an_answer_changes_the_key() -> None:
    other = provider("other", "anthropic")
    keys = [
        key_of(SECRET, REQUEST, CHOICES, ""),
        key_of(b"t" * 32, REQUEST, CHOICES, ""),
        key_of(SECRET, REQUEST, CHOICES, "ann"),
        key_of(SECRET, replace(REQUEST, raw=b'{"a": 2}'), CHOICES, ""),
        key_of(SECRET, replace(REQUEST, dialect="openai-chat"), CHOICES, ""),
        key_of(SECRET, replace(REQUEST, headers={"anthropic-beta": "b-1"}), CHOICES, ""),
        key_of(SECRET, replace(REQUEST, headers={"anthropic-version": "b-1"}), CHOICES, ""),
        key_of(SECRET, REQUEST, (replace(CHOICES[0], model="claude-y"),), ""),
        key_of(SECRET, REQUEST, (replace(CHOICES[0], provider=other),), ""),
        key_of(SECRET, REQUEST, CHOICES * 2, ""),
    ]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {32}


def test_headers_that_change_no_answer_do_not_change_the_key() -> None:
    told = replace(REQUEST, headers={"user-agent": "x", "x-cache-key": "chosen by the client"})
    assert key_of(SECRET, told, CHOICES, "") == key_of(SECRET, REQUEST, CHOICES, "")


@pytest.mark.parametrize(
    ("changes", "body", "kept"),
    [
        ({}, b"{}", True),
        ({"tier": "simple"}, b"{}", False),
        ({"tier": "emergency"}, b"{}", False),
        ({"status": 529}, b"{}", False),
        ({"error_type": "api_error"}, b"{}", False),
        ({"summary": Summary(stop_reason="max_tokens")}, b"{}", False),
        ({"summary": Summary(stop_reason="tool_use")}, b"{}", False),
        ({"summary": Summary()}, b"{}", False),
        ({}, b'{"content":[{"type":"tool_use"}]}', False),
        ({}, b'{"choices":[{"message":{"tool_calls":[{"id":"1"}]}}]}', False),
    ],
)
def test_only_whole_answers_without_tool_use_are_kept(changes: dict[str, Any], body: bytes, kept: bool) -> None:
    record = Record("req_1", "0", 0.0, lambda: 0.0, status=200, summary=Summary(stop_reason="end_turn"))
    record.tier = "optimal"
    for name, value in changes.items():
        setattr(record, name, value)
    assert may_keep(record, body) is kept


def test_a_request_that_says_nothing_may_use_the_cache() -> None:
    assert may_use({})
    assert may_use({"cache-control": "max-age=5"})
    assert "end_turn" in COMPLETE


async def test_a_cache_that_does_not_answer_in_time_is_a_miss(autojump_clock: object) -> None:
    silent = Answers(Cache(CacheSpec()).ref, SECRET)
    record = Record("req_1", "0", 0.0, lambda: 0.0)
    began_s = trio.current_time()
    with await silent.find(REQUEST, CHOICES, record) as place:
        assert trio.current_time() - began_s == pytest.approx(0.05)
        place.keep(b"{}")
    assert (place.body, record.cache, repr(place)) == (None, "miss", "<Place miss>")
    assert await clear(silent) == 0
    assert await clear(None) == 0


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
