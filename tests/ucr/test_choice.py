"""Whom a request asks in the end: its session and its size have their say."""

from dataclasses import replace
from typing import Any

import pytest

from tests.world import answers
from tests.world.router import World, config_of, open_router, provider
from ucr.choice import chosen
from ucr.config.model import Config, ModelTarget, Router
from ucr.decision import Decisions
from ucr.dialects.roles import Request
from ucr.quirks import Quirks

GOOD = answers.says(200, answers.chat_reply())
SMALL, LARGE = Quirks(context_window=2000), Quirks(context_window=100_000)


def asked(text: str, session: str | None = None) -> Request:
    body = {"messages": [{"role": "user", "content": text}]}
    return Request("anthropic", text.encode(), body, "m", False, {}, session)


def names(config: Config, request: Request) -> list[str]:
    found = chosen(config, Decisions(config).decide(request), request)
    return [candidate.provider.id for candidate in found]


def test_a_request_that_fits_everybody_is_not_looked_into() -> None:
    config = config_of(provider("up", "openai-chat", quirks=SMALL), provider("next", "openai-chat"))
    decision = Decisions(config).decide(asked("hi"))
    assert chosen(config, decision, asked("hi")) is decision.candidates
    assert chosen(config, decision, asked("word " * 500)) is decision.candidates


def test_a_session_has_its_say_among_equals() -> None:
    equals = tuple(provider(name, "openai-chat", default_model=None, models=("m",)) for name in "pqr")
    config = Config(providers=equals)
    assert names(config, asked("hi")) == ["p", "q", "r"]
    firsts = {names(config, asked("hi", f"session-{number}"))[0] for number in range(30)}
    assert firsts == {"p", "q", "r"}


def test_a_long_request_goes_to_the_route_for_it() -> None:
    small, other = (
        provider("small", "openai-chat", quirks=SMALL),
        provider("other", "openai-chat", quirks=LARGE),
    )
    router = Router(default=(ModelTarget("small"),), tasks={"long_context": (ModelTarget("other", "long"),)})
    config = Config(providers=(small, other), router=router)
    request = asked("word " * 5000)
    first = chosen(config, Decisions(config).decide(request), request)[0]
    assert (first.provider.id, first.model, first.route, first.tier) == (
        "other",
        "long",
        "long_context",
        "optimal",
    )


def messages(words: int, **more: Any) -> dict[str, Any]:
    turn = {"role": "user", "content": "word " * words}
    return {"model": "claude-x", "max_tokens": 50, "messages": [turn], **more}


def calls(world: World) -> dict[str, int]:
    return {name: len(upstream.requests) for name, upstream in world.upstreams.items()}


@pytest.mark.usefixtures("both_lanes")
async def test_what_is_too_long_for_the_first_goes_to_one_where_it_fits(autojump_clock: object) -> None:
    config = config_of(
        provider("small", "openai-chat", quirks=SMALL), provider("large", "openai-chat", quirks=LARGE)
    )
    async with open_router(config, small=GOOD, large=GOOD) as world:
        heard = [await world.ask("/v1/messages", messages(words)) for words in (100, 5000)]
    assert [answer.headers["x-ucr-provider"] for answer in heard] == ["small", "large"]
    assert calls(world) == {"small": 1, "large": 1}
    assert heard[1].headers["x-ucr-attempts"] == "1"


@pytest.mark.usefixtures("both_lanes")
@pytest.mark.parametrize("stream", [False, True])
async def test_what_fits_nobody_is_refused_at_once_in_the_words_at_which_clients_compact(
    stream: bool, autojump_clock: object
) -> None:
    config = config_of(provider("small", "openai-chat", quirks=SMALL))
    async with open_router(config, small=GOOD) as world:
        heard = await world.ask("/v1/messages", messages(5000, stream=stream))
        chat = await world.ask("/v1/chat/completions", messages(5000, stream=stream))
        counted = await world.ask("/v1/messages/count_tokens", messages(5000))
    assert calls(world) == {"small": 0}
    assert heard.status == 400
    assert heard.json()["error"]["type"] == "invalid_request_error"
    assert heard.json()["error"]["message"].startswith("prompt is too long: ")
    assert heard.json()["error"]["message"].endswith(" tokens > 2000 maximum")
    assert (chat.status, chat.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert counted.json()["input_tokens"] > 2000
    assert world.finished[0]["error_type"] == "invalid_request_error"


@pytest.mark.usefixtures("both_lanes")
async def test_a_session_asks_the_same_of_two_equal_providers_while_it_is_well(autojump_clock: object) -> None:
    equals = tuple(provider(name, "openai-chat", models=("claude-x",)) for name in ("p", "q"))
    config = replace(config_of(*equals), router=Router())
    sessions = [f"session-{number}" for number in range(8)]
    async with open_router(config, p=GOOD, q=GOOD) as world:
        used: dict[str, set[str]] = {}
        for session in sessions * 3:
            heard = await world.ask("/v1/messages", messages(1), headers={"x-claude-code-session-id": session})
            used.setdefault(session, set()).add(heard.headers["x-ucr-provider"])
    assert all(len(providers) == 1 for providers in used.values())
    assert set.union(*used.values()) == {"p", "q"}
