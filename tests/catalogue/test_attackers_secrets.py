"""Planted secrets: no answer, no view, no line of the log and no text of an object holds one, whatever goes wrong."""

import json

import pytest

from tests.world.attackers import said
from tests.world.router import World, config_of, open_router, provider
from ucr.access import digest
from ucr.config.load import load
from ucr.config.model import Client, Config
from ucr.redaction import MASK
from ucr.secret import Secret
from ucr.stress.attacks.bodies import GOOD, TEXT
from ucr.stress.attacks.requests import ADMIN, ADMIN_KEY, KEY, Intrusion
from ucr.stress.attacks.wire import answers_in
from ucr.stress.failing import faults, healthy
from ucr.stress.network import Refuse
from ucr.stress.upstream import Answer, Handler, SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

PLANTED = {
    "provider": "planted-of-the-provider-8e1f",
    "header": "planted-of-a-header-77aa",
    "client": KEY,
    "admin": ADMIN_KEY,
    "looks-like-one": "sk-planted0123456789abcdef",
}
"""The last one is in no configuration: it is known by its looks alone."""
IN_QUERY = "planted-in-a-query-55"
"""What a client put where it does not belong: the log has no queries."""


def config() -> Config:
    up = provider(
        "up", "openai-chat", api_keys=(Secret(PLANTED["provider"]),), headers={"x-token": PLANTED["header"]}
    )
    return config_of(up, clients=(Client("laptop", digest(KEY)),), admin_key_sha256=digest(ADMIN_KEY))


async def repeats_all(request: SeenRequest, answer: Answer) -> None:
    """Refuse in words that hold every secret of the request, in body, headers and type."""
    seen = f"{request.header('authorization')} {request.header('x-token')} {PLANTED['looks-like-one']}"
    body = json.dumps({"error": {"message": seen, "type": seen, "code": seen, "param": seen}}).encode()
    await answer.reply(
        400, body, (("content-type", "application/json"), ("x-echo", seen), ("x-request-id", seen))
    )


HANDLERS: dict[str, Handler] = {
    "repeats": repeats_all,
    "well": healthy.well,
    "unauthorized": faults.repeats_key(401),
    "fails": faults.repeats_key(500),
    "garbage": faults.sends(b"HTTP/1.1 200 OK\r\n\x00garbage\r\n\r\n"),
    "resets": faults.resets,
}


def see_no_secret(text: str) -> None:
    for secret in (*PLANTED.values(), IN_QUERY):
        assert secret not in text


async def ask_all(world: World) -> str:
    """Ask with right and wrong keys, well and badly; return all that was said."""
    said_ = b""
    brought = {"x-api-key": KEY, "authorization": f"Bearer {PLANTED['looks-like-one']}"}
    for request in (
        Intrusion(headers=brought),
        Intrusion(headers=brought, body=json.dumps({**GOOD, "stream": True}).encode()),
        Intrusion(headers=brought, target=f"/v1/messages?key={IN_QUERY}"),
        Intrusion(headers=brought, body=b"{bad " + TEXT),
        Intrusion(headers={"x-api-key": PLANTED["looks-like-one"]}),
        Intrusion("GET", f"/{IN_QUERY[:8]}?token={IN_QUERY}", brought),
        *(Intrusion(method, target, {"x-api-key": ADMIN_KEY}) for method, target in ADMIN),
        *(Intrusion(method, target, {"x-api-key": KEY}) for method, target in ADMIN),
        Intrusion("GET", "/health"),
    ):
        received, _ = await said(world, request.bytes(), patience_s=400)
        assert answers_in(received)
        said_ += received
    return said_.decode("utf-8")


@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS.keys())
async def test_no_answer_and_no_line_holds_a_secret(handler: Handler, autojump_clock: object) -> None:
    async with open_router(config(), up=handler) as world:
        see_no_secret(await ask_all(world))
        see_no_secret(json.dumps(world.lines))
        assert len(world.finished) >= 4


async def test_nor_does_one_when_the_way_to_the_provider_fails(autojump_clock: object) -> None:
    async with open_router(config(), up=healthy.well) as world:
        world.network.afflict("up.test", 80, Refuse())
        see_no_secret(await ask_all(world))
        see_no_secret(json.dumps(world.lines))


async def test_no_object_shows_a_secret(autojump_clock: object) -> None:
    async with open_router(config(), up=healthy.well) as world:
        worker = world.worker
        for thing in (
            worker,
            worker.config,
            worker.config.providers,
            worker.api.generation.router,
            worker.tree.children,
        ):
            see_no_secret(repr(thing))
            see_no_secret(f"{thing!s}")


def test_a_configuration_shows_none_of_its_secrets_in_words_or_problems() -> None:
    text = f"""
        [[providers]]
        id = "groq"
        api_key = "{PLANTED["provider"]}"
        headers = {{ x-token = "{PLANTED["header"]}" }}
        nonsense = 1
        [[clients]]
        name = "laptop"
        key = "{KEY}"
        [admin]
        key = 7
    """
    with pytest.raises(Exception, match="nonsense") as caught:
        load(text, "ucr.toml", {})
    see_no_secret(str(caught.value) + repr(caught.value))
    good = load(text.replace("nonsense = 1", "").replace("key = 7", f'key = "{ADMIN_KEY}"'), "ucr.toml", {})
    see_no_secret(repr(good))
    assert {secret.reveal() for secret in good.secrets} == {
        PLANTED[name] for name in ("provider", "header", "client", "admin")
    }


async def test_what_is_hidden_says_so(autojump_clock: object) -> None:
    async with open_router(config(), up=repeats_all) as world:
        heard = await world.ask("/v1/messages", dict(GOOD), headers={"x-api-key": KEY})
    assert heard.status == 400
    assert "[" in heard.json()["error"]["message"]
    assert MASK == "[redacted]"
