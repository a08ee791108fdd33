"""The router as a transport: whole answers and streams, early ends, and what a caller may not do."""

import gc
import re
from contextlib import aclosing
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
import trio
from trio.testing import lockstep_stream_pair

from tests.world import answers
from tests.world.inside import open_inside
from tests.world.router import config_of, open_router, provider
from ucr.access import digest
from ucr.config.model import Cache, Client, Config, Server
from ucr.stress.upstream import Answer, SeenRequest

MESSAGES = "/v1/messages"
ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
STREAM = {**ASK, "stream": True}


def plain(**changes: Any) -> Config:
    return config_of(provider("up", "anthropic"), **changes)


async def test_a_request_is_answered(autojump_clock: object) -> None:
    async with (
        open_inside(plain(), up=answers.says(200, answers.anthropic_reply())) as world,
        world.router.client() as client,
    ):
        response = await client.post(MESSAGES, json=ASK)
    assert response.status_code == 200
    assert response.json()["content"] == [{"type": "text", "text": "hello"}]
    assert response.headers["x-ucr-provider"] == "up"
    assert world.finished[0]["status"] == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", MESSAGES, ASK),
        ("POST", "/v1/chat/completions?x=1", {"model": "m", "messages": ASK["messages"]}),
        ("POST", MESSAGES, STREAM),
        ("POST", MESSAGES, {"model": 1}),
        ("POST", "/v1/nothing", {}),
        ("GET", "/v1/models", None),
        ("GET", "/v1/model%73", None),
        ("PUT", MESSAGES, None),
        ("GET", "/v1/providers", None),
        ("HEAD", "/health", None),
    ],
)
async def test_it_answers_as_a_server_does(
    method: str, path: str, body: object, autojump_clock: object
) -> None:
    handler = answers.streams(answers.anthropic_text("one", "two"))
    if isinstance(body, dict) and not body.get("stream"):
        handler = answers.says(200, answers.anthropic_reply())
    async with open_router(plain(), up=handler) as world:
        served = await world.ask(path, body, method=method)
    async with open_inside(plain(), up=handler) as inside, inside.router.client() as client:
        local = await client.request(method, path, json=body)
    assert (local.status_code, local.headers["content-type"]) == (served.status, served.headers["content-type"])
    assert served.headers.keys() - local.headers.keys() <= {"date", "connection", "transfer-encoding"}
    if path != "/v1/providers":
        assert unchanging(local.content) == unchanging(served.body)


def unchanging(body: bytes) -> bytes:
    """Return a body without what differs between any two requests: ids and dates."""
    return re.sub(rb'req_[0-9a-f]+|"created":[0-9]+', b"", body)


async def test_a_stream_arrives_event_by_event(autojump_clock: object) -> None:
    pieces, go_on = answers.anthropic_text("one", "two"), trio.Event()

    async def handler(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, answers.SSE)
        for piece in pieces[:3]:
            await answer.send(piece)
        await go_on.wait()
        for piece in pieces[3:]:
            await answer.send(piece)
        await answer.finish()

    async with (
        open_inside(plain(), up=handler) as world,
        world.router.client() as client,
        client.stream("POST", MESSAGES, json=STREAM) as response,
    ):
        parts = response.aiter_bytes()
        first = await anext(parts)
        while b"one" not in first:
            first += await anext(parts)
        assert b"two" not in first
        go_on.set()
        rest = b"".join([part async for part in parts])
    assert rest.endswith(b'data: {"type": "message_stop"}\n\n')


async def _say_one_and_wait(request: SeenRequest, answer: Answer) -> None:
    await answer.head(200, answers.SSE)
    for piece in answers.anthropic_text("one")[:3]:
        await answer.send(piece)
    await trio.sleep_forever()


async def test_closing_an_answer_early_ends_the_upstream_call(autojump_clock: object) -> None:
    async with open_inside(plain(), up=_say_one_and_wait) as world, world.router.client() as client:
        response = await client.send(client.build_request("POST", MESSAGES, json=STREAM), stream=True)
        async with aclosing(aiter(response.stream)) as parts:
            await anext(parts)
        began_s = trio.current_time()
        await response.aclose()
        await world.upstreams["up"].wait_aborted(1)
        assert trio.current_time() - began_s < 1
    assert (world.finished[0]["status"], world.finished[0]["error_type"]) == (200, "client_gone")


async def test_a_caller_that_is_cancelled_ends_the_upstream_call(autojump_clock: object) -> None:
    async with open_inside(plain(), up=answers.never()) as world, world.router.client() as client:
        with trio.move_on_after(3):
            await client.post(MESSAGES, json=ASK)
        await world.upstreams["up"].wait_aborted(1)
        assert trio.current_time() < 4


async def test_the_limit_of_the_client_on_silence_holds(autojump_clock: object) -> None:
    async with open_inside(plain(), up=answers.never()) as world, world.router.client() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(MESSAGES, json=ASK, timeout=2.0)
        await world.upstreams["up"].wait_aborted(1)
        assert trio.current_time() < 3


