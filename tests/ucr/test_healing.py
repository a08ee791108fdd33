"""Refusals that are understood: one more call without what was refused, and none for the next request."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.catalogue import Quirks
from ucr.dialects.roles import Context, Outgoing
from ucr.errors import UpstreamError
from ucr.explaining import HEADER
from ucr.healing import KEPT_S, REMEDIES_LIMIT, Healing, healed, remedy_for
from ucr.messages import RemedyFound
from ucr.remedies import Remedy
from ucr.stress.upstream import Answer, SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 500, "temperature": 0.5, "messages": TURN}
REFUSAL = {"error": {"message": "Unsupported parameter: 'temperature' is not supported with this model."}}
STREAM = answers.streams(answers.chat_text("hello"))
SEED = Remedy("drop", ("seed",))


def refusing(field: str, refusal: Any, reply: Any, status: int = 400) -> Any:
    """Return a handler that refuses requests with a field in their bodies or betas."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        betas = dict(request.headers).get("anthropic-beta", "")
        is_refused = field in json.loads(request.body) or field in betas
        await answers.says(*((status, refusal) if is_refused else (200, reply)))(request, answer)

    return handle


def bodies(world: World) -> list[Any]:
    return [json.loads(request.body) for request in world.upstreams["up"].requests]


async def test_a_refused_field_is_left_out_and_remembered(autojump_clock: object) -> None:
    up = refusing("temperature", REFUSAL, answers.chat_reply())
    async with open_router(config_of(provider("up", "openai-chat")), up=up) as world:
        first = await world.ask("/v1/messages", ASK)
        second = await world.ask("/v1/messages", {**ASK, "top_p": 0.5})
        why = await world.ask("/v1/messages", ASK, headers={HEADER: "1"})
    assert (first.status, first.headers["x-ucr-attempts"]) == (200, "2")
    assert first.headers["x-ucr-notes"] == "left out temperature"
    assert (second.status, second.headers["x-ucr-attempts"]) == (200, "1")
    assert second.headers["x-ucr-notes"] == "left out temperature (refused before)"
    assert ["temperature" in body for body in bodies(world)] == [True, False, False]
    assert [line["healed"] for line in world.finished[:2]] == ["left out temperature", None]
    assert why.json()["candidates"][0]["remedies"] == ["left out temperature"]


async def test_what_another_worker_has_found_out_is_believed(autojump_clock: object) -> None:
    up = refusing("temperature", REFUSAL, answers.chat_reply())
    async with open_router(config_of(provider("up", "openai-chat")), up=up) as world:
        world.worker.learn(RemedyFound("up", "up-model", "drop", ("temperature",)))
        heard = await world.ask("/v1/messages", ASK)
        why = await world.ask("/v1/messages", ASK, headers={HEADER: "1"})
    assert (heard.status, heard.headers["x-ucr-attempts"]) == (200, "1")
    assert why.json()["candidates"][0]["remedies"] == ["left out temperature"]


async def test_what_helped_is_told_once(autojump_clock: object) -> None:
    told: list[tuple[str, str, Remedy]] = []
    up = refusing("temperature", REFUSAL, answers.chat_reply())
    async with open_router(config_of(provider("up", "openai-chat")), up=up) as world:
        api = world.worker.api
        api.publish(replace(api.generation.router, on_remedy=lambda *lesson: told.append(lesson)))
        for _ in range(2):
            assert (await world.ask("/v1/messages", ASK)).status == 200
    assert told == [("up", "up-model", Remedy("drop", ("temperature",)))]


async def test_a_stream_is_healed_before_it_begins(autojump_clock: object) -> None:
    async def up(request: SeenRequest, answer: Answer) -> None:
        handler = answers.says(400, REFUSAL) if "temperature" in json.loads(request.body) else STREAM
        await handler(request, answer)

    async with open_router(config_of(provider("up", "openai-chat")), up=up) as world:
        heard = await world.ask("/v1/messages", {**ASK, "stream": True})
    assert heard.events()[-1]["type"] == "message_stop"
    assert world.finished[0]["status"] == 200


async def test_a_beta_goes_with_its_field_after_a_refusal(autojump_clock: object) -> None:
    beta = "context-management-2025-06-27"
    words = f"Unexpected value(s) `{beta}` for the `anthropic-beta` header."
    refusal = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
    up = refusing(beta, refusal, answers.anthropic_reply())
    body = {**ASK, "context_management": {"edits": []}}
    async with open_router(config_of(provider("up", "anthropic")), up=up) as world:
        heard = await world.ask("/v1/messages", body, headers={"anthropic-beta": f"a-1,{beta}"})
    seen = world.upstreams["up"].requests
    assert heard.status == 200
    assert [dict(request.headers)["anthropic-beta"] for request in seen] == [f"a-1,{beta}", "a-1"]
    assert ["context_management" in body for body in bodies(world)] == [True, False]


async def test_the_first_refusal_is_told_when_the_remedy_does_not_help(autojump_clock: object) -> None:
    up = answers.says(400, REFUSAL)
    async with open_router(config_of(provider("up", "openai-chat")), up=up) as world:
        heard = await world.ask("/v1/messages", ASK)
        again = await world.ask("/v1/messages", ASK)
    assert (heard.status, heard.headers["x-ucr-attempts"]) == (400, "2")
    assert REFUSAL["error"]["message"] in heard.body.decode()
    assert again.headers["x-ucr-attempts"] == "2"
    assert world.finished[0]["healed"] is None


