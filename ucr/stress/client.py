"""A virtual client: it asks again and again, in one of five dialects, and reads every byte of what it is answered."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httptools
import trio

from ucr.stress.hearing import is_error, text_in
from ucr.stress.network import MemoryNetwork, MemoryStream
from ucr.stress.plan import PROVIDERS, Plan
from ucr.stress.reader import StreamReader
from ucr.stress.settings import BUDGETED, CROWDED, TENANTS, TOTAL_S, key_of
from ucr.stress.watch import Asked, OutcomeName, Watch
from ucr.stress.words import MOST_TOKENS, prompt_of, text_of

ROUTER = ("127.0.0.1", 3000)
PATIENCE_S = 3 * TOTAL_S
"""No answer takes longer than this: a limit of the router's ends it before."""

TOPICS = 12
READ_BYTES = 16_384
_DIALECTS = ("anthropic", "anthropic", "openai-chat", "openai-responses", "gemini", "ollama")
_PATHS = MappingProxyType(
    {
        "anthropic": "/v1/messages",
        "openai-chat": "/v1/chat/completions",
        "openai-responses": "/v1/responses",
        "ollama": "/api/chat",
    }
)


@dataclass
class Received:
    """An answer, as far as it has come; the parser calls the methods."""

    on_part: Callable[[bytes], None]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data
        self.on_part(data)

    def on_message_complete(self) -> None:
        self.is_complete = True


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants to ask, and how it behaves meanwhile."""

    asked: Asked
    dialect: str
    is_stream: bool
    leaves_after_s: float | None
    is_slow: bool

    def request(self) -> bytes:
        """Return the request in its bytes."""
        target = self.asked.target
        path, body = _said(self.dialect, f"{target}/{target}-model" if target else "claude-virtual", self)
        data = json.dumps(body).encode()
        lines = (
            f"POST {path} HTTP/1.1",
            "host: 127.0.0.1:3000",
            "content-type: application/json",
            f"authorization: Bearer {key_of(self.asked.tenant)}",
            f"content-length: {len(data)}",
        )
        return "\r\n".join([*lines, "", ""]).encode() + data


def _said(dialect: str, model: str, wish: Wish) -> tuple[str, dict[str, Any]]:
    """Return the path and the body of a request."""
    prompt, named = prompt_of(wish.asked.tag), {"model": model, "stream": wish.is_stream}
    match dialect:
        case "gemini":
            action = "streamGenerateContent?alt=sse" if wish.is_stream else "generateContent"
            contents = [{"role": "user", "parts": [{"text": prompt}]}]
            body = {"contents": contents, "generationConfig": {"maxOutputTokens": MOST_TOKENS}}
            return f"/v1beta/models/{model}:{action}", body
        case "openai-responses":
            return _PATHS[dialect], {**named, "input": prompt, "max_output_tokens": MOST_TOKENS}
    messages = [{"role": "user", "content": prompt}]
    limit = {"options": {"num_predict": MOST_TOKENS}} if dialect == "ollama" else {"max_tokens": MOST_TOKENS}
    return _PATHS[dialect], {**named, "messages": messages, **limit}


class VirtualClient:
    """One client; `number` decides over its tenant and its dice."""

    def __init__(self, number: int, plan: Plan, network: MemoryNetwork, watch: Watch) -> None:
        self._number = number
        self._plan = plan
        self._network = network
        self._watch = watch
        self._dice = random.Random(f"{plan.seed} client {number}")
        self._stream: MemoryStream | None = None
        self._turn = 0

    async def run(self) -> None:
        """Ask until the plan is at its end."""
        plan, dice = self._plan, self._dice
        await trio.sleep(dice.uniform(0, plan.pause_s))
        while trio.current_time() < plan.end_s:
            self._turn += 1
            await self._ask(self._wish())
            if "again" not in plan.habits or dice.random() < 0.5:
                self._hang_up()
            await trio.sleep(dice.expovariate(1 / plan.pause_s))
        self._hang_up()

    def _wish(self) -> Wish:
        """Draw the next request. The dice are thrown for every habit, so that those left out change no other."""
        dice, habits = self._dice, self._plan.habits
        tenant = TENANTS[self._number % len(TENANTS)]
        is_own, topic = dice.random() < 0.6 or "repeat" not in habits, dice.randrange(TOPICS)
        kind = tenant if tenant in (BUDGETED, CROWDED) else "u"
        dialect, target = dice.choice(_DIALECTS), dice.choice(("", "", *PROVIDERS))
        leaves, leaves_after_s = dice.random() < 0.15, dice.choice((0.0, 0.01, 0.06, 1.0, 5.0))
        is_stream, is_slow = dice.random() < 0.6 and "stream" in habits, dice.random() < 0.1
        if is_own:
            tag = f"{kind}{self._number}.{self._turn}"
        else:
            tag, dialect, target = f"{kind}t{topic}", _DIALECTS[topic % len(_DIALECTS)], ""
        return Wish(
            Asked(self._number, tenant, tag, target, trio.current_time()),
            dialect,
            is_stream,
            leaves_after_s if leaves and "leave" in habits else None,
            is_slow and "slow" in habits and tenant != CROWDED,
        )

    async def _ask(self, wish: Wish) -> None:
        """Ask once; the client may leave, and then nothing is expected but that the router forgets it."""
        watch, asked = self._watch, wish.asked
        watch.begun(asked)
        patience_s = PATIENCE_S if wish.leaves_after_s is None else wish.leaves_after_s
        with trio.move_on_after(patience_s) as patience:
            await self._exchange(wish)
        if not patience.cancelled_caught:
            return
        self._hang_up()
        if wish.leaves_after_s is None:
            watch.broke("lost answer", f"{asked.tag} was not answered within {PATIENCE_S:g} s")
        else:
            watch.ended(asked, "left", 0)

    async def _exchange(self, wish: Wish) -> None:
        reader = StreamReader(wish.dialect, wish.asked.tag)
        received = Received(reader.feed if wish.is_stream else lambda _: None)
        parser = httptools.HttpResponseParser(received)
        had_stream = self._stream is not None
        try:
            await self._talk(wish, received, parser)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        except ValueError as error:
            self._watch.broke("grammar", f"{wish.asked.tag}: {error!r}")
            return None
        if not received.is_complete:
            self._hang_up()
            if had_stream and not received.headers:
                return await self._exchange(wish)
            return self._watch.broke("cut", f"{wish.asked.tag}: {bytes(received.body[-200:])!r}")
        return self._judge(wish, received, parser.get_status_code(), reader)

    async def _talk(self, wish: Wish, received: Received, parser: httptools.HttpResponseParser) -> None:
        if self._stream is None:
            self._stream = await self._network.connect(*ROUTER)
        stream = self._stream
        await stream.send_all(wish.request())
        while not received.is_complete:
            if wish.is_slow:
                await trio.sleep(self._dice.uniform(0, 0.5))
            data = await stream.receive_some(1024 if wish.is_slow else READ_BYTES)
            if not data:
                return
            parser.feed_data(data)

    def _judge(self, wish: Wish, received: Received, status: int, reader: StreamReader) -> None:
        watch, asked, body = self._watch, wish.asked, bytes(received.body)
        if received.headers.get("connection") == "close":
            self._hang_up()
        if status != 200:
            if not is_error(body, wish.dialect):
                watch.broke("grammar", f"{asked.tag}: no error in {status} {body[:200]!r}")
            return watch.ended(asked, "refused", status)
        if wish.is_stream:
            reader.close()
            if reader.problem is not None:
                watch.broke("grammar", f"{asked.tag} of {wish.dialect}: {reader.problem}")
        elif (text := text_in(wish.dialect, body)) != text_of(asked.tag):
            watch.broke("crossed answer", f"{asked.tag}: {text[:200]!r}")
        outcome: OutcomeName = "failed" if reader.has_failed else "whole"
        return watch.ended(asked, outcome, status, received.headers.get("x-ucr-cache", ""))

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
