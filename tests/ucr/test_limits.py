"""The limits of clients, as the clients see them."""

import re
from dataclasses import replace
from typing import Any

import pytest
import trio
from msgspec import structs

from actors import Borrower
from actors.purse import Purse
from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.access import digest
from ucr.config.model import Budget, Cache, Client, Config, Price
from ucr.events import Usage
from ucr.limits import ClientLimits, tokens_used
from ucr.record import Record

MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": TURN}
HELLO = answers.says(200, answers.chat_reply())


def limited(**limits: Any) -> Config:
    clients = (Client("a", digest("key-a"), **limits), Client("b", digest("key-b")))
    return replace(config_of(provider("up", "openai-chat")), clients=clients)


async def ask(world: World, path: str = MESSAGES, key: str = "key-a", body: Any = ASK) -> Any:
    return await world.ask(path, body, headers={"x-api-key": key})


async def test_one_request_too_many_in_a_minute_is_refused_in_the_anthropic_dialect(
    autojump_clock: object,
) -> None:
    async with open_router(limited(rpm=3), up=HELLO) as world:
        assert [(await ask(world)).status for _ in range(3)] == [200, 200, 200]
        refused = await ask(world)
        assert refused.status == 429
        assert refused.json()["type"] == "error"
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert "client 'a': 3 requests a minute are used up" in refused.json()["error"]["message"]
        assert refused.headers["anthropic-ratelimit-requests-limit"] == "3"
        assert refused.headers["anthropic-ratelimit-requests-remaining"] == "0"
        wait_s = int(refused.headers["retry-after"])
        assert 55 <= wait_s <= 63
        assert "x-should-retry" not in refused.headers
        assert len(world.upstreams["up"].requests) == 3
        await trio.sleep(wait_s + 1)
        assert (await ask(world)).status == 200
    assert [line["status"] for line in world.finished] == [200, 200, 200, 429, 200]
    assert world.finished[3]["client"] == "a"
    assert world.finished[3]["error_type"] == "rate_limit_error"


async def test_an_openai_client_is_refused_in_its_own_dialect(autojump_clock: object) -> None:
    async with open_router(limited(rpm=1), up=HELLO) as world:
        assert (await ask(world, CHAT)).status == 200
        refused = await ask(world, CHAT)
    assert refused.status == 429
    assert set(refused.json()["error"]) == {"message", "type", "param", "code"}
    assert refused.headers["x-ratelimit-limit-requests"] == "1"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-ratelimit-reset-requests"] == refused.headers["retry-after"] + "s"


@pytest.mark.usefixtures("both_lanes")
async def test_answers_say_what_is_left_of_the_limits(autojump_clock: object) -> None:
    async with open_router(limited(rpm=10, tpm=5000), up=HELLO) as world:
        first = await ask(world)
        second = await ask(world, CHAT)
        other = await ask(world, key="key-b")
    assert first.headers["anthropic-ratelimit-requests-limit"] == "10"
    assert first.headers["anthropic-ratelimit-requests-remaining"] == "9"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[0-9:]{8}Z", first.headers["anthropic-ratelimit-requests-reset"])
    assert first.headers["anthropic-ratelimit-tokens-limit"] == "5000"
    assert 4900 < int(first.headers["anthropic-ratelimit-tokens-remaining"]) < 5000
    assert second.headers["x-ratelimit-limit-requests"] == "10"
    assert second.headers["x-ratelimit-remaining-requests"] == "8"
    assert second.headers["x-ratelimit-reset-requests"] == "61s"
    assert not [name for name in other.headers if "ratelimit" in name]


async def test_own_limits_stand_in_the_place_of_the_providers(autojump_clock: object) -> None:
    said = (("x-ratelimit-limit-requests", "999"), ("x-ratelimit-limit-tokens", "7777"))
    reply = answers.says(200, answers.chat_reply(), headers=(*answers.JSON, *said))
    async with open_router(limited(rpm=10), up=reply) as world:
        heard = await ask(world, CHAT)
        free = await ask(world, CHAT, key="key-b")
    assert heard.headers["x-ratelimit-limit-requests"] == "10"
    assert heard.headers["x-ratelimit-limit-tokens"] == "7777"
    assert free.headers["x-ratelimit-limit-requests"] == "999"


@pytest.mark.usefixtures("both_lanes")
async def test_a_model_that_a_client_may_not_ask_for_is_refused_and_not_listed(autojump_clock: object) -> None:
    async with open_router(limited(models=("claude-haiku*", "up-*")), up=HELLO) as world:
        refused = [await ask(world), await ask(world, "/v1/messages/count_tokens"), await ask(world, CHAT)]
        served = await ask(world, body={**ASK, "model": "claude-haiku-4-5[1m]"})
        free = await ask(world, key="key-b")
        listed = await world.ask("/v1/models", method="GET", headers={"authorization": "Bearer key-a"})
        assert len(world.upstreams["up"].requests) == 2
    assert [answer.status for answer in refused] == [403, 403, 403]
    assert refused[0].json()["error"]["type"] == "permission_error"
    assert "may not ask for claude-x" in refused[0].json()["error"]["message"]
    assert (served.status, free.status) == (200, 200)
    assert [entry["id"] for entry in listed.json()["data"]] == ["up-model"]