async def test_another_failure_after_a_remedy_goes_to_the_next(autojump_clock: object) -> None:
    up = (answers.says(400, REFUSAL), answers.says(503, {}))
    config = config_of(provider("up", "openai-chat"), provider("next", "openai-chat"))
    async with open_router(config, up=up, next=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        200,
        "next",
        "3",
    )


@pytest.mark.parametrize("message", ["messages: text content blocks must be non-empty", "no"])
async def test_words_that_nobody_understands_pass(message: str, autojump_clock: object) -> None:
    up = answers.says(400, {"error": {"message": message}})
    async with open_router(config_of(provider("up", "openai-chat")), up=up) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, len(bodies(world))) == (400, 1)


async def test_a_provider_may_be_left_as_it_is(autojump_clock: object) -> None:
    up = refusing("temperature", REFUSAL, answers.chat_reply())
    config = config_of(provider("up", "openai-chat", quirks=Quirks(heal=False)))
    async with open_router(config, up=up) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, len(bodies(world))) == (400, 1)


async def test_a_request_that_may_not_ask_again_is_not_healed(autojump_clock: object) -> None:
    up = refusing("temperature", REFUSAL, answers.chat_reply())
    config = config_of(provider("up", "openai-chat"), max_attempts=1)
    async with open_router(config, up=up) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, len(bodies(world))) == (400, 1)


async def test_a_very_large_request_is_healed_too(autojump_clock: object) -> None:
    up = refusing("temperature", REFUSAL, answers.chat_reply())
    body = {**ASK, "messages": [{"role": "user", "content": "x" * 2_000_000}]}
    async with open_router(config_of(provider("up", "openai-chat")), up=up) as world:
        statuses = [(await world.ask("/v1/messages", body)).status for _ in range(2)]
    assert statuses == [200, 200]
    assert len(bodies(world)) == 3


def outgoing(body: bytes, betas: str | None = None) -> Outgoing:
    context = Context("p", "m", "m", False, Quirks())
    headers = (("accept", "a"), *((("anthropic-beta", betas),) if betas else ()))
    return Outgoing("/x", headers, body, context)


def refused(message: str, **changes: Any) -> UpstreamError:
    fields = {"fault": "request", "upstream_status": 400} | changes
    return UpstreamError("invalid_request_error", message, **fields)


def test_only_refusals_are_healed() -> None:
    words, sent = "Unknown parameter: 'seed'.", outgoing(b'{"seed":1}')
    found = remedy_for(refused(words), sent)
    assert found is not None
    assert (found[0], found[1].body, found[1].notes) == (SEED, b"{}", ("left out seed",))
    assert remedy_for(refused(words, upstream_status=404), sent) is None
    assert remedy_for(refused(words, fault="overflow"), sent) is None
    assert remedy_for(refused(words), outgoing(b"no JSON")) is None
    assert remedy_for(refused(words), outgoing(b"[]")) is None


def test_a_header_without_betas_is_not_sent() -> None:
    made = healed(outgoing(b"{}", "a-1"), (Remedy("beta", value="a-1"),))
    assert made.headers == (("accept", "a"),)


def test_a_request_without_what_was_refused_stays_as_it_is() -> None:
    sent = outgoing(b'{ "a":1 }')
    assert healed(sent, (SEED,)) is sent


def test_what_helped_is_forgotten_after_a_day() -> None:
    healing = Healing()
    assert healing.learn("p", "m", SEED, 0.0)
    assert not healing.learn("p", "m", SEED, 1.0)
    assert healing.of("p", "m", KEPT_S) == (SEED,)
    assert healing.of("p", "m", KEPT_S + 1) == healing.of("p", "other", 0.0) == ()
    assert healing.learn("p", "m", SEED, KEPT_S + 1)


def test_what_is_good_once_is_not_remembered() -> None:
    healing = Healing()
    healing.learn("p", "m", Remedy("thoughts"), 0.0)
    assert not healing.known


def test_no_more_bytes_are_kept_than_may_be() -> None:
    healing = Healing(limit_bytes=20_000)
    for number in range(200):
        healing.learn("p", f"model-{number}", SEED, 0.0)
        assert healing.bytes <= 20_000
    assert healing.of("p", "model-199", 0.0) == (SEED,)
    assert healing.of("p", "model-0", 0.0) == ()
    for number in range(50):
        healing.learn("p", "model-199", Remedy("drop", (f"f{number}",)), 0.0)
    assert len(healing.of("p", "model-199", 0.0)) == REMEDIES_LIMIT
    assert len(healing.known) > 1


async def test_a_provider_gets_only_the_betas_that_it_takes_and_their_fields(autojump_clock: object) -> None:
    betas = "effort-2025-11-24,context-management-2025-06-27"
    body = {**ASK, "context_management": {"edits": []}, "output_config": {"effort": "low"}}
    config = config_of(provider("up", "anthropic", quirks=Quirks(betas=("effort-*",))))
    async with open_router(config, up=answers.says(200, answers.anthropic_reply())) as world:
        heard = await world.ask("/v1/messages", body, headers={"anthropic-beta": betas})
        none = await world.ask("/v1/messages", body, headers={"anthropic-beta": betas.split(",")[1]})
    first, second = (dict(request.headers) for request in world.upstreams["up"].requests)
    assert (first["anthropic-beta"], "anthropic-beta" in second) == ("effort-2025-11-24", False)
    assert all("context_management" not in body and "output_config" in body for body in bodies(world))
    assert heard.headers["x-ucr-notes"] == "left out beta context-management-2025-06-27"
    assert none.status == 200
