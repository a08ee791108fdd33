"""What is answered before it is read differs in nothing from what is read, and nothing is answered so that must be read."""

import gzip
import json
import re
from random import Random
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.router import Heard, Visitor, World, config_of, open_router, provider
from ucr.config.model import Cache, Config, Journal, Server
from ucr.repeats import Repeats
from ucr.stress.upstream import Answer, SeenRequest

MESSAGES = "/v1/messages"
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(ASK).encode()
_CHANGING = (b"request-id:", b"x-request-id:", b"x-ucr-overhead-ms:", b"age:", b"date:")
_IDS = re.compile(rb'"(?:id|request_id|created|responseId)": ?"?\w+|(?:^|\r\n)[0-9a-f]+\r\n')
"""With the sizes of chunks: how much of a stream is read at once may differ."""

_LOGGED = ("dialect", "model_asked", "status", "cache", "stream", "request_bytes", "answer_bytes", "error_type")
_OWN = ("request-id", "x-ucr-overhead-ms", "age", "date")

pytestmark = pytest.mark.usefixtures("both_lanes")


def config(**changes: Any) -> Config:
    return config_of(provider("up", "anthropic"), cache=Cache(streams=True), **changes)


def known(world: World) -> str:
    kept = world.worker.api.generation.router.answers
    assert kept is not None
    return repr(kept.repeats)


async def ask(visitor: Visitor, body: bytes = BODY, *, at_once: bool = True, **headers: str) -> Heard:
    """Send head and body in one piece or in two, and hear the answer."""
    fields = {"host": "127.0.0.1:3000", "content-type": "application/json", "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**fields, **headers}.items())
    head = f"POST {MESSAGES} HTTP/1.1\r\n{lines}\r\n".encode()
    for piece in (head + body,) if at_once else (head, body):
        await visitor.stream.send_all(piece)
    return await Visitor(visitor.stream).hear()


def told(heard: Heard) -> tuple[object, ...]:
    return heard.status, [item for item in heard.headers.items() if item[0] not in _OWN], heard.body


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_answer_is_the_same_as_to_a_request_that_is_read(
    autojump_clock: object, stream: bool, at_once: bool
) -> None:
    answer = answers.says(200, answers.anthropic_reply())
    if stream:
        answer = answers.streams(answers.anthropic_text("a", "b"))
    body = json.dumps({**ASK, "stream": stream}).encode()
    async with open_router(config(), up=answer) as world:
        visitor = await world.connect()
        missed, _, read = [await ask(visitor, body, at_once=at_once) for _ in range(3)]
        assert known(world) == "<Repeats: 1>"
        again = [await ask(visitor, body, at_once=at_once) for _ in range(2)]
        assert known(world) == "<Repeats: 1>"
    assert missed.headers["x-ucr-cache"] == "miss"
    assert read.headers["x-ucr-cache"] == "hit" and read.body
    assert [told(one) for one in again] == [told(read)] * 2
    assert len(world.upstreams["up"].requests) == 1


async def test_a_coded_body_is_decoded_each_time(autojump_clock: object) -> None:
    """Its bytes are not those of the request; and those of the request are no coded body."""
    packed = gzip.compress(BODY)
    coding = {"content-encoding": "gzip"}
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        visitor = await world.connect()
        heard = [await ask(visitor, packed, **coding) for _ in range(3)]
        assert known(world) == "<Repeats: 0>"
        broken = await ask(visitor, BODY, **coding)
    assert [one.headers["x-ucr-cache"] for one in heard] == ["miss", "hit", "hit"]
    assert broken.status == 400


async def test_where_bodies_are_recorded_so_are_those_that_are_known(autojump_clock: object) -> None:
    async with open_router(
        config(journal=Journal(bodies=True)), up=answers.says(200, answers.anthropic_reply())
    ) as world:
        visitor = await world.connect()
        heard = [await ask(visitor) for _ in range(4)]
    assert [one.headers["x-ucr-cache"] for one in heard] == ["miss", "hit", "hit", "hit"]
    assert [line["request_bytes"] for line in world.finished] == [len(BODY)] * 4


async def test_a_worker_that_is_short_of_memory_answers_none(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        visitor = await world.connect()
        heard = [await ask(visitor) for _ in range(3)]
        pressure = world.worker.api.pressure
        pressure.look(pressure.limit_bytes)
        heard.append(await ask(visitor))
    assert [one.status for one in heard] == [200, 200, 200, 529]


async def test_a_request_of_which_only_the_head_is_another_one_is_looked_at(autojump_clock: object) -> None:
    async with open_router(config(), up=answers.says(200, answers.anthropic_reply())) as world:
        visitor = await world.connect()
        for _ in range(4):
            await ask(visitor)
        assert known(world) == "<Repeats: 1>"
        heard = await ask(visitor, origin="http://elsewhere.test")
    assert heard.status == 403


ASKS: tuple[tuple[bytes, bytes, dict[str, str]], ...] = tuple(
    (line, json.dumps(body).encode(), headers)
    for line, body, headers in (
        (b"POST /v1/messages HTTP/1.1", ASK, {}),
        (b"POST /v1/messages HTTP/1.0", ASK, {}),
        (b"HEAD /v1/messages HTTP/1.1", ASK, {}),
        (b"POST /v1/messages?beta=true HTTP/1.1", ASK, {}),
        (b"POST /v1/messages HTTP/1.1", {**ASK, "stream": True}, {}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"cache-control": "No-Store"}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"Cache-Control": "no-cache, max-age=0"}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"anthropic-beta": "x"}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"accept-encoding": "gzip"}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"connection": "close"}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"x-ucr-explain": "1"}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"content-type": "text/plain"}),
        (b"POST /v1/messages HTTP/1.1", ASK, {"host": "elsewhere.test"}),
        (b"POST /v1/messages/count_tokens HTTP/1.1", ASK, {}),
        (b"POST /v1/chat/completions HTTP/1.1", ASK, {}),
        (b"POST /v1beta/models/m:generateContent HTTP/1.1", {"contents": [{"parts": [{"text": "hi"}]}]}, {}),
    )
)


