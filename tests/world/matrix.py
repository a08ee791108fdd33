"""Every client dialect before every provider dialect, in memory: what passes, what is translated, what is noted.

A cell is one client, one provider and one feature. Its mark says what became of it; what must not be raises
`AssertionError`.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.world import answers
from tests.world.matrix_clients import CLIENTS, events_of
from tests.world.matrix_providers import SCRIPTS, THOUGHT, TOKENS, Script
from tests.world.matrix_seen import Seen
from tests.world.matrix_words import MODEL, PICTURE, Question, Told, Turn
from tests.world.router import Heard, World, config_of, open_router, provider
from ucr.stress.failing.moves import Call, Say
from ucr.stress.upstream import Answer, Handler, SeenRequest

Json = dict[str, Any]
HELLO = Say("Hello there.")
LOOK = Call("call_looks0001", "look", {"city": "Köln"})
SECOND = Call("call_looks0002", "look", {"city": 'Rome "∞" \\ 1'})
WORDS = "this is what the provider said"
ASK = Question("What is the weather?", system="Answer in short.")
RESULT = "rain, 12°"

PIECE = 61
"""How many bytes of a stream arrive at once."""

BYTES, YES, NOTED, NONE = "bytes", "yes", "yes, noted", "-"


class Stand:
    """One client before one provider, which says what it is told to say next."""

    def __init__(self, world: World, client: str, provider: str, script: Script, said: list[Handler]) -> None:
        self.world = world
        self.client, self.script = CLIENTS[client], script
        self.is_same = client == provider
        self.marks: set[str] = set()
        self._said = said

    async def ask(
        self, question: Question, say: Say, *exchanged: tuple[bytes, bytes]
    ) -> tuple[Seen, Told, Json]:
        """Ask, and return what the provider saw, what the client was told, and the client's whole answer."""
        written = b"".join(self.script.stream(say, self.script.model, *exchanged))
        whole = json.dumps(self.script.whole(say, self.script.model)).encode()
        for old, new in exchanged:
            whole = whole.replace(old, new)
        self._said.append(
            streamed(_cut(written), self.script.media) if question.stream else answers.says(200, whole)
        )
        heard, asked = await self._send(question)
        assert heard.status == 200, heard.body
        request = self.world.upstreams["up"].requests[-1]
        answer = written if question.stream else whole
        self._mark(heard, request.body, asked, answer, question)
        gathered = self.client.gather(events_of(heard.body)) if question.stream else heard.json()
        told = self.client.read(gathered)
        assert (told.text, told.model, told.tokens) == (say.text, MODEL, TOKENS)
        assert told.ends_in_calls is bool(say.calls)
        assert [(name, given) for _, name, given in told.calls] == [
            (call.name, dict(call.arguments)) for call in say.calls
        ]
        return self.script.seen(json.loads(request.body)), told, gathered

    async def fail(self, question: Question, said: Handler) -> Heard:
        """Ask when the provider fails, and return what the client heard."""
        self._said.append(said)
        heard, _ = await self._send(question)
        self.marks.add(YES)
        return heard

    async def _send(self, question: Question) -> tuple[Heard, bytes]:
        path, body = self.client.ask(question)
        asked = json.dumps(body).encode()
        return await self.world.ask(path, asked), asked

    def _mark(self, heard: Heard, request: bytes, asked: bytes, answer: bytes, question: Question) -> None:
        """Note how the bytes came through: the same but for the model's name, or in order of the client's dialect."""
        named = [name.encode() for name in (MODEL, self.script.model)]
        is_sent, wanted = request == asked.replace(*named), answer.replace(*reversed(named))
        is_untouched = is_sent and heard.body == wanted
        notes = heard.headers.get("x-ucr-notes")
        if self.is_same and not self.client.keeps_bytes:
            assert is_sent and events_of(heard.body) == events_of(wanted), (request, heard.body)
        elif self.is_same:
            assert is_untouched, (request, heard.body)
        else:
            assert self.client.faults(heard.body, question.stream) == []
        self.marks.add(BYTES if is_untouched else YES if notes is None else NOTED)


def streamed(pieces: list[bytes], media: str) -> Handler:
    """Answer with a stream of a media type."""

    async def handle(request: SeenRequest, answer: Answer) -> None:
        await answer.head(200, (("content-type", media),))
        for piece in pieces:
            await answer.send(piece)
        await answer.finish()

    return handle


def _cut(data: bytes) -> list[bytes]:
    """Cut a stream where its events do not end."""
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


Feature = Callable[[Stand], Awaitable[None]]


async def text(stand: Stand) -> None:
    seen, _, _ = await stand.ask(ASK, HELLO)
    assert (seen.system, seen.said) == (ASK.system, [ASK.text])


async def stream(stand: Stand) -> None:
    seen, _, _ = await stand.ask(replace(ASK, stream=True), HELLO)
    assert (seen.system, seen.said) == (ASK.system, [ASK.text])


