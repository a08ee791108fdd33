import httpx
import trio
from trio.testing import MockClock

from ucr.discovery import PROBES
from ucr.probing import BODY_LIMIT_BYTES, probe_local

OLLAMA, LM_STUDIO = PROBES
MODELS = b'{"data":[{"id":"m"}]}'


class Answers(httpx.AsyncBaseTransport):
    """A network on which only the given addresses answer; a body of None never comes."""

    def __init__(self, answers: dict[str, bytes | None]) -> None:
        self.answers = answers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if url not in self.answers:
            raise httpx.ConnectError("refused", request=request)
        body = self.answers[url]
        if body is None:
            await trio.sleep_forever()
            raise AssertionError
        return httpx.Response(200, content=body)


async def test_local_servers_are_found_in_the_order_of_the_probes(autojump_clock: MockClock) -> None:
    providers = await probe_local(Answers({LM_STUDIO.url: MODELS, OLLAMA.url: MODELS}))
    assert [provider.id for provider in providers] == ["ollama", "lmstudio"]


async def test_nothing_is_found_where_nothing_answers(autojump_clock: MockClock) -> None:
    assert await probe_local(Answers({})) == ()


async def test_one_that_hangs_does_not_keep_the_others(autojump_clock: MockClock) -> None:
    started = trio.current_time()
    providers = await probe_local(Answers({OLLAMA.url: None, LM_STUDIO.url: MODELS}))
    assert [provider.id for provider in providers] == ["lmstudio"]
    assert trio.current_time() - started <= 0.5


async def test_an_answer_of_more_than_a_mebibyte_is_no_list_of_models(autojump_clock: MockClock) -> None:
    padded = MODELS + b" " * (BODY_LIMIT_BYTES - len(MODELS))
    assert len(await probe_local(Answers({OLLAMA.url: padded}))) == 1
    assert await probe_local(Answers({OLLAMA.url: padded + b" "})) == ()