async def test_who_does_not_read_holds_up_the_provider_and_not_the_memory(autojump_clock: object) -> None:
    sent = 0

    async def handler(request: SeenRequest, answer: Answer) -> None:
        nonlocal sent
        await answer.head(200, answers.SSE)
        for piece in answers.anthropic_text(*["x" * 10_000] * 200):
            await answer.send(piece)
            sent += len(piece)
        await answer.finish()

    async with (
        open_inside(plain(), make_pair=lockstep_stream_pair, up=handler) as world,
        world.router.client() as client,
        client.stream("POST", MESSAGES, json=STREAM) as response,
    ):
        await trio.sleep(100)
        assert 50_000 < sent < 500_000
        whole = await response.aread()
    assert whole.count(b"content_block_delta") == 400
    assert sent > 2_000_000


async def test_a_call_that_is_shared_goes_on_when_the_first_caller_leaves(autojump_clock: object) -> None:
    async def handler(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(5)
        await answers.says(200, answers.anthropic_reply())(request, answer)

    async with (
        open_inside(plain(cache=Cache()), up=handler) as world,
        world.router.client() as client,
        trio.open_nursery() as nursery,
    ):
        with trio.move_on_after(2):
            nursery.start_soon(_post, client, heard := [], 1.0)
            await client.post(MESSAGES, json=ASK)
    assert [one.headers["x-ucr-cache"] for one in heard] == ["coalesced"]
    assert len(world.upstreams["up"].requests) == 1


async def _post(client: httpx.AsyncClient, heard: list[httpx.Response], after_s: float) -> None:
    await trio.sleep(after_s)
    heard.append(await client.post(MESSAGES, json=ASK))


async def test_a_closed_router_is_told_from_one_that_fails(autojump_clock: object) -> None:
    async with open_inside(plain()) as world:
        assert repr(world.router.transport) == "<RouterTransport, open>"
    async with httpx2.AsyncClient(transport=world.router.transport) as client:
        with pytest.raises(httpx2.ConnectError, match="the router is closed"):
            await client.post(f"http://any.test{MESSAGES}", json=ASK)


async def test_a_body_may_be_given_in_parts_and_must_not_be_too_large(autojump_clock: object) -> None:
    async def parts(count: int) -> Any:
        yield b'{"model":"m","max_tokens":5,'
        yield b'"messages":[{"role":"user","content":"hi"}]'
        for _ in range(count):
            yield b" " * 100
        yield b"}"

    config = plain(server=Server(body_limit_bytes=1000))
    async with (
        open_inside(config, up=answers.says(200, answers.anthropic_reply())) as world,
        world.router.client() as client,
    ):
        fits = await client.post(MESSAGES, content=parts(1))
        large = await client.post(MESSAGES, content=parts(100))
        whole = await client.post(MESSAGES, content=b" " * 1001)
    assert (fits.status_code, large.status_code, whole.status_code) == (200, 413, 413)
    assert large.json()["error"]["type"] == "request_too_large"


async def test_keys_of_clients_count_and_names_of_hosts_do_not(autojump_clock: object) -> None:
    config = plain(clients=(Client("ann", digest("ann-key")),))
    async with (
        open_inside(config, up=answers.says(200, answers.anthropic_reply())) as world,
        httpx.AsyncClient(transport=world.router.transport, base_url="https://elsewhere") as client,
    ):
        without = await client.post(MESSAGES, json=ASK)
        known = await client.post(MESSAGES, json=ASK, headers={"x-api-key": "ann-key"})
        providers = await client.get("/v1/providers")
    assert (without.status_code, known.status_code, providers.status_code) == (401, 200, 200)
    assert [line["client"] for line in world.finished] == [None, "ann"]


async def test_the_sdk_of_anthropic_asks_within_the_process(autojump_clock: object) -> None:
    handlers = (
        answers.says(200, answers.anthropic_reply()),
        answers.streams(answers.anthropic_text("one ", "two"), pause_s=1.0),
    )
    async with open_inside(plain(), up=handlers) as world:
        http = httpx2.AsyncClient(transport=world.router.transport)
        async with anthropic.AsyncAnthropic(api_key="any", http_client=http, max_retries=0) as client:
            message = await client.messages.create(**ASK)
            async with client.messages.stream(**ASK) as stream:
                texts = [text async for text in stream.text_stream]
    assert message.content[0].to_dict() == {"type": "text", "text": "hello"}
    assert texts == ["one ", "two"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
async def test_the_sdk_of_openai_asks_within_the_process(autojump_clock: object) -> None:
    handlers = (
        answers.says(200, answers.anthropic_reply()),
        answers.streams(answers.anthropic_text("one ", "two"), pause_s=1.0),
    )
    messages: Any = ASK["messages"]
    async with open_inside(plain(), up=handlers) as world:
        http = httpx2.AsyncClient(transport=world.router.transport)
        async with openai.AsyncOpenAI(api_key="any", http_client=http, max_retries=0) as client:
            whole = await client.chat.completions.create(model="m", messages=messages)
            stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
            texts = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
    assert whole.choices[0].message.content == "hello"
    assert "".join(text or "" for text in texts) == "one two"
    del stream  # it leaves generators behind, which are not to be found in another test
    gc.collect()