async def asked(world: World, ask: tuple[bytes, bytes, dict[str, str]]) -> object:
    """Ask on a connection of its own; return what came, without what belongs to one request."""
    line, body, headers = ask
    fields = {"host": "127.0.0.1:3000", "content-type": "application/json", **headers}
    fields["content-length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()
    stream = (await world.connect()).stream
    await stream.send_all(b"%b\r\n%b\r\n%b" % (line, lines, body))
    came = bytearray()
    with trio.move_on_after(5):
        while data := await stream.receive_some():
            came += data
    await stream.aclose()
    head, _, body = bytes(came).partition(b"\r\n\r\n")
    return [line for line in head.split(b"\r\n") if not line.startswith(_CHANGING)], _IDS.sub(b"", body)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_in_whichever_order_requests_come_each_is_answered_as_if_none_were_known(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = Random(seed)
    few = dice.sample(ASKS, 6)
    order = [dice.choice(few) for _ in range(40)]
    told = []
    for is_known in (True, False):
        if not is_known:
            monkeypatch.setattr(Repeats, "find", lambda *_: None)
        async with open_router(config(server=Server(compression=True)), up=by_stream) as world:
            heard = [await asked(world, ask) for ask in order]
        lines = [{name: line[name] for name in _LOGGED} for line in world.finished]
        told.append((heard, lines, len(world.upstreams["up"].requests)))
    assert told[0] == told[1]


async def by_stream(request: SeenRequest, answer: Answer) -> None:
    words = "hello " * 300
    if json.loads(request.body).get("stream"):
        await answers.streams(answers.anthropic_text(words))(request, answer)
    else:
        await answers.says(200, answers.anthropic_reply(words))(request, answer)
