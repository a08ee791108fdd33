"""Runs one case of the failure catalogue through a whole router, and sees that nothing is left of it.

The faults and their numbers are those of the table in `docs/reliability.md`. A case says what the client is told
when there is one provider only, and whether another one is asked when there is. Whatever the case: the answer
has the shape of the client's dialect, no secret is in it or in the log, nothing stays in flight, and the next
request is served.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.world.check_anthropic_stream import check
from tests.world.router import Heard, World, config_of, open_router, provider
from ucr import sse
from ucr.config.model import Timeouts
from ucr.dialects.openai_chat.client_errors import WORDS
from ucr.errors import ErrorType
from ucr.secret import Secret
from ucr.stress.failing import healthy, named
from ucr.stress.network import Fault
from ucr.stress.upstream import Handler, Upstream

Dialect = Literal["anthropic", "openai-chat"]
DIALECTS: tuple[Dialect, ...] = ("anthropic", "openai-chat")

KEY = "sk-secret-of-the-provider"
"""The provider's key, in a form that is known as a key's."""
TIMES = Timeouts(connect_s=5, first_byte_s=300, idle_s=240, total_s=3600)
"""The defaults, written out: the bounds of the cases are computed from them."""
RETRYING_S = 10.0
"""What pauses between attempts may add to an answer."""
COOLING_S = 70.0
"""After this long no key cools; three failures open no breaker."""

PATHS: dict[Dialect, str] = {"anthropic": "/v1/messages", "openai-chat": "/v1/chat/completions"}
TURN = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True, slots=True)
class Told:
    """An error with a status. `words` are somewhere in its message."""

    status: int
    type: ErrorType
    words: str = ""
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A stream that begins well and ends in an error event."""

    type: ErrorType


@dataclass(frozen=True, slots=True)
class Fine:
    """A whole and healthy answer; `text` is what it says."""

    text: str = healthy.TEXT


Expected = Told | Cut | Fine


@dataclass(frozen=True, slots=True)
class Case:
    """One fault and what follows from it. None: the fault cannot happen to such a request.

    `within_s` is how long an answer may take at most, retries left out.
    """

    entry: int
    name: str
    fault: Handler | Fault
    whole: Expected | None
    stream: Expected | None
    passes_on: bool = True
    within_s: float = 0.0
    providers: tuple[Dialect, ...] = DIALECTS
    is_early: bool = False

    @property
    def id(self) -> str:
        return f"fault-{self.entry}-{self.name}"


@dataclass(slots=True)
class Stage:
    """A router before a provider that has the fault of a case, until it is `healed`."""

    case: Case
    world: World
    moody: named.Moody
    asked: Any = field(default=None)

    def afflict(self) -> None:
        if isinstance(self.case.fault, Fault):
            self.world.network.afflict("up.test", 80, self.case.fault)
        else:
            self.moody.fault = self.case.fault

    def heal(self) -> None:
        self.moody.fault = None
        self.world.network.afflict("up.test", 80, None)

    async def ask(self, client: Dialect, *, stream: bool) -> tuple[Heard, float]:
        """Ask once; return the answer and how long it took."""
        began = trio.current_time()
        heard = await self.world.ask(PATHS[client], body_of(client, stream=stream))
        return heard, trio.current_time() - began


def each(cases: Iterable[Case]) -> list[Any]:
    """Return the cases for both clients and both kinds of provider, streamed and not, as pytest's parameters."""
    return [
        pytest.param(
            case, client, dialect, stream, id=f"{case.id}-{client}-{dialect}-{'stream' if stream else 'whole'}"
        )
        for case in cases
        for client in DIALECTS
        for dialect in case.providers
        for stream in (False, True)
        if (case.stream if stream else case.whole) is not None
    ]


def body_of(client: Dialect, *, stream: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "claude-x", "messages": TURN, "stream": stream}
    return body | ({"max_tokens": 50} if client == "anthropic" else {})


def up(dialect: Dialect, name: str = "up") -> Any:
    """Return a provider of the scripted kind, with a key."""
    return provider(name, dialect, api_keys=(Secret(KEY),), timeouts=TIMES)


async def see_alone(case: Case, client: Dialect, dialect: Dialect, *, stream: bool) -> None:
    """Cause a fault when there is no other provider, then see that the provider is used again."""
    expected = case.stream if stream else case.whole
    assert expected is not None
    moody = named.Moody()
    upstream = Upstream(moody, early=case.is_early)
    config = replace(config_of(up(dialect)), timeouts=TIMES)
    async with open_router(config, up=upstream) as world:
        stage = Stage(case, world, moody)
        stage.afflict()
        heard, took_s = await stage.ask(client, stream=stream)
        see(heard, expected, client, stream=stream)
        assert took_s <= case.within_s + RETRYING_S
        assert world.network.attempts <= 3 + 2, "the client's own connection, and three attempts and a spare"
        assert len(upstream.requests) <= 3
        stage.heal()
        await trio.sleep(COOLING_S)
        again, _ = await stage.ask(client, stream=stream)
        see(again, Fine(), client, stream=stream)
        await see_nothing_left(world)