async def test_a_client_over_its_limit_is_no_matter_to_another(autojump_clock: object) -> None:
    async with open_router(limited(rpm=1, tpm=10, concurrency=1), up=HELLO) as world:
        await ask(world)
        assert (await ask(world)).status == 429
        assert [(await ask(world, key="key-b")).status for _ in range(5)] == [200] * 5


async def test_no_more_requests_than_allowed_run_at_one_time(autojump_clock: object) -> None:
    slow = answers.streams(answers.chat_text("Hel", "lo"), first_s=5.0)
    async with open_router(limited(concurrency=2), up=slow) as world:
        found: list[int] = []

        async def visit() -> None:
            found.append((await ask(world, body={**ASK, "stream": True})).status)

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(visit)
        assert sorted(found) == [200, 200, 429, 429, 429]
        assert (await ask(world, body={**ASK, "stream": True})).status == 200


async def test_a_client_that_leaves_gives_its_permit_back_at_once(autojump_clock: object) -> None:
    slow = answers.streams(answers.chat_text("Hel", "lo"), first_s=500.0)
    async with open_router(limited(concurrency=1), up=(slow, HELLO)) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, ASK, headers={"x-api-key": "key-a"})
        await world.upstreams["up"].wait_requests(1)
        refused = await ask(world)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        await visitor.stream.aclose()
        await trio.sleep(0.1)
        assert (await ask(world)).status == 200


async def test_tokens_are_estimated_first_and_then_corrected_by_what_was_reported(
    autojump_clock: object,
) -> None:
    reply = answers.chat_reply()
    reply["usage"] = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
    async with open_router(limited(tpm=2000), up=answers.says(200, reply)) as world:
        assert (await ask(world)).status == 200
        await trio.sleep(1.1)
        assert (await ask(world)).status == 200
        await trio.sleep(1.1)
        refused = await ask(world)
        assert refused.status == 429
        assert refused.headers["anthropic-ratelimit-tokens-limit"] == "2000"
        assert "2000 tokens a minute" in refused.json()["error"]["message"]
        await trio.sleep(int(refused.headers["retry-after"]) + 1)
        assert (await ask(world)).status == 200


async def test_a_large_estimate_is_given_back_when_little_was_used(autojump_clock: object) -> None:
    large = {**ASK, "messages": [{"role": "user", "content": "word " * 2000}]}
    async with open_router(limited(tpm=4000), up=HELLO) as world:
        for _ in range(5):
            assert (await ask(world, body=large)).status == 200
            await trio.sleep(1.1)


async def test_a_request_larger_than_the_limit_is_served_when_nothing_else_was_used(
    autojump_clock: object,
) -> None:
    large = {**ASK, "messages": [{"role": "user", "content": "word " * 2000}]}
    async with open_router(limited(tpm=100), up=HELLO) as world:
        assert (await ask(world, body=large)).status == 200


async def test_a_refused_request_costs_no_tokens(autojump_clock: object) -> None:
    broken = answers.says(400, {"error": {"message": "no", "type": "invalid_request_error"}})
    async with open_router(limited(tpm=60), up=(broken, broken, broken, HELLO)) as world:
        for _ in range(3):
            assert (await ask(world)).status == 400
            await trio.sleep(1.1)
        assert (await ask(world)).status == 200


async def test_counting_and_looking_round_is_not_limited(autojump_clock: object) -> None:
    async with open_router(limited(rpm=1), up=HELLO) as world:
        await ask(world)
        for _ in range(3):
            assert (await ask(world, "/v1/messages/count_tokens")).status == 200
        assert (await world.ask("/v1/models", method="GET", headers={"x-api-key": "key-a"})).status == 200


@pytest.mark.parametrize(
    ("usage", "status", "tokens"),
    [
        (Usage(10, 5, cache_read_tokens=1000, cache_creation_tokens=3), 200, 18),
        (Usage(10, None), 200, 10),
        (Usage(), 200, 77),
        (Usage(), 529, 0),
        (Usage(), 0, 0),
    ],
)
def test_what_a_request_counts_for(usage: Usage, status: int, tokens: int) -> None:
    record = Record("req_1", "0", 0.0, lambda: 0.0, status=status)
    record.summary = structs.replace(record.summary, usage=usage)
    assert tokens_used(record, 77) == tokens


def test_an_answer_from_the_cache_counts_for_nothing() -> None:
    record = Record("req_1", "0", 0.0, lambda: 0.0, status=200, cache="hit")
    assert tokens_used(record, 77) == 0


async def test_nobody_is_refused_because_there_is_no_lender(autojump_clock: object) -> None:
    client = Client("a", "", rpm=10, concurrency=1)
    limits = ClientLimits(Borrower("alone"), Purse("alone", lambda: 0.0), lambda: 0.0)
    for _ in range(10):
        with await limits.enter(client, Record("req_1", "0", 0.0, lambda: 0.0)):
            pass


