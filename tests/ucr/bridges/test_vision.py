"""Images for models that take none: described by another model, kept, disclosed, or refused."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import Heard, World, config_of, open_router, provider
from ucr.access import digest
from ucr.bridges.vision import AT_ONE_TIME
from ucr.config.bridge_model import Vision
from ucr.config.model import Client, Config, ModelTarget, Price
from ucr.quirks import Quirks
from ucr.stress.upstream import Answer, Handler, SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

BLIND = Quirks(images=False)
SEEN = "[An image, as eyes/eyes-model describes it:]\na cat"


def image(word: str = "cat") -> dict[str, Any]:
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + word.encode()).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def asked(*content: Any, **fields: Any) -> dict[str, Any]:
    turn = {"role": "user", "content": [{"type": "text", "text": "what?"}, *content]}
    return {"model": "claude-x", "max_tokens": 50, "messages": [turn], **fields}


def config(dialect: str = "openai-chat", eyes: str = "openai-chat", **vision: Any) -> Config:
    seeing = Vision((ModelTarget("eyes"),), **vision)
    up, other = provider("up", dialect, quirks=BLIND), provider("eyes", eyes)
    return config_of(up, other, default=(ModelTarget("up"),), vision=seeing)


async def tell(
    body: dict[str, Any],
    *,
    up: Handler | None = None,
    eyes: Handler | None = None,
    of: Config | None = None,
    times: int = 1,
    path: str = "/v1/messages",
) -> tuple[World, list[Heard]]:
    up = up or answers.says(200, answers.chat_reply())
    eyes = eyes or answers.says(200, answers.chat_reply("a cat"))
    async with open_router(of or config(), up=up, eyes=eyes) as world:
        heard = [await world.ask(path, body) for _ in range(times)]
    return world, heard


def sent(world: World, name: str = "up") -> list[Any]:
    return [request.json() for request in world.upstreams[name].requests]


async def test_an_image_is_described_and_that_is_said(autojump_clock: object) -> None:
    world, (heard,) = await tell(asked(image()))
    assert heard.json()["content"] == [{"type": "text", "text": "hello"}]
    assert heard.headers["x-ucr-notes"] == "images described by eyes/eyes-model"
    assert heard.headers["x-ucr-model"] == "up-model"
    (shown,) = sent(world, "eyes")
    assert [part["type"] for part in shown["messages"][0]["content"]] == ["image_url", "text"]
    assert SEEN in json.dumps(sent(world)[0], ensure_ascii=False).replace("\\n", "\n")
    assert "image_url" not in json.dumps(sent(world)[0])
    assert world.finished[0]["bridged"] == "images 1"
    assert world.finished[0]["input_tokens"] == 11


@pytest.mark.parametrize(
    ("dialect", "reply"),
    [
        ("anthropic", answers.anthropic_text("hel", "lo")),
        ("gemini", answers.gemini_text("hel", "lo")),
        ("openai-chat", answers.chat_text("hel", "lo")),
    ],
)
async def test_images_in_results_of_tools_are_described_for_models_of_every_dialect(
    dialect: str, reply: list[bytes], autojump_clock: object
) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [image()]}
    tool = {"name": "read", "input_schema": {"type": "object"}}
    turns = [
        *asked()["messages"],
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    body = {**asked(stream=True, tools=[tool]), "messages": turns}
    world, (heard,) = await tell(body, up=answers.streams(reply), of=config(dialect))
    assert [e["delta"]["text"] for e in heard.events() if e["type"] == "content_block_delta"] == ["hel", "lo"]
    assert heard.events()[-1]["type"] == "message_stop"
    assert "a cat" in json.dumps(sent(world)[0])


async def test_a_chat_client_is_served_as_well(autojump_clock: object) -> None:
    url = {"type": "image_url", "image_url": {"url": "https://pics.test/cat.png"}}
    content = [{"type": "text", "text": "what?"}, url]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    world, (heard,) = await tell(body, path="/v1/chat/completions")
    assert heard.json()["choices"][0]["message"]["content"] == "hello"
    assert "https://pics.test/cat.png" in json.dumps(sent(world, "eyes")[0])
    assert "a cat" in json.dumps(sent(world)[0])


async def test_a_description_is_used_again_for_a_while(autojump_clock: object) -> None:
    world, _ = await tell(asked(image(), image("dog"), image()), times=3)
    assert len(sent(world, "eyes")) == 2
    assert [line["bridged"] for line in world.finished] == ["images 2", None, None]
    eyes = answers.says(200, answers.chat_reply("a cat"))
    up = answers.says(200, answers.chat_reply())
    async with open_router(config(ttl_s=100.0), up=up, eyes=eyes) as world:
        await world.ask("/v1/messages", asked(image()))
        await trio.sleep(101)
        await world.ask("/v1/messages", asked(image()))
    assert len(sent(world, "eyes")) == 2


async def test_clients_do_not_share_descriptions(autojump_clock: object) -> None:
    clients = tuple(Client(name, digest(name)) for name in ("a", "b"))
    up, eyes = answers.says(200, answers.chat_reply()), answers.says(200, answers.chat_reply("a cat"))
    async with open_router(replace(config(), clients=clients), up=up, eyes=eyes) as world:
        for name in ("a", "b", "a"):
            await world.ask("/v1/messages", asked(image()), headers={"x-api-key": name})
    assert len(sent(world, "eyes")) == 2


async def test_what_is_kept_is_bounded(autojump_clock: object) -> None:
    eyes = answers.says(200, answers.chat_reply("x" * 2000))
    world, _ = await tell(asked(image()), eyes=eyes, of=config(max_bytes=4096), times=2)
    assert len(sent(world, "eyes")) == 2


async def test_several_images_are_described_at_one_time_but_not_all(autojump_clock: object) -> None:
    running: list[int] = [0, 0]

    async def eyes(request: SeenRequest, answer: Answer) -> None:
        running[0] += 1
        running[1] = max(running)
        await trio.sleep(3)
        running[0] -= 1
        await answers.says(200, answers.chat_reply("a cat"))(request, answer)

    world, _ = await tell(asked(*(image(str(n)) for n in range(AT_ONE_TIME * 2))), eyes=eyes)
    assert running == [0, AT_ONE_TIME]
    assert world.finished[0]["total_ms"] == 6000


RESPONSES = [{"role": "user", "content": [{"type": "input_image", "image_url": "https://pics.test/cat.png"}]}]
CHAT = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://pics.test/cat.png"}}]}]
OLLAMA = [{"role": "user", "content": "what?", "images": [image()["source"]["data"]]}]
GEMINI = [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]}]


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", asked(image())),
        ("/v1/responses", {"model": "m", "input": RESPONSES}),
        ("/v1/chat/completions", {"model": "m", "messages": CHAT}),
        ("/api/chat", {"model": "m", "messages": OLLAMA}),
        ("/v1beta/models/m:generateContent", {"contents": GEMINI}),
    ],
    ids=["anthropic", "responses", "chat", "ollama", "gemini"],
)
async def test_without_vision_the_image_is_refused_in_the_clients_words(
    path: str, body: dict[str, Any], dialect: str, autojump_clock: object
) -> None:
    only = config_of(provider("up", dialect, quirks=BLIND))
    async with open_router(only, up=answers.never()) as world:
        heard = await world.ask(path, body)
    assert heard.status == 400
    told = heard.json()["error"]
    assert "model 'up-model' of provider 'up' takes no images" in (
        told if path == "/api/chat" else told["message"]
    )


async def test_an_image_that_ollama_holds_beside_the_words_is_described(autojump_clock: object) -> None:
    world, (heard,) = await tell({"model": "m", "stream": False, "messages": OLLAMA}, path="/api/chat")
    assert heard.json()["message"]["content"] == "hello"
    assert "a cat" in json.dumps(sent(world)[0])


async def test_too_many_images_are_refused(autojump_clock: object) -> None:
    world, (heard,) = await tell(asked(image(), image("dog")), of=config(max_images=1))
    assert heard.status == 400
    assert "has 2 images" in heard.json()["error"]["message"]
    assert sent(world, "eyes") == []


@pytest.mark.parametrize(
    ("eyes", "status", "words"),
    [
        (answers.says(400, {"error": {"message": "no such image"}}), 400, "no such image"),
        (answers.says(400, b"garbage"), 400, "garbage"),
    ],
    ids=["refused", "garbage"],
)
async def test_a_failure_to_describe_is_told(
    eyes: Handler, status: int, words: str, autojump_clock: object
) -> None:
    world, (heard,) = await tell(asked(image()), eyes=eyes)
    assert heard.status == status
    assert "could not be described" in heard.json()["error"]["message"]
    assert words in heard.json()["error"]["message"]
    assert sent(world) == []


@pytest.mark.parametrize(
    "failure",
    [answers.says(200, answers.chat_reply("  ")), answers.says(200, b"garbage")],
    ids=["blank", "garbage"],
)
async def test_when_nobody_describes_it_whoever_sees_is_asked_in_the_end(
    failure: Handler, autojump_clock: object
) -> None:
    async def eyes(request: SeenRequest, answer: Answer) -> None:
        is_question = "somebody who cannot see it" in request.body.decode()
        await (failure if is_question else answers.says(200, answers.chat_reply()))(request, answer)

    async with open_router(config(), up=answers.never(), eyes=eyes) as world:
        heard = await world.ask("/v1/messages", asked(image()))
    assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "eyes")
    assert heard.headers["x-ucr-tier"] == "emergency"


async def test_who_sees_gets_the_image_itself(autojump_clock: object) -> None:
    sees = config_of(provider("up", "openai-chat"), vision=Vision((ModelTarget("up"),)))
    async with open_router(sees, up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask("/v1/messages", asked(image()))
    assert "image_url" in json.dumps(sent(world)[0])
    assert "x-ucr-notes" not in heard.headers


async def test_the_next_candidate_sees_what_the_first_does_not(autojump_clock: object) -> None:
    two = config_of(
        provider("up", "openai-chat", quirks=BLIND),
        provider("eyes", "openai-chat"),
        vision=config().router.vision,
    )
    seeing = answers.says(200, answers.chat_reply("a cat"))
    async with open_router(two, up=answers.says(503, {}), eyes=seeing) as world:
        heard = await world.ask("/v1/messages", asked(image()))
    assert heard.headers["x-ucr-provider"] == "eyes"
    assert "image_url" in json.dumps(sent(world, "eyes")[-1])
    assert "x-ucr-notes" not in heard.headers


async def test_what_the_description_costs_is_a_part_of_the_cost(autojump_clock: object) -> None:
    prices = (Price(1.0, 1.0, "up"), Price(10.0, 10.0, "eyes"))
    priced = config_of(
        *config().providers, default=(ModelTarget("up"),), vision=config().router.vision, prices=prices
    )
    world, _ = await tell(asked(image()), of=priced)
    assert world.finished[0]["cost_usd"] == pytest.approx((18 * 1 + 18 * 10) / 1e6)


async def test_a_client_that_leaves_ends_the_description(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.never(), eyes=answers.never()) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", asked(image()))
        await world.upstreams["eyes"].wait_requests(1)
        await visitor.stream.aclose()
        await world.wait_finished(1)
    assert len(world.upstreams["eyes"].aborted) == 1
    assert sent(world) == []
    assert world.finished[0]["error_type"] == "client_gone"
