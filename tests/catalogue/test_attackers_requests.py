"""The failure catalogue, 105 to 109: foreign pages, hidden files, keys, injections, and who names the upstream."""

import json
from collections.abc import Mapping

import pytest
import trio

from tests.world import answers
from tests.world.attackers import named, said, see_alive, see_words
from tests.world.router import World, config_of, open_router, provider
from ucr.access import digest
from ucr.config.model import Client, Config
from ucr.refusals import REFUSALS_LIMIT, WINDOW_S
from ucr.secret import Secret
from ucr.stress.attacks.bodies import GOOD
from ucr.stress.attacks.requests import (
    ADMIN,
    ADMIN_KEY,
    ELSEWHERE,
    FOREIGN,
    KEY,
    KEYS,
    LINES,
    NAMING,
    PATHS,
    Intrusion,
)
from ucr.stress.attacks.wire import Answer, answers_in
from ucr.stress.failing import faults, healthy
from ucr.stress.upstream import Answer as Answering
from ucr.stress.upstream import SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

UP = provider("up", "openai-chat", api_keys=(Secret("sk-of-the-provider"),))
CONFIG = config_of(UP)
KEYED = config_of(
    UP,
    clients=(Client("laptop", digest(KEY)), Client("desktop", digest("another-key"))),
    admin_key_sha256=digest(ADMIN_KEY),
)


async def asked(world: World, request: Intrusion) -> Answer:
    """Send a request and return its one answer."""
    received, is_ended = await said(world, request.bytes())
    assert is_ended
    (answer,) = answers_in(received)
    return answer


async def see_refused(world: World, request: Intrusion) -> None:
    answer = await asked(world, request)
    assert answer.status in request.statuses
    see_words([answer])
    assert not world.upstreams or not world.upstreams["up"].requests
    await see_alive(world)


async def see_all_refused(config: Config, requests: Mapping[str, Intrusion]) -> None:
    """Send every request of a table to one router."""
    async with open_router(config, up=healthy.well) as world:
        for name, request in requests.items():
            with named(name):
                await see_refused(world, request)
        assert KEY not in json.dumps(world.lines)


@pytest.mark.slow
async def test_fault_105_a_foreign_page_is_refused_and_told_of_no_permission(autojump_clock: object) -> None:
    await see_all_refused(CONFIG, FOREIGN)


async def test_fault_105_no_answer_permits_another_origin_to_read_it(autojump_clock: object) -> None:
    own = {"origin": "http://127.0.0.1:3000"}
    async with open_router(CONFIG, up=healthy.well) as world:
        for method, target in (
            ("POST", "/v1/messages"),
            ("GET", "/v1/models"),
            ("GET", "/metrics"),
            ("GET", "/x"),
        ):
            answer = await asked(world, Intrusion(method, target, own))
            assert answer.status in (200, 404)
            assert not {name for name in answer.headers if name.startswith("access-control-")}
            assert "set-cookie" not in answer.headers


@pytest.mark.slow
async def test_fault_106_nothing_is_served_but_the_table_of_routes(autojump_clock: object) -> None:
    await see_all_refused(CONFIG, PATHS)


