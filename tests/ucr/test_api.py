"""The routes, their guards, and what goes wrong at the edge of a request."""

import gzip
import zlib
from dataclasses import replace
from typing import Any

import pytest
import trio
import zstandard

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.access import digest
from ucr.config.model import Client, Config, Server

pytestmark = pytest.mark.usefixtures("both_lanes")

ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
MESSAGES = "/v1/messages"
CHAT = "/v1/chat/completions"


def plain(**changes: Any) -> Config:
    return config_of(provider("up", "openai-chat"), **changes)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        pytest.param(MESSAGES, b"{bad", 400, "line 1, column 2", id="edge-188"),
        pytest.param(MESSAGES, b"", 400, "JSON", id="empty"),
        pytest.param(MESSAGES, b"[" * 5000, 400, "deep", id="too-deep"),
        pytest.param(MESSAGES, b"[" + b"1," * 1_000_001 + b"1]", 400, "commas", id="too-wide"),
        pytest.param(MESSAGES, {"model": 1}, 400, "messages: Field required", id="missing"),
        pytest.param(MESSAGES, {**ASK, "model": 1}, 400, "model: ", id="wrong-type"),
        pytest.param(CHAT, {"model": "m"}, 400, "messages", id="chat-missing"),
        pytest.param("/v1/nothing", {}, 404, "/v1/nothing", id="unknown-path"),
        pytest.param("/v1/embeddings", {}, 404, "/v1/embeddings", id="known-elsewhere"),
        pytest.param("/v1/messages/batches", {}, 404, "/v1/messages/batches", id="batches"),
    ],
)
async def test_bad_requests_are_told_what_is_wrong_in_their_own_dialect(
    path: str, body: object, status: int, words: str, autojump_clock: object
) -> None:
    async with open_router(plain()) as world:
        heard = await world.ask(path, body)
    assert heard.status == status
    assert words in heard.json()["error"]["message"]
    assert ("type" in heard.json()) is (path.startswith("/v1/messages") or path == "/v1/nothing")
    assert heard.headers["request-id"].startswith("req_")