async def see_helped(case: Case, client: Dialect, dialect: Dialect, *, stream: bool) -> None:
    """Cause a fault when there is another provider: it answers, or is not asked at all."""
    expected = case.stream if stream else case.whole
    assert expected is not None
    moody = named.Moody()
    other: Dialect = "anthropic" if dialect == "openai-chat" else "openai-chat"
    config = replace(config_of(up(dialect), up(other, "second")), timeouts=TIMES)
    async with open_router(config, up=Upstream(moody, early=case.is_early), second=healthy.well) as world:
        stage = Stage(case, world, moody)
        stage.afflict()
        heard, took_s = await stage.ask(client, stream=stream)
        is_helped = case.passes_on and isinstance(expected, Told)
        see(heard, Fine() if is_helped else expected, client, stream=stream)
        assert took_s <= case.within_s + RETRYING_S
        assert len(world.upstreams["second"].requests) == is_helped
        if is_helped and not case.name.startswith("slowly"):
            assert heard.headers["x-ucr-provider"] == "second"
        await see_nothing_left(world)


def see(heard: Heard, expected: Expected, client: Dialect, *, stream: bool) -> None:
    """Assert that an answer is as expected, and whole."""
    see_no_secret(heard)
    assert heard.is_complete
    match expected:
        case Told(status, type_, words, retry_after):
            assert (heard.status, heard.headers["content-type"]) == (status, "application/json"), heard
            see_error(heard.json(), type_, words, client)
            if retry_after is not None:
                assert heard.headers.get("retry-after", "") == retry_after
        case Cut(type_):
            assert heard.status == 200, heard
            events = events_of(heard)
            see_error(events[-1], type_, "", client)
            see_begun(events, heard, client)
        case Fine(text):
            assert heard.status == 200, heard
            assert text_of(heard, client, stream=stream) == text


def see_error(body: dict[str, Any], type_: ErrorType, words: str, client: Dialect) -> None:
    """Assert that an error has the shape of the client's dialect."""
    if client == "anthropic":
        assert body["type"] == "error"
        assert body["error"].keys() == {"type", "message"}
        assert body["error"]["type"] == type_, body
    else:
        assert body.keys() == {"error"}
        assert body["error"].keys() == {"message", "type", "param", "code"}
        assert body["error"]["type"] in {WORDS[type_][0], type_}, "the router's own word, or the provider's"
    assert body["error"]["message"]
    assert words in body["error"]["message"]


def see_begun(events: list[dict[str, Any]], heard: Heard, client: Dialect) -> None:
    """Assert that a stream which ended in an error has no ending of its own."""
    if client == "anthropic":
        assert "message_stop" not in [event["type"] for event in events]
    else:
        assert b"[DONE]" not in heard.body


def text_of(heard: Heard, client: Dialect, *, stream: bool) -> str:
    """Return what an answer says, and assert that it is well formed."""
    if not stream:
        value = heard.json()
        if client == "anthropic":
            return "".join(block.get("text", "") for block in value["content"])
        return str(value["choices"][0]["message"]["content"])
    events = events_of(heard)
    if client == "anthropic":
        known = [event for event in events if event["type"] != "novelty"]
        assert check([(event["type"], event) for event in known]) == []
        return "".join(event.get("delta", {}).get("text", "") for event in events)
    assert heard.body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").endswith(b"data: [DONE]\n\n")
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def events_of(heard: Heard) -> list[dict[str, Any]]:
    """Read a stream as a client does, whatever its line ends are."""
    decoder = sse.Decoder()
    events = [*decoder.feed(heard.body), *decoder.close()]
    return [json.loads(event.data) for event in events if event.data.strip() != "[DONE]"]


def see_no_secret(heard: Heard) -> None:
    """Assert that an answer is text, has an id, and holds no key and no trace of the code."""
    text = heard.body.decode("utf-8")
    assert heard.headers["request-id"].startswith("req_")
    for hidden in (KEY, "Traceback", "Error(", 'File "'):
        assert hidden not in text
        assert hidden not in str(heard.headers)


async def see_nothing_left(world: World) -> None:
    """Assert that no lease is out, no connection is in use, and the log holds no secret and no crash."""
    await trio.sleep(1)
    await wait_all_tasks_blocked()
    for child in world.worker.tree.children.values():
        pool = child.pool.statistics()
        assert child.status.in_flight == 0
        assert pool.open == pool.idle
    log = json.dumps(world.lines)
    assert KEY not in log
    assert "crashed" not in log, [line for line in world.lines if "crashed" in line["event"]]
    assert len(world.finished) == len({line["request_id"] for line in world.finished})