async def calls(stand: Stand) -> None:
    await _loop(stand, Say("I look.", calls=(LOOK,)), is_streamed=False)
    await _loop(stand, Say(calls=(LOOK,)), is_streamed=True)


async def parallel(stand: Stand) -> None:
    for is_streamed in (False, True):
        await _loop(stand, Say("I look twice.", calls=(LOOK, SECOND)), is_streamed=is_streamed)


async def thinking(stand: Stand) -> None:
    """The thought reaches the client, and what the provider needs of it comes back in the next turn."""
    for is_streamed in (False, True):
        say = Say("I look.", thinking=THOUGHT, calls=(LOOK, SECOND))
        told = await _loop(stand, say, is_streamed=is_streamed, thinks=True)
        assert told.thinking == THOUGHT
        assert stand.script.state.encode() in stand.world.upstreams["up"].requests[-1].body


async def image(stand: Stand) -> None:
    seen, _, _ = await stand.ask(replace(ASK, shows_picture=True), HELLO)
    assert (seen.images, seen.said) == ([base64.b64decode(PICTURE)], [ASK.text])


async def picture_in_result(stand: Stand) -> None:
    """A tool's picture reaches the provider; a client whose dialect has no place for one says nothing."""
    if stand.client is CLIENTS["openai-chat"]:
        return
    say, question = Say("I look.", calls=(LOOK,)), replace(ASK, tool="look")
    _, told, answer = await stand.ask(question, say)
    seen = await _return(stand, say, question, told, answer, shows_picture=True)
    assert seen.images == [base64.b64decode(PICTURE)]


async def cut(stand: Stand) -> None:
    """An answer that the output limit cut short is told as one."""
    for is_streamed in (False, True):
        _, told, _ = await stand.ask(replace(ASK, stream=is_streamed), HELLO, *stand.script.cut)
        assert told.is_cut


async def refusal(stand: Stand) -> None:
    """An error before the stream has its status, the provider's words and the client's shape."""
    body = stand.script.error(WORDS)
    for is_streamed in (False, True):
        heard = await stand.fail(replace(ASK, stream=is_streamed), answers.says(400, body))
        assert heard.status == 400
        assert WORDS in stand.client.error([heard.json()])


async def broken(stand: Stand) -> None:
    """An error in a stream is its last event, in the client's shape, and nothing says that the answer is whole."""
    pieces = stand.script.broken(HELLO, stand.script.model, WORDS)
    heard = await stand.fail(replace(ASK, stream=True), streamed(pieces, stand.script.media))
    said = events_of(heard.body)
    assert (heard.status, WORDS in stand.client.error(said)) == (200, True)
    assert HELLO.text[:4].encode() in heard.body
    for end in (b"[DONE]", b"message_stop", b"response.completed", b'"STOP"', b'"done":true', b'"done": true'):
        assert end not in heard.body


async def _loop(stand: Stand, say: Say, *, is_streamed: bool, thinks: bool = False) -> Told:
    """Have the provider call, and see that its calls and their results come back to it under its own ids."""
    question = replace(ASK, tool="look", stream=is_streamed, thinks=thinks)
    seen, told, answer = await stand.ask(question, say)
    assert (seen.tools, seen.thinks or not thinks) == (["look"], True)
    await _return(stand, say, question, told, answer)
    return told


async def _return(
    stand: Stand, say: Say, question: Question, told: Told, answer: Json, *, shows_picture: bool = False
) -> Seen:
    """Bring the results of all calls back, and see that they reach the provider under its own ids."""
    results = tuple((id_, name, f"{RESULT} {number}") for number, (id_, name, _) in enumerate(told.calls))
    turn = Turn(answer, results, shows_picture)
    again, _, _ = await stand.ask(replace(question, history=(turn,)), HELLO)
    assert again.calls == {call.id: (call.name, dict(call.arguments)) for call in say.calls}
    assert again.results.keys() == {call.id for call in say.calls}
    for (_, _, text), told_back in zip(results, again.results.values(), strict=True):
        assert told_back == text or (shows_picture and told_back.startswith(text))
    return again


FEATURES: Mapping[str, Feature] = {
    "text": text,
    "stream": stream,
    "tools": calls,
    "parallel tools": parallel,
    "thinking": thinking,
    "image": image,
    "image in a result": picture_in_result,
    "cut short": cut,
    "error before": refusal,
    "error in the stream": broken,
}
"""What is tried in each pair, by the heading of its column."""


async def try_out(client: str, dialect: str, feature: str) -> str:
    """Return the mark of a cell."""
    script = SCRIPTS[dialect]
    said: list[Handler] = []

    async def upstream(request: SeenRequest, answer: Answer) -> None:
        await said.pop(0)(request, answer)

    if feature.startswith("image") and script.seeing:
        script = replace(script, model=script.seeing)
    up = provider("up", dialect, default_model=script.model, quirks=script.quirks)
    async with open_router(config_of(up), up=upstream) as world:
        stand = Stand(world, client, dialect, script, said)
        await FEATURES[feature](stand)
    return next((mark for mark in (NOTED, YES, BYTES) if mark in stand.marks), NONE)
