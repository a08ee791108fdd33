"""Clients that forget what providers want back: the vault puts it back, for the same client and provider alone.

Every provider here refuses a conversation in which one of its calls stands without the state that it gave with it.
"""

import hashlib
import json

import pytest

from tests.world.router import World, config_of, open_router
from tests.world.stateful import (
    MODELS,
    REPLIES,
    ForgetfulChat,
    ForgetfulMessages,
    ForgetfulOllama,
    ForgetfulResponses,
    providers,
    state,
    strict,
)
from ucr.config.model import Client, State

pytestmark = pytest.mark.usefixtures("both_lanes")

Forgetful = type[ForgetfulChat | ForgetfulMessages | ForgetfulOllama | ForgetfulResponses]
CLIENTS: tuple[Forgetful, ...] = (ForgetfulChat, ForgetfulMessages, ForgetfulOllama, ForgetfulResponses)
OWN_DIALECT = {("anthropic", ForgetfulMessages), ("responses", ForgetfulResponses)}
"""Here everything passes as it is: a client of a provider's own dialect keeps the state itself."""

CASES = [(name, client) for name in REPLIES for client in CLIENTS if (name, client) not in OWN_DIALECT]
CHATS = ["gemini", "deepseek", "openrouter"]


def unforgiving() -> dict[str, object]:
    return {name: strict(name, forgives=False) for name in REPLIES}


def sent(world: World, name: str, number: int) -> str:
    return world.upstreams[name].requests[number].body.decode()


@pytest.mark.parametrize(("name", "make_client"), CASES)
async def test_a_client_that_forgets_a_providers_state_is_served_on(
    name: str, make_client: Forgetful, autojump_clock: object
) -> None:
    client = make_client()
    async with open_router(config_of(*providers()), **unforgiving()) as world:  # type: ignore[arg-type]
        for _ in range(3):
            heard = await world.ask(client.path, client.body(f"{name}/{MODELS[name]}"))
            assert heard.status == 200, heard.body
            client.hear(heard.json())
        assert [sent(world, name, number).count(state(name)) for number in range(3)] == [0, 1, 2]
        assert not [line for line in world.lines if state(name) in json.dumps(line)], "none of it is logged"


@pytest.mark.parametrize("name", CHATS)
async def test_the_same_holds_for_streams(name: str, autojump_clock: object) -> None:
    client = ForgetfulChat()
    async with open_router(config_of(*providers()), **unforgiving()) as world:  # type: ignore[arg-type]
        for _ in range(3):
            heard = await world.ask(client.path, {**client.body(f"{name}/{MODELS[name]}"), "stream": True})
            assert heard.status == 200, heard.body
            client.hear_stream(heard.events())
        assert sent(world, name, 2).count(state(name)) == 2


@pytest.mark.parametrize(
    ("first", "second"), [("gemini", "deepseek"), ("deepseek", "gemini"), ("openrouter", "responses")]
)
async def test_a_provider_that_is_switched_to_gets_nothing_and_one_that_is_switched_back_to_gets_its_own(
    first: str, second: str, autojump_clock: object
) -> None:
    client = ForgetfulChat()
    upstreams = {name: strict(name) for name in REPLIES}
    async with open_router(config_of(*providers()), **upstreams) as world:
        for name in (first, second, first, second):
            heard = await world.ask(client.path, client.body(f"{name}/{MODELS[name]}"))
            assert heard.status == 200, heard.body
            client.hear(heard.json())
        for name in (first, second):
            assert [state(name) in sent(world, name, number) for number in range(2)] == [False, True]


async def test_what_was_given_to_one_client_is_not_put_back_for_another(autojump_clock: object) -> None:
    keys = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two")}
    clients = tuple(Client(name, key) for name, key in keys.items())
    client = ForgetfulChat()
    async with open_router(config_of(*providers(), clients=clients), gemini=strict("gemini")) as world:
        body = client.body(f"gemini/{MODELS['gemini']}")
        heard = await world.ask(client.path, body, headers={"x-api-key": "one"})
        client.hear(heard.json())
        for name in ("two", "one"):
            heard = await world.ask(client.path, client.body(body["model"]), headers={"x-api-key": name})
            assert heard.status == 200
        assert [state("gemini") in sent(world, "gemini", number) for number in (1, 2)] == [False, True]


async def test_a_vault_that_is_not_wanted_keeps_nothing(autojump_clock: object) -> None:
    client = ForgetfulChat()
    config = config_of(*providers(), state=State(enabled=False))
    async with open_router(config, **unforgiving()) as world:  # type: ignore[arg-type]
        statuses = []
        for _ in range(2):
            heard = await world.ask(client.path, client.body(f"deepseek/{MODELS['deepseek']}"))
            statuses.append(heard.status)
            if heard.status == 200:
                client.hear(heard.json())
        assert statuses == [200, 400]


async def test_a_state_that_has_grown_too_old_is_no_state(autojump_clock: object) -> None:
    import trio

    client = ForgetfulChat()
    config = config_of(*providers(), state=State(ttl_s=60))
    async with open_router(config, gemini=strict("gemini")) as world:
        client.hear((await world.ask(client.path, client.body(f"gemini/{MODELS['gemini']}"))).json())
        await trio.sleep(61)
        assert (await world.ask(client.path, client.body(f"gemini/{MODELS['gemini']}"))).status == 200
        assert state("gemini") not in sent(world, "gemini", 1)
