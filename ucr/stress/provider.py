"""A virtual provider: it answers every prompt in the words of its tag, unless the plan has a fault for it.

Which answers a fault befalls is drawn by the tag and not in turn, so that other clients change nothing of it.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from zlib import crc32

import trio

from ucr.stress import network as ways
from ucr.stress import voices
from ucr.stress.network import Fault, MemoryNetwork
from ucr.stress.plan import ON_THE_WAY, FaultName, Plan, Spell
from ucr.stress.upstream import Answer, Headers, SeenRequest, Upstream
from ucr.stress.words import tag_in, words_of

PORT = 80
SLOW_S = 0.7
_JSON: Headers = (("content-type", "application/json"),)
_SSE: Headers = (("content-type", "text/event-stream"),)
_PAGE = b"<!doctype html><html><body>Please sign in.</body></html>"
_GARBAGE = b"\x00\xff\xfe garbage\n\ndata: \xff\xfe{\n\n"

OnAnswered = Callable[[str, int], None]
OnAsked = Callable[[str, str], None]
Misbehave = Callable[["Speech"], Awaitable[None]]


def host_of(provider: str) -> str:
    return f"{provider}.test"


class VirtualProvider:
    """`on_asked` hears of every request, with the provider's name and the tag; `on_answered` of every whole answer,
    with the tag and the output tokens that are to be paid.
    """

    def __init__(self, name: str, dialect: str, plan: Plan, on_asked: OnAsked, on_answered: OnAnswered) -> None:
        self.name = name
        self.dialect = dialect
        self.upstream = Upstream(self._answer)
        self._spells = tuple(spell for spell in plan.spells if spell.provider == name)
        self._on_asked = on_asked
        self._on_answered = on_answered

    async def serve(self, network: MemoryNetwork) -> None:
        """Listen, for ever, and be hard to reach when the plan says so."""
        listener = network.listener(host_of(self.name), PORT)
        async with trio.open_nursery() as nursery:
            for spell in self._spells:
                if spell.fault in ON_THE_WAY:
                    nursery.start_soon(self._afflict, network, spell)
            await trio.serve_listeners(self.upstream.serve, [listener])

    async def _afflict(self, network: MemoryNetwork, spell: Spell) -> None:
        await trio.sleep_until(spell.start_s)
        network.afflict(host_of(self.name), PORT, _way(spell.fault))
        await trio.sleep_until(spell.end_s)
        network.afflict(host_of(self.name), PORT, None)

    def _fault(self, tag: str) -> FaultName | None:
        now_s = trio.current_time()
        for spell in self._spells:
            if spell.start_s <= now_s < spell.end_s and spell.fault not in ON_THE_WAY:
                luck = crc32(f"{spell.start_s} {tag} {now_s}".encode()) % 1000
                if luck < spell.share * 1000:
                    return spell.fault
        return None

    async def _answer(self, request: SeenRequest, answer: Answer) -> None:
        tag = tag_in(request.body)
        if tag is None:
            await answer.reply(400, voices.error(self.dialect, "invalid_request_error", "no tag"), _JSON)
            return
        self._on_asked(self.name, tag)
        is_stream = b'"stream":true' in request.body.replace(b" ", b"")
        speech = Speech(self.dialect, tag, is_stream, answer, partial(self._on_answered, tag))
        fault = self._fault(tag)
        await (well if fault is None else misbehaviour(fault))(speech)


def _way(fault: FaultName) -> Fault:
    match fault:
        case "refuse":
            return ways.Refuse()
        case "unreachable":
            return ways.Hang()
        case _:
            return ways.Silent()


class Speech:
    """One answer, and the means to spoil it."""

    def __init__(
        self, dialect: str, tag: str, is_stream: bool, answer: Answer, on_answered: Callable[[int], None]
    ) -> None:
        self.dialect = dialect
        self.is_stream = is_stream
        self.answer = answer
        self._tag = tag
        self._on_answered = on_answered

    @property
    def kind(self) -> Headers:
        return _SSE if self.is_stream else _JSON

    def parts(self) -> list[bytes]:
        """Return a healthy body: the events of a stream, or the halves of a whole answer."""
        words = words_of(self._tag)
        if self.is_stream:
            return voices.stream(self.dialect, words)
        body = voices.whole(self.dialect, words)
        return [body[: len(body) // 2], body[len(body) // 2 :]]

    def halves(self) -> tuple[bytes, bytes]:
        """Return a healthy body in two, cut at a word."""
        parts = self.parts()
        middle = max(1, len(parts) // 2)
        return b"".join(parts[:middle]), b"".join(parts[middle:])

    def answered(self) -> None:
        """Say that all words were sent: they are to be paid."""
        self._on_answered(len(words_of(self._tag)))

    async def begin(self) -> bytes:
        """Send the head and the first half; return the second one."""
        first, second = self.halves()
        await self.answer.head(200, self.kind)
        await self.answer.send(first)
        return second

    async def refuse(self, status: int, type_: str, headers: Headers = ()) -> None:
        """Answer with an error."""
        body = voices.error(self.dialect, type_, "out of order")
        await self.answer.reply(status, body, (*_JSON, *headers))


async def well(speech: Speech) -> None:
    """Say every word: the first half at once, the rest a little later."""
    rest = await speech.begin()
    await trio.sleep(0.05)
    speech.answered()
    await speech.answer.send(rest)
    await speech.answer.finish()


def misbehaviour(fault: FaultName) -> Misbehave:
    """Return what a provider with this fault does."""
    match fault:
        case "429":
            return partial(_refuse, 429, "rate_limit_error", (("retry-after", "3"),))
        case "500" | "503" | "529":
            return partial(_refuse, int(fault), "api_error", ())
        case "silent" | "head-only" | "stall":
            return partial(_hang, fault)
        case "reset" | "close" | "cut":
            return partial(_break, fault)
        case "page":
            return _show_page
        case "slow":
            return _speak_slowly
        case "surplus":
            return _say_too_much
        case _:
            return partial(_spoil, fault)


async def _refuse(status: int, type_: str, headers: Headers, speech: Speech) -> None:
    await speech.refuse(status, type_, headers)


async def _hang(fault: FaultName, speech: Speech) -> None:
    if fault == "head-only":
        await speech.answer.head(200, speech.kind)
    elif fault == "stall":
        await speech.begin()
    await trio.sleep_forever()


async def _break(fault: FaultName, speech: Speech) -> None:
    if fault == "close":
        return await speech.answer.close()
    if fault == "cut":
        await speech.begin()
    return await speech.answer.reset()


async def _show_page(speech: Speech) -> None:
    await speech.answer.reply(200, _PAGE, (("content-type", "text/html"),))


async def _speak_slowly(speech: Speech) -> None:
    await speech.answer.head(200, speech.kind)
    for part in speech.parts():
        await trio.sleep(SLOW_S)
        await speech.answer.send(part)
    speech.answered()
    await speech.answer.finish()


async def _say_too_much(speech: Speech) -> None:
    """Answer well, and send another answer that nobody asked for."""
    body = b"".join(speech.parts())
    await speech.answer.head(200, (*speech.kind, ("content-length", str(len(body)))))
    speech.answered()
    await speech.answer.raw(body + b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled")


async def _spoil(fault: FaultName, speech: Speech) -> None:
    """End in the middle as if that were the end, or say something there that is no part of an answer."""
    await speech.begin()
    if fault == "garbage":
        await speech.answer.send(_GARBAGE)
    elif fault == "error-event":
        await speech.answer.send(voices.error_event(speech.dialect))
    await speech.answer.finish()