@pytest.mark.parametrize(("method", "target"), ADMIN)
async def test_fault_106_admin_routes_are_closed_to_clients_and_to_proxied_requests(
    method: str, target: str, autojump_clock: object
) -> None:
    async with open_router(KEYED) as world:
        for headers in ({}, {"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}):
            await see_refused(world, Intrusion(method, target, headers, statuses=frozenset({401})))
        assert (await asked(world, Intrusion(method, target, {"x-api-key": ADMIN_KEY}))).status in (200, 409)
    async with open_router(CONFIG) as world:
        for headers in (
            {"x-forwarded-for": "10.0.0.1"},
            {"forwarded": "for=10.0.0.1"},
            {"x-real-ip": "10.0.0.1"},
        ):
            await see_refused(world, Intrusion(method, target, headers))


@pytest.mark.slow
async def test_fault_107_what_is_not_the_key_opens_nothing(autojump_clock: object) -> None:
    await see_all_refused(KEYED, KEYS)


async def test_fault_107_the_right_key_opens_wherever_it_stands_among_them(autojump_clock: object) -> None:
    async with open_router(KEYED, up=healthy.well) as world:
        for headers in ({"x-api-key": KEY}, {"authorization": "Bearer another-key"}, {"x-goog-api-key": KEY}):
            assert (await asked(world, Intrusion(headers=headers))).status == 200


async def test_fault_107_too_many_wrong_keys_are_told_to_wait_and_a_right_one_is_let_in(
    autojump_clock: object,
) -> None:
    wrong, right = Intrusion(headers={"x-api-key": "wrong"}), Intrusion(headers={"x-api-key": KEY})
    async with open_router(KEYED, up=healthy.well) as world:
        for _ in range(REFUSALS_LIMIT):
            assert (await asked(world, wrong)).status == 401
        for request in (wrong, Intrusion("GET", "/metrics", {"x-api-key": KEY})):
            told = await asked(world, request)
            assert told.status == 429
            assert 0 < int(told.headers["retry-after"]) <= WINDOW_S
        assert (await asked(world, right)).status == 200
        await trio.sleep(WINDOW_S)
        assert (await asked(world, wrong)).status == 401


async def test_fault_107_keys_stay_on_their_side(autojump_clock: object) -> None:
    """A client's key goes to no provider, and a provider's to no client."""
    brought = {"x-api-key": KEY, "authorization": f"Bearer {KEY}", "cookie": f"a={KEY}", "x-goog-api-key": KEY}
    async with open_router(KEYED, up=healthy.well) as world:
        answer = await asked(world, Intrusion(headers=brought))
        assert answer.status == 200
        (seen,) = world.upstreams["up"].requests
        assert KEY not in str(seen)
        assert seen.header("authorization") == "Bearer sk-of-the-provider"
        assert b"sk-of-the-provider" not in answer.body + str(answer.headers).encode()


@pytest.mark.parametrize("text", LINES, ids=range(len(LINES)))
async def test_fault_108_no_text_becomes_a_header_or_a_line_of_the_log(
    text: str, autojump_clock: object
) -> None:
    """World.write asserts of every line of the log that it is one, and holds no control character."""
    bodies = (
        {**GOOD, "model": f"up/{text}"},
        {**GOOD, text: 1},
        {**GOOD, "metadata": {"user_id": json.dumps({"session_id": text})}},
        {**GOOD, "messages": [{"role": text, "content": text}]},
        {**GOOD, "tools": [{"name": text, "input_schema": {"type": "object"}}]},
        {**GOOD, "model": None, "messages": text},
    )
    async with open_router(config_of(UP, default=()), up=healthy.well) as world:
        for body in bodies:
            answer = await asked(world, Intrusion(body=json.dumps(body).encode()))
            assert not {"set-cookie", "x-injected"} & answer.headers.keys()
            for value in answer.headers.values():
                assert value.isprintable() or not value
        assert len(world.finished) == len(bodies)
        await see_alive(world)


@pytest.mark.parametrize(
    "text", [line for line in LINES if "\n" not in line and "\0" not in line and "\r" not in line]
)
async def test_fault_108_what_an_upstream_says_becomes_no_header_and_no_line(
    text: str, autojump_clock: object
) -> None:
    def lying(request: SeenRequest) -> object:
        message = {"role": "assistant", "content": text}
        return {"id": text, "model": text, "choices": [{"index": 0, "message": message, "finish_reason": text}]}

    async def refusing(request: SeenRequest, answer: Answering) -> None:
        error = json.dumps({"error": {"message": text, "type": text, "code": text}}).encode()
        await answer.reply(400, error, (("content-type", "application/json"), ("x-request-id", "a b")))

    for handler in (faults.replies(lying), refusing):
        async with open_router(CONFIG, up=handler) as world:
            answer = await asked(world, Intrusion())
            assert all(value.isprintable() for value in answer.headers.values())
            assert answer.status in (200, 400, 500)


async def test_fault_108_a_request_id_is_the_routers_own(autojump_clock: object) -> None:
    brought = {"request-id": "req_forged", "x-request-id": "req_forged"}
    async with open_router(CONFIG, up=healthy.well) as world:
        answer = await asked(world, Intrusion(headers=brought))
        assert answer.headers["request-id"].startswith("req_")
        assert "req_forged" not in json.dumps(world.lines) + str(answer.headers)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic"])
@pytest.mark.parametrize("target", ["/v1/messages", "/v1/chat/completions"])
async def test_fault_109_nobody_but_the_configuration_names_an_upstream(
    target: str, dialect: str, autojump_clock: object
) -> None:
    up = provider("up", dialect, api_keys=(Secret("sk-of-the-provider"),))
    async with open_router(config_of(up), up=healthy.well, elsewhere=healthy.well) as world:
        for name, body in NAMING.items():
            with named(name):
                assert (await asked(world, Intrusion(target=target, body=body))).status in (200, 400, 404)
        assert world.upstreams["elsewhere"].connections == 0
        assert len(world.upstreams["up"].requests) > len(NAMING) // 2
        for seen in world.upstreams["up"].requests:
            assert seen.header("host") == "up.test"
            assert ELSEWHERE not in seen.path


async def test_fault_109_headers_and_targets_name_no_upstream_either(autojump_clock: object) -> None:
    elsewhere = f"http://{ELSEWHERE}"
    tries = [
        Intrusion(headers={name: elsewhere})
        for name in ("x-forwarded-host", "x-api-base", "x-base-url", "x-upstream", "x-ucr-provider", "via")
    ]
    tries += [
        Intrusion(target=f"/v1/messages?api_base={elsewhere}"),
        Intrusion(target=f"{elsewhere}/v1/messages"),
    ]
    async with open_router(CONFIG, up=healthy.well, elsewhere=healthy.well) as world:
        for request in tries:
            assert (await asked(world, request)).status in (200, 404)
        assert world.upstreams["elsewhere"].connections == 0
        assert {seen.header("host") for seen in world.upstreams["up"].requests} == {"up.test"}


async def test_an_answer_of_the_chat_dialect_is_refused_as_the_others_are(autojump_clock: object) -> None:
    async with open_router(KEYED, up=answers.says(200, answers.chat_reply())) as world:
        answer = await asked(world, Intrusion(target="/v1/chat/completions", headers={}))
    assert answer.status == 401
    assert json.loads(answer.body)["error"]["code"]