def budgeted(usd: float, per: Any = "day", **prices: float) -> Config:
    config = limited(budget=Budget(usd, per))
    return replace(config, prices=(Price(prices.get("input", 0.0), prices.get("output", 1000.0), "up"),))


def used(output: int) -> Any:
    reply = answers.chat_reply()
    reply["usage"] = {"prompt_tokens": 10, "completion_tokens": output, "total_tokens": 10 + output}
    return answers.says(200, reply)


@pytest.mark.usefixtures("both_lanes")
async def test_a_budget_is_held_before_and_settled_after(autojump_clock: object) -> None:
    # A token of output costs 0.001 USD and a request allows 50: at most 0.05 USD.
    async with open_router(budgeted(0.1), up=(used(20), used(40), used(1))) as world:
        heard = [await ask(world) for _ in range(3)]
    assert [answer.status for answer in heard] == [200, 200, 429]
    refused = heard[2].json()["error"]
    assert refused["type"] == "rate_limit_error"
    assert "may cost 0.0500 USD" in refused["message"]
    assert "0.1 USD a day: 0.0600 USD are spent" in refused["message"]
    assert 0 < int(heard[2].headers["retry-after"]) <= 86_400
    assert heard[2].headers["x-should-retry"] == "false"
    assert [line["cost_usd"] for line in world.finished] == [0.02, 0.04, None]


async def test_an_openai_client_is_told_of_its_budget_in_its_own_dialect(autojump_clock: object) -> None:
    async with open_router(budgeted(0.01, "total"), up=HELLO) as world:
        refused = await ask(world, CHAT)
        assert len(world.upstreams["up"].requests) == 0
    assert (refused.status, refused.json()["error"]["code"]) == (429, "budget_exceeded")
    assert "retry-after" not in refused.headers


async def test_requests_at_one_time_never_hold_more_than_the_budget(autojump_clock: object) -> None:
    slow = answers.streams(answers.chat_text("Hel", "lo"), first_s=5.0)
    async with open_router(budgeted(0.12), up=slow) as world:
        found: list[Any] = []

        async def visit() -> None:
            found.append(await ask(world, body={**ASK, "stream": True}))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(visit)
        refused = [answer for answer in found if answer.status == 429]
        assert len(refused) == 3
        assert "running requests hold 0.1000 USD" in refused[0].json()["error"]["message"]
        assert refused[0].headers["retry-after"] == "5"


async def test_a_request_that_failed_or_came_out_of_the_cache_costs_nothing(autojump_clock: object) -> None:
    broken = answers.says(400, {"error": {"message": "no", "type": "invalid_request_error"}})
    config = replace(budgeted(0.06), cache=Cache(scope="worker"))
    async with open_router(config, up=(broken, used(10), used(50))) as world:
        heard = [await ask(world) for _ in range(4)]
        assert [answer.status for answer in heard] == [400, 200, 200, 200]
        assert heard[3].headers["x-ucr-cache"] == "hit"
        fresh = await ask(world, body={**ASK, "max_tokens": 51})
    assert fresh.status == 429
    assert "0.0100 USD are spent" in fresh.json()["error"]["message"]


async def test_a_client_that_leaves_pays_for_what_it_began(autojump_clock: object) -> None:
    slow = answers.streams(answers.chat_text("Hel", "lo"), first_s=500.0)
    async with open_router(budgeted(1.0, input=1000.0), up=(slow, HELLO)) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, ASK, headers={"x-api-key": "key-a"})
        await world.upstreams["up"].wait_requests(1)
        await visitor.stream.aclose()
        await world.wait_finished(1)
        refused = await ask(world, body={**ASK, "max_tokens": 999})
    cost_usd = world.finished[0]["cost_usd"]
    assert 0.001 < cost_usd < 0.5
    assert f"{cost_usd:.4f} USD are spent" in refused.json()["error"]["message"]


async def test_an_answer_that_says_nothing_of_its_tokens_costs_all_that_was_held(
    autojump_clock: object,
) -> None:
    reply = answers.chat_reply()
    del reply["usage"]
    async with open_router(budgeted(0.06), up=answers.says(200, reply)) as world:
        assert (await ask(world, CHAT)).status == 200
        refused = await ask(world, CHAT)
    assert refused.status == 429


async def test_a_model_without_a_price_is_not_served_on_a_budget(autojump_clock: object) -> None:
    config = replace(budgeted(1.0), prices=())
    async with open_router(config, up=HELLO) as world:
        refused = await ask(world)
        assert (await ask(world, key="key-b")).status == 200
    assert (refused.status, refused.json()["error"]["type"]) == (403, "permission_error")
    assert "add [[prices]] with provider = 'up' and model = 'up-model'" in refused.json()["error"]["message"]


async def test_a_budget_that_nobody_can_tell_of_refuses(autojump_clock: object) -> None:
    async with open_router(budgeted(1.0), up=HELLO) as world:
        world.worker.tree.purse.detach()
        refused = await ask(world)
        assert (await ask(world, key="key-b")).status == 200
    assert (refused.status, refused.headers["retry-after"]) == (529, "1")