async def test_a_path_is_matched_without_its_query(autojump_clock: object) -> None:
    """edge-186"""
    async with open_router(plain(), up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask("/v1/messages?beta=true&x=1", ASK)
    assert heard.status == 200


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        pytest.param("gzip", gzip.compress, id="edge-187"),
        pytest.param("deflate", zlib.compress, id="deflate"),
        pytest.param("zstd", zstandard.compress, id="zstd"),
    ],
)
async def test_coded_bodies_are_read(coding: str, pack: Any, autojump_clock: object) -> None:
    data = pack(b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}')
    async with open_router(plain(), up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask(MESSAGES, data, headers={"content-encoding": coding})
    assert heard.status == 200


async def test_a_bomb_is_too_large_and_an_unknown_coding_is_not_supported(autojump_clock: object) -> None:
    small = plain(server=Server(body_limit_bytes=1000))
    async with open_router(small) as world:
        bomb = await world.ask(MESSAGES, gzip.compress(b" " * 100_000), headers={"content-encoding": "gzip"})
        large = await world.ask(MESSAGES, b" " * 1001)
        brotli = await world.ask(MESSAGES, b"x", headers={"content-encoding": "br"})
        broken = await world.ask(MESSAGES, b"x", headers={"content-encoding": "gzip"})
    assert [heard.status for heard in (bomb, large, brotli, broken)] == [413, 413, 415, 400]
    assert large.json()["error"]["type"] == "request_too_large"


async def test_a_body_that_does_not_come_times_out(autojump_clock: object) -> None:
    async with open_router(plain()) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(
            b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"content-length: 10\r\n\r\n{"
        )
        answer = await visitor.stream.receive_some()
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "localhost:3000"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:3000"}, 200),
    ],
)
async def test_only_this_machines_own_pages_may_ask(
    headers: dict[str, str], status: int, autojump_clock: object
) -> None:
    async with open_router(plain(), up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask(MESSAGES, ASK, headers=headers)
    assert heard.status == status
    assert not [name for name in heard.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="none"),
        pytest.param({"x-api-key": "wrong"}, 401, id="wrong"),
        pytest.param({"x-api-key": "right"}, 200, id="x-api-key"),
        pytest.param({"authorization": "Bearer right"}, 200, id="edge-179"),
        pytest.param({"authorization": "Bearer right", "x-api-key": "right"}, 200, id="both"),
        pytest.param({"x-goog-api-key": "right"}, 200, id="google"),
    ],
)
@pytest.mark.parametrize("path", [MESSAGES, CHAT])
async def test_a_client_key_is_asked_for_in_every_dialect(
    path: str, headers: dict[str, str], status: int, autojump_clock: object
) -> None:
    guarded = plain(clients=(Client("me", digest("right")),))
    async with open_router(guarded, up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask(path, ASK, headers=headers)
        upstream = world.upstreams["up"].requests
    assert heard.status == status
    assert all("right" not in value for request in upstream for _, value in request.headers)


async def test_models_are_listed_in_the_shape_of_the_client(autojump_clock: object) -> None:
    async with open_router(plain()) as world:
        anthropic = await world.ask("/v1/models", method="GET", headers={"anthropic-version": "2023-06-01"})
        openai = await world.ask("/v1/models", method="GET")
        one = await world.ask("/v1/models/up/up-model", method="GET")
        none = await world.ask("/v1/models/nobody", method="GET", headers={"x-api-key": "k"})
    assert anthropic.json()["has_more"] is False
    assert openai.json()["object"] == "list"
    assert one.json()["id"] == "up/up-model"
    assert (none.status, none.json()["error"]["type"]) == (404, "not_found_error")


async def test_providers_are_shown_with_their_state_and_without_their_keys(autojump_clock: object) -> None:
    async with open_router(plain(), up=answers.says(200, answers.chat_reply())) as world:
        await world.ask(MESSAGES, ASK)
        heard = await world.ask("/v1/providers", method="GET")
    shown = heard.json()["data"][0]
    assert shown["id"] == "up"
    assert shown["status"]["granted"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/", 200),
        ("GET", "/health", 200),
        ("GET", "/ready", 200),
        ("GET", "/v1/messages", 405),
        ("OPTIONS", "/v1/messages", 405),
    ],
)
async def test_the_plain_routes_answer(method: str, path: str, status: int, autojump_clock: object) -> None:
    async with open_router(plain()) as world:
        visitor = await world.connect()
        await visitor.send(path, method=method)
        head = await visitor.next()
    assert head.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", MESSAGES, "POST"), ("PUT", "/health", "GET, HEAD"), ("POST", "/cache", "DELETE")],
)
async def test_a_method_that_is_not_served_is_told_which_are(
    method: str, path: str, allowed: str, autojump_clock: object
) -> None:
    async with open_router(plain()) as world:
        heard = await world.ask(path, method=method)
    assert (heard.status, heard.headers["allow"]) == (405, allowed)
    assert heard.json()["error"]["type"] == "invalid_request_error"


async def test_a_websocket_of_the_responses_protocol_is_told_to_post(autojump_clock: object) -> None:
    headers = {"connection": "upgrade", "upgrade": "websocket"}
    async with open_router(plain()) as world:
        socket = await world.ask("/v1/responses", method="GET", headers=headers)
        posted = await world.ask("/v1/responses", {})
    assert (socket.status, posted.status) == (426, 400)
    assert posted.json()["error"]["param"] == "model"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_no_response_is_kept(method: str, autojump_clock: object) -> None:
    async with open_router(plain()) as world:
        heard = await world.ask("/v1/responses/resp_1", method=method)
        listed = await world.ask("/v1/responses", method="GET")
    assert (heard.status, listed.status) == (404, 404)
    assert heard.json()["error"]["code"] == "not_found"
    assert "no responses are kept here" in heard.json()["error"]["message"]


async def test_health_skips_the_check_of_the_host(autojump_clock: object) -> None:
    async with open_router(plain()) as world:
        heard = await world.ask("/health", method="GET", headers={"host": "probe.cluster"})
    assert heard.status == 200


