"""The failure catalogue, 102: bodies that are broken, odd, hostile or too large."""

import json

import pytest
import trio

from tests.world import answers
from tests.world.attackers import named, said, see_alive
from tests.world.router import World, config_of, open_router, provider
from ucr.config.model import Server
from ucr.stress.attacks.bodies import BODIES, LIMIT_BYTES, BadBody
from ucr.stress.attacks.wire import Answer, answers_in

pytestmark = pytest.mark.usefixtures("both_lanes")

PATHS = ("/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions")
CONFIG = config_of(provider("up", "openai-chat"))
OTHERS = ("cut-off", "nan", "deep", "million-brackets", "no-model", "gzip-bomb", "brotli")
"""What is tried on the other paths too, beside media types and sizes."""
PATIENCE_S = 60.0
"""An answer ends its connection; this is waited for only when there is none."""


def rows_of(path: str) -> dict[str, BadBody]:
    """Return the rows for a path: all of them for messages."""
    is_first = path == PATHS[0]
    chosen = {name for name in BODIES if is_first or name in OTHERS or name.startswith(("type-", "declared-"))}
    return {name: BODIES[name] for name in BODIES if name in chosen}


async def told(world: World, path: str, row: BadBody) -> Answer:
    """Send a body, or a head alone that declares one, and return what is said to it."""
    received, _ = await said(world, row.request(path), PATIENCE_S)
    (answer,) = answers_in(received)
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
async def test_fault_102_a_bad_body_is_told_so_at_once_and_asks_no_provider(path: str) -> None:
    """In real time, because large bodies are decoded in a thread."""
    asked = 0
    async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
        for name, row in rows_of(path).items():
            with named(name):
                heard = await told(world, path, row)
                assert heard.status in row.statuses
                assert heard.headers["content-type"] == "application/json"
                asked += heard.status == 200 and "count" not in path
                assert len(world.upstreams["up"].requests) == asked
                if heard.status != 200:
                    see_error(heard)
        await see_alive(world)


def see_error(heard: Answer) -> None:
    error = json.loads(heard.body)["error"]
    assert error["message"]
    assert "Error(" not in error["message"]


async def test_fault_102_a_declared_size_is_refused_before_anything_of_it_came(autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        heard = await told(world, "/v1/messages", BadBody(b"", declared=LIMIT_BYTES + 1))
        assert (heard.status, json.loads(heard.body)["error"]["type"]) == (413, "request_too_large")
        assert heard.headers["connection"] == "close"
        assert trio.current_time() == 0


async def test_fault_102_the_limit_of_a_body_is_that_of_the_configuration(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"), server=Server(body_limit_bytes=100))
    async with open_router(config, up=answers.says(200, answers.chat_reply())) as world:
        for size, statuses in ((100, {400}), (101, {413})):
            row = BadBody(b"x" * size, frozenset(statuses))
            assert (await told(world, "/v1/messages", row)).status in row.statuses


def test_there_are_as_many_as_the_reference_asks_for() -> None:
    assert len(BODIES) >= 43
