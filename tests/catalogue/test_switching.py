"""A conversation that moves from one provider to another and back: each gets its own state, and nobody else's.

Every provider here is strict as the real ones are: it refuses what another one signed or sealed, and the words of the
router's envelopes. Whoever is asked again gets what it had sealed before, unchanged.
"""

import json

import pytest

from tests.world.router import World, config_of, open_router
from tests.world.stateful import MODELS, PAIRS, REPLIES, Chat, Messages, Responses, providers, state, strict

pytestmark = pytest.mark.usefixtures("both_lanes")


def sent(world: World, name: str, number: int) -> str:
    body = world.upstreams[name].requests[number].body
    return json.dumps(json.loads(body))


@pytest.mark.parametrize("make_client", [Messages, Responses, Chat])
@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_a_session_switches_providers_and_back(
    first: str, second: str, make_client: type[Messages | Responses | Chat], autojump_clock: object
) -> None:
    client = make_client()
    upstreams = {name: strict(name) for name in REPLIES}
    async with open_router(config_of(*providers()), **upstreams) as world:
        for name in (first, second, first, second):
            heard = await world.ask(client.path, client.body(f"{name}/{MODELS[name]}"))
            assert heard.status == 200, heard.body
            assert heard.headers["x-ucr-attempts"] == "1"
            client.hear(heard.json())
    for name in (first, second):
        assert state(name) not in sent(world, name, 0)
        assert state(name) in sent(world, name, 1), "it came back to whom it belongs"


@pytest.mark.parametrize(("first", "second"), [("anthropic", "bedrock"), ("bedrock", "anthropic")])
async def test_a_session_moves_between_two_places_of_claude_with_all_that_claude_signed(
    first: str, second: str, autojump_clock: object
) -> None:
    client = Messages()
    upstreams = {name: strict(name) for name in REPLIES}
    async with open_router(config_of(*providers()), **upstreams) as world:
        for name in (first, second, first):
            heard = await world.ask(client.path, client.body(f"{name}/{MODELS[name]}"))
            assert heard.status == 200, heard.body
            client.hear(heard.json())
    assert state(first) in sent(world, second, 0)
    assert state(first) in sent(world, first, 1) and state(second) in sent(world, first, 1)