async def test_two_framings_of_one_body_are_refused(autojump_clock: object) -> None:
    async with open_router(plain()) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(
            b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 3\r\n"
            b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        answer = await visitor.stream.receive_some()
    assert answer.startswith(b"HTTP/1.1 400")


async def test_tokens_are_counted_natively_or_estimated(autojump_clock: object) -> None:
    config = config_of(provider("claude", "anthropic"), provider("up", "openai-chat"))
    counting = answers.says(200, {"input_tokens": 4242})
    async with open_router(config, claude=(counting, answers.says(404, {}))) as world:
        native = await world.ask("/v1/messages/count_tokens", {**ASK, "model": "claude/m"})
        refused = await world.ask("/v1/messages/count_tokens", {**ASK, "model": "claude/m"})
        estimated = await world.ask("/v1/messages/count_tokens", {**ASK, "model": "up/m"})
    assert native.json() == {"input_tokens": 4242}
    assert refused.json() == estimated.json()
    assert 0 < estimated.json()["input_tokens"] < 50
    assert world.upstreams["claude"].requests[0].path == "/v1/messages/count_tokens"


async def test_every_answer_is_logged_once_with_its_identity(autojump_clock: object) -> None:
    headers = {"x-claude-code-session-id": "session-1", "x-claude-code-agent-id": "agent-1"}
    async with open_router(plain(), up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask(MESSAGES, ASK, headers=headers)
    (line,) = world.finished
    assert line["request_id"] == heard.headers["request-id"]
    assert (line["session_id"], line["agent_id"]) == ("session-1", "agent-1")
    assert (line["model_asked"], line["model_used"], line["route"]) == ("m", "up-model", "default")


async def test_connections_are_kept_for_the_next_request(autojump_clock: object) -> None:
    async with open_router(plain(), up=answers.says(200, answers.chat_reply())) as world:
        visitor = await world.connect()
        for _ in range(3):
            await visitor.send(MESSAGES, ASK)
            with trio.fail_after(1):
                heard = await visitor.hear()
            assert heard.status == 200
        assert world.upstreams["up"].connections == 1


MINE = {"x-api-key": "mine"}
CHANGES: dict[str, tuple[str, dict[str, str], int]] = {
    "nothing": (MESSAGES, MINE, 200),
    "key": (MESSAGES, {"x-api-key": "none"}, 401),
    "no-key": (MESSAGES, {}, 401),
    "host": (MESSAGES, {**MINE, "host": "evil.example"}, 403),
    "origin": (MESSAGES, {**MINE, "origin": "http://evil.example"}, 403),
    "path": ("/v1/messages/count_tokens", MINE, 200),
    "media-type": (MESSAGES, {**MINE, "content-type": "text/plain"}, 415),
}


@pytest.mark.parametrize(("path", "headers", "status"), CHANGES.values(), ids=CHANGES.keys())
async def test_what_was_decided_for_a_head_holds_for_that_head_alone(
    path: str, headers: dict[str, str], status: int, autojump_clock: object
) -> None:
    guarded = plain(clients=(Client("me", digest("mine")),))
    async with open_router(guarded, up=answers.says(200, answers.chat_reply())) as world:
        visitor = await world.connect()
        for text in ("hi", "hello"):
            await visitor.send(MESSAGES, {**ASK, "system": text}, headers=MINE)
            assert (await visitor.hear()).status == 200
        await visitor.send(path, ASK, headers=headers)
        assert (await visitor.hear()).status == status


async def test_what_was_decided_for_a_head_ends_with_the_configuration(autojump_clock: object) -> None:
    guarded = plain(clients=(Client("me", digest("mine")),))
    async with open_router(guarded, up=answers.says(200, answers.chat_reply())) as world:
        visitor = await world.connect()
        for changed, status in ((guarded, 200), (plain(clients=(Client("you", digest("yours")),)), 401)):
            await world.worker.follow(changed)
            await visitor.send(MESSAGES, ASK, headers=MINE)
            assert (await visitor.hear()).status == status


async def test_requests_with_the_same_head_have_their_own_bodies(
    autojump_clock: object,
) -> None:
    async with open_router(plain(), up=answers.says(200, answers.chat_reply())) as world:
        visitor = await world.connect()
        for body, status in ((ASK, 200), (b"{bad", 400), ({**ASK, "model": 1}, 400), (ASK, 200)):
            await visitor.send(MESSAGES, body)
            assert (await visitor.hear()).status == status


async def test_requests_of_all_generations_are_counted_waited_for_and_ended(autojump_clock: object) -> None:
    async with open_router(plain(), up=answers.late(5.0)) as world:
        api = world.worker.api
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.ask, MESSAGES, ASK)
            await world.upstreams["up"].wait_requests(1)
            former = api.publish(replace(api.generation.router))
            nursery.start_soon(world.ask, MESSAGES, ASK)
            await world.upstreams["up"].wait_requests(2)
            assert (repr(former), repr(api.generation)) == (
                "<Generation 1: 1 requests>",
                "<Generation 2: 1 requests>",
            )
            assert api.requests().open == 2
            api.interrupt()
            await api.wait_idle()
            assert api.requests().open == 0
        assert [line["error_type"] for line in world.finished] == ["overloaded_error"] * 2
