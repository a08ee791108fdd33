from urllib.parse import urlsplit

import trio
from trio.testing import MockClock, memory_stream_pair

from ucr.discovery import PROBES
from ucr.probing import BODY_LIMIT_BYTES, probe_local

OLLAMA, LM_STUDIO = PROBES
MODELS = b'{"data":[{"id":"m"}]}'


class Answers:
    """A network on which only the given addresses answer; an answer of None never comes."""

    def __init__(self, answers: dict[str, bytes | None]) -> None:
        self.answers = {urlsplit(url).port: data for url, data in answers.items()}
        self.asked: list[bytes] = []

    async def connect(self, host: str, port: int) -> trio.abc.Stream:
        if port not in self.answers:
            raise ConnectionRefusedError(host)
        near, far = memory_stream_pair()
        data = self.answers[port]
        if data is not None:
            await far.send_all(data)
            await far.send_eof()
        return near


def ok(body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (size, body)


async def probed(answers: dict[str, bytes | None]) -> list[str]:
    return [provider.id for provider in await probe_local(Answers(answers).connect)]


async def test_local_servers_are_found_in_the_order_of_the_probes(autojump_clock: MockClock) -> None:
    assert await probed({LM_STUDIO.url: ok(MODELS), OLLAMA.url: ok(MODELS)}) == ["ollama", "lmstudio"]


async def test_a_chunked_list_is_read(autojump_clock: MockClock) -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
        len(MODELS),
        MODELS,
    )
    assert await probed({OLLAMA.url: chunked}) == ["ollama"]


async def test_nothing_is_found_where_nothing_answers(autojump_clock: MockClock) -> None:
    assert await probed({}) == []


async def test_what_is_no_http_is_no_provider(autojump_clock: MockClock) -> None:
    assert await probed({OLLAMA.url: b"SSH-2.0-x\r\n", LM_STUDIO.url: ok(MODELS, 99)}) == []


async def test_one_that_hangs_does_not_keep_the_others(autojump_clock: MockClock) -> None:
    started = trio.current_time()
    assert await probed({OLLAMA.url: None, LM_STUDIO.url: ok(MODELS)}) == ["lmstudio"]
    assert trio.current_time() - started <= 0.5


async def test_an_answer_of_more_than_a_mebibyte_is_no_list_of_models(autojump_clock: MockClock) -> None:
    padded = MODELS + b" " * (BODY_LIMIT_BYTES - len(MODELS))
    assert await probed({OLLAMA.url: ok(padded)}) == ["ollama"]
    assert await probed({OLLAMA.url: ok(padded + b" ")}) == []
