"""The whole path in memory: what clients see for what upstreams do."""

from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.check_anthropic_stream import check
from tests.world.router import config_of, open_router, provider
from ucr.config.model import Timeouts
from ucr.dialects.roles import is_strict
from ucr.rests import LARGE_BYTES
from ucr.secret import Secret

pytestmark = pytest.mark.usefixtures("both_lanes")

MESSAGES = "/v1/messages?beta=true"
CHAT = "/v1/chat/completions"
TURN: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "messages": TURN}
STREAM: dict[str, Any] = {**ASK, "stream": True}
CHAT_ASK: dict[str, Any] = {"model": "gpt-x", "messages": TURN}


def names(heard: Any) -> list[str]:
    return [event["type"] for event in heard.events()]


async def test_a_message_is_translated_both_ways(autojump_clock: object) -> None:
    async with open_router(
        config_of(provider("up", "openai-chat")), up=answers.says(200, answers.chat_reply())
    ) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.status == 200
    assert heard.json()["content"] == [{"type": "text", "text": "hello"}]
    assert heard.json()["model"] == "claude-x"
    assert heard.headers["x-ucr-provider"] == "up"
    assert heard.headers["x-ucr-model"] == "up-model"
    seen = world.upstreams["up"].requests[0]
    assert seen.path == "/v1/chat/completions"
    assert seen.json()["model"] == "up-model"  # type: ignore[index]


async def test_a_stream_is_translated_into_the_exact_grammar(autojump_clock: object) -> None:
    handler = answers.streams(answers.chat_text("Hel", "lo"))
    async with open_router(config_of(provider("up", "openai-chat")), up=handler) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert check([(event["type"], event) for event in heard.events()]) == []
    assert heard.is_complete
    assert heard.events()[-2]["usage"] == {"input_tokens": 11, "output_tokens": 7}
    line = world.finished[0]
    assert (line["input_tokens"], line["output_tokens"], line["stop_reason"]) == (11, 7, "end_turn")
    assert (line["status"], line["stream"], line["provider"]) == (200, True, "up")


async def test_bytes_of_the_same_dialect_pass_untouched(autojump_clock: object) -> None:
    pieces = answers.anthropic_text("Hel", "lo", model="claude-x")
    config = config_of(provider("up", "anthropic", default_model=None))
    async with open_router(config, up=answers.streams(pieces)) as world:
        heard = await world.ask(MESSAGES, {**STREAM, "unknown_field": [1]}, headers={"anthropic-beta": "b-1"})
    assert heard.body == b"".join(pieces)
    seen = world.upstreams["up"].requests[0]
    assert seen.json() == {**STREAM, "unknown_field": [1]}
    assert seen.header("anthropic-beta") == "b-1"


async def test_an_openai_client_reaches_an_anthropic_provider(autojump_clock: object) -> None:
    config = config_of(provider("up", "anthropic"))
    handlers = (
        answers.says(200, answers.anthropic_reply()),
        answers.streams(answers.anthropic_text("Hel", "lo")),
    )
    async with open_router(config, up=handlers) as world:
        whole = await world.ask(CHAT, CHAT_ASK)
        streamed = await world.ask(CHAT, {**CHAT_ASK, "stream": True})
    assert whole.json()["choices"][0]["message"]["content"] == "hello"
    pieces = [event["choices"][0]["delta"].get("content") for event in streamed.events()]
    assert "".join(piece for piece in pieces if piece) == "Hello"
    assert streamed.body.endswith(b"data: [DONE]\n\n")


REFUSED = {"error": {"message": "no such thing", "type": "invalid_request_error", "code": None}}


@pytest.mark.parametrize(
    ("status", "body", "told", "type_", "asked"),
    [
        pytest.param(400, REFUSED, 400, "invalid_request_error", 1, id="refused-request"),
        pytest.param(404, REFUSED, 404, "not_found_error", 1, id="unknown-model"),
        pytest.param(401, REFUSED, 403, "permission_error", 2, id="edge-166"),
        pytest.param(403, REFUSED, 403, "permission_error", 2, id="forbidden"),
        pytest.param(402, REFUSED, 402, "billing_error", 2, id="edge-167"),
        pytest.param(422, REFUSED, 400, "invalid_request_error", 1, id="unprocessable"),
        pytest.param(429, REFUSED, 429, "rate_limit_error", 2, id="rate-limit"),
        pytest.param(500, REFUSED, 500, "api_error", 3, id="broken"),
        pytest.param(502, b"<html>bad gateway</html>", 500, "api_error", 3, id="edge-172"),
        pytest.param(503, REFUSED, 529, "overloaded_error", 3, id="edge-173"),
        pytest.param(200, REFUSED, 400, "invalid_request_error", 1, id="edge-171"),
        pytest.param(200, b"", 500, "api_error", 2, id="empty"),
        pytest.param(302, b"", 500, "api_error", 2, id="redirect"),
        pytest.param(202, b"{}", 500, "api_error", 2, id="accepted"),
        pytest.param(204, b"", 500, "api_error", 2, id="no-content"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_becomes_the_right_status(
    status: int, body: object, told: int, type_: str, asked: int, stream: bool, autojump_clock: object
) -> None:
    config = config_of(provider("first", "openai-chat"), provider("second", "openai-chat"))
    handler = answers.says(status, body)
    async with open_router(config, first=handler, second=handler) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": stream})
    assert heard.status == told
    assert heard.json()["error"]["type"] == type_
    assert heard.headers["content-type"] == "application/json"
    assert sum(len(upstream.requests) for upstream in world.upstreams.values()) == asked
    assert world.finished[0]["error_type"] == type_


async def test_an_error_in_the_clients_own_dialect_keeps_its_bytes(autojump_clock: object) -> None:
    body = b'{"error": {"message": "kept",  "type":"x","odd":1}}'
    headers = (("content-type", "application/json"), ("retry-after", "7"), ("x-ratelimit-limit-requests", "9"))
    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=answers.says(429, body, headers)) as world:
        heard = await world.ask(CHAT, CHAT_ASK)
    assert (heard.status, heard.body) == (429, body)
    assert heard.headers["retry-after"] == "7"
    assert heard.headers["x-ratelimit-limit-requests"] == "9"


async def test_a_web_page_is_quoted_and_never_passed_on_as_json(autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=answers.says(404, b"<html>no such page</html>")) as world:
        heard = await world.ask(CHAT, CHAT_ASK)
    assert heard.status == 404
    assert "no such page" in heard.json()["error"]["message"]


async def test_an_error_of_another_dialect_never_keeps_its_bytes(autojump_clock: object) -> None:
    config = config_of(provider("first", "openai-chat"), provider("second", "anthropic"))
    body = {"error": {"message": "slow down", "type": "rate_limit_error", "code": None}}
    async with open_router(
        config, first=answers.says(429, body), second=answers.says(401, answers.anthropic_reply())
    ) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.status == 429
    assert heard.json()["type"] == "error"
    assert heard.json()["error"] == {"type": "rate_limit_error", "message": "slow down"}


async def test_a_context_overflow_is_worded_so_that_claude_code_compacts(autojump_clock: object) -> None:
    words = (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    )
    body = {"error": {"message": words, "code": "context_length_exceeded"}}
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.says(400, body)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.status == 400
    assert heard.json()["error"]["message"].startswith("prompt is too long: 9000 tokens > 8192 maximum")


async def test_another_candidate_answers_for_one_that_fails(autojump_clock: object) -> None:
    config = config_of(provider("first", "anthropic"), provider("second", "openai-chat"))
    async with open_router(
        config, first=answers.says(500, {}), second=answers.streams(answers.chat_text("hi"))
    ) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert heard.status == 200
    assert (heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == ("second", "2")


async def test_an_error_inside_a_stream_goes_to_the_next_candidate_while_nothing_was_sent(
    autojump_clock: object,
) -> None:
    config = config_of(provider("first", "anthropic"), provider("second", "anthropic"))
    early = answers.anthropic_event("error", error={"type": "overloaded_error", "message": "busy"})
    async with open_router(
        config,
        first=answers.streams([answers.anthropic_text()[0], early]),
        second=answers.streams(answers.anthropic_text("hi")),
    ) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert names(heard)[-1] == "message_stop"
    assert heard.headers["x-ucr-provider"] == "second"


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_a_stream_that_breaks_after_content_ends_in_an_error_event(
    dialect: str, autojump_clock: object
) -> None:
    whole = answers.anthropic_text("Hel", "lo") if dialect == "anthropic" else answers.chat_text("Hel", "lo")
    config = config_of(provider("up", dialect))
    async with open_router(config, up=answers.cut_off(whole[:3])) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert heard.status == 200
    assert names(heard)[-1] == "error"
    assert "message_stop" not in names(heard)
    assert world.finished[0]["error_type"] == "api_error"


async def test_an_openai_client_is_told_of_a_broken_stream_in_its_own_shape(autojump_clock: object) -> None:
    handler = answers.cut_off(answers.anthropic_text("Hel", "lo")[:3])
    async with open_router(config_of(provider("up", "anthropic")), up=handler) as world:
        heard = await world.ask(CHAT, {**CHAT_ASK, "stream": True})
    assert "error" in heard.events()[-1]


async def test_a_refused_connection_is_an_overload_with_a_time_to_wait(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-chat"))) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["error"]["type"]) == (529, "overloaded_error")
    assert heard.headers["retry-after"] == "1"


async def test_a_silent_provider_times_out_with_504(autojump_clock: object) -> None:
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.never()) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["error"]["type"]) == (504, "timeout_error")
    assert heard.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_a_slow_stream_is_opened_and_kept_alive_by_the_router(
    dialect: str, autojump_clock: object
) -> None:
    whole = answers.anthropic_text("hi") if dialect == "anthropic" else answers.chat_text("hi")
    async with open_router(
        config_of(provider("up", dialect)), up=answers.streams(whole, first_s=60.0)
    ) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert names(heard)[:4] == ["message_start", "ping", "ping", "ping"]
    assert names(heard).count("message_start") == 1
    assert names(heard)[-1] == "message_stop"
    assert check([(event["type"], event) for event in heard.events()]) == []


@pytest.mark.parametrize("stream", [False, True])
async def test_the_time_of_the_provider_is_no_overhead(stream: bool, autojump_clock: object) -> None:
    slow = answers.streams(answers.chat_text("hi"), first_s=7)
    async with open_router(config_of(provider("up", "openai-chat")), up=slow) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": stream})
    assert heard.headers["x-ucr-overhead-ms"] == "0.00"
    assert world.finished[0]["ttfb_ms"] == 7000.0


async def test_a_whole_answer_goes_on_in_a_stream_that_the_router_opened(autojump_clock: object) -> None:
    first = provider("first", "openai-chat", timeouts=Timeouts(idle_s=60))
    config = config_of(first, provider("second", "openai-chat"))
    silent = answers.streams([b": hi\n\n", *answers.chat_text("late")], pause_s=100)
    async with open_router(config, first=silent, second=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert heard.headers["x-ucr-attempts"] == "1"
    assert world.finished[0]["provider"] == "second"
    assert check([(event["type"], event) for event in heard.events()]) == []


async def test_candidates_still_change_after_the_router_opened_the_stream(autojump_clock: object) -> None:
    slow = answers.streams([b"data: {}\n\n"], first_s=400.0)
    config = config_of(provider("first", "openai-chat"), provider("second", "anthropic"))
    async with open_router(config, first=slow, second=answers.streams(answers.anthropic_text("hi"))) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert names(heard).count("message_start") == 1
    assert names(heard)[-1] == "message_stop"
    assert check([(event["type"], event) for event in heard.events()]) == []


async def test_openai_clients_are_kept_waiting_by_comments(autojump_clock: object) -> None:
    handler = answers.streams(answers.chat_text("hi"), first_s=45.0)
    async with open_router(config_of(provider("up", "anthropic")), up=handler) as world:
        visitor = await world.connect()
        await visitor.send(CHAT, {**CHAT_ASK, "stream": True})
        heard = await visitor.hear()
    assert heard.body.startswith(b":")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_cancels_the_upstream_call(stream: bool, autojump_clock: object) -> None:
    """edge-67"""
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.never()) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, {**ASK, "stream": stream})
        upstream = world.upstreams["up"]
        await upstream.wait_requests(1)
        await visitor.stream.aclose()
        with trio.fail_after(0.1):
            await upstream.wait_aborted(1)
    assert world.finished[0]["error_type"] == "client_gone"
    assert world.finished[0]["status"] == 499


async def test_a_stop_ends_open_streams_with_an_error_event(autojump_clock: object) -> None:
    pieces = answers.chat_text("Hel", "lo")
    async with open_router(
        config_of(provider("up", "openai-chat")), up=answers.streams(pieces, pause_s=60.0)
    ) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, STREAM)
        await world.upstreams["up"].wait_requests(1)
        await trio.sleep(1)
        world.stop.set()
        heard = await visitor.hear()
    assert names(heard)[-1] == "error"
    assert heard.events()[-1]["error"]["type"] == "overloaded_error"
    assert heard.is_complete


async def test_a_stop_lets_short_answers_end(autojump_clock: object) -> None:
    pieces = answers.chat_text("Hel", "lo")
    async with open_router(
        config_of(provider("up", "openai-chat")), up=answers.streams(pieces, pause_s=2.0)
    ) as world:
        visitor = await world.connect()
        await visitor.send(MESSAGES, STREAM)
        await world.upstreams["up"].wait_requests(1)
        world.stop.set()
        heard = await visitor.hear()
    assert names(heard)[-1] == "message_stop"


async def test_a_full_provider_sheds_with_a_time_to_wait(autojump_clock: object) -> None:
    busy = provider("up", "openai-chat", max_requests=1, max_pending=0)
    async with open_router(config_of(busy), up=answers.never()) as world:
        first = await world.connect()
        await first.send(MESSAGES, ASK)
        await world.upstreams["up"].wait_requests(1)
        heard = await world.ask(MESSAGES, ASK)
        await first.stream.aclose()
    assert (heard.status, heard.json()["error"]["type"]) == (529, "overloaded_error")
    assert int(heard.headers["retry-after"]) > 0


async def test_a_provider_that_streams_unasked_is_understood(autojump_clock: object) -> None:
    handler = answers.streams(answers.chat_text("Hel", "lo"))
    async with open_router(config_of(provider("up", "openai-chat")), up=handler) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert heard.json()["content"] == [{"type": "text", "text": "Hello"}]


async def test_a_provider_that_does_not_stream_is_understood(autojump_clock: object) -> None:
    handler = answers.says(200, answers.chat_reply("Hello"))
    async with open_router(config_of(provider("up", "openai-chat")), up=handler) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert check([(event["type"], event) for event in heard.events()]) == []


async def test_usage_that_never_comes_holds_nothing_up(autojump_clock: object) -> None:
    """edge-6"""
    pieces = [answers.chat_chunk({"content": "hi"}), answers.chat_chunk({}, "stop")]

    async def handler(request: object, answer: Any) -> None:
        await answer.head(200, answers.SSE)
        for piece in pieces:
            await answer.send(piece)
        await trio.sleep_forever()

    async with open_router(config_of(provider("up", "openai-chat")), up=handler) as world:
        with trio.fail_after(5):
            heard = await world.ask(MESSAGES, STREAM)
    assert names(heard)[-1] == "message_stop"


@pytest.mark.parametrize(
    ("agent", "strict"),
    [
        ("claude-cli/2.1.330 (external, cli)", False),
        ("Anthropic/Python 2.12.0", False),
        ("opencode/1.18.33 ai-sdk/5", True),
        ("", False),
    ],
)
def test_only_readers_that_fail_on_the_unknown_are_spared_it(agent: str, strict: bool) -> None:
    assert is_strict(agent) is strict


async def test_estimates_learn_from_what_a_model_reports(autojump_clock: object) -> None:
    long = {**STREAM, "messages": [{"role": "user", "content": "word " * 20_000}]}
    usage = {"prompt_tokens": 40_000, "completion_tokens": 1, "total_tokens": 40_001}
    pieces = [
        answers.chat_chunk({"content": "hi"}),
        answers.chat_chunk({}, "stop", usage=usage),
        b"data: [DONE]\n\n",
    ]
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.streams(pieces)) as world:
        first = await world.ask(MESSAGES, long)
        second = await world.ask(MESSAGES, long)
    before, after = (heard.events()[0]["message"]["usage"]["input_tokens"] for heard in (first, second))
    assert before < 35_000
    assert after == pytest.approx(40_000, rel=0.05)


async def test_a_whole_answer_continues_a_stream_that_was_opened_for_another_candidate(
    autojump_clock: object,
) -> None:
    slow = answers.streams([b"data: {}\n\n"], first_s=400.0)
    config = config_of(provider("first", "openai-chat"), provider("second", "openai-chat"))
    async with open_router(config, first=slow, second=answers.says(200, answers.chat_reply("Hello"))) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert names(heard).count("message_start") == 1
    assert check([(event["type"], event) for event in heard.events()]) == []


async def test_several_keys_take_turns(autojump_clock: object) -> None:
    keys = (Secret("key-a"), Secret("key-b"))
    config = config_of(provider("up", "openai-chat", api_keys=keys))
    async with open_router(config, up=answers.says(200, answers.chat_reply())) as world:
        for _ in range(4):
            await world.ask(MESSAGES, ASK)
        seen = [request.header("authorization") for request in world.upstreams["up"].requests]
    assert seen[0] != seen[1]
    assert seen[:2] == seen[2:]


async def test_a_providers_own_limit_of_time_counts(autojump_clock: object) -> None:
    short = provider("up", "openai-chat", timeouts=Timeouts(total_s=30))
    async with open_router(config_of(short), up=answers.never()) as world:
        with trio.fail_after(31):
            heard = await world.ask(MESSAGES, ASK)
    assert heard.status == 504


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        pytest.param("a\0b\x7f", "a b", id="control"),
        pytest.param("a\r\nx-evil: 1", "a x-evil: 1", id="line-break"),
        pytest.param("é中", "é?", id="not-latin"),
        pytest.param("m" * 100_000, "m" * 1000, id="long"),
    ],
)
async def test_a_strange_model_name_breaks_no_head(model: str, shown: str, autojump_clock: object) -> None:
    config = config_of(provider("up", "openai-chat", default_model=None))
    async with open_router(config, up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask(MESSAGES, {**ASK, "model": model})
    assert (heard.status, heard.headers["x-ucr-model"]) == (200, shown)
    assert heard.json()["model"] == model


async def test_the_last_failure_does_not_decide_on_the_shape_of_an_earlier_one(autojump_clock: object) -> None:
    config = config_of(provider("first", "openai-chat"), provider("second", "anthropic"))
    handlers = {"first": answers.says(429, REFUSED), "second": answers.says(500, {})}
    async with open_router(config, **handlers) as world:
        mine = await world.ask(MESSAGES, ASK)
        await trio.sleep(6)
        theirs = await world.ask(CHAT, CHAT_ASK)
    assert (mine.status, mine.json()["type"]) == (429, "error")
    assert (theirs.status, theirs.json()) == (429, REFUSED)


async def test_a_provider_that_has_not_begun_to_answer_may_still_refuse(autojump_clock: object) -> None:
    async def slowly(request: Any, answer: Any) -> None:
        await trio.sleep(60)
        await answers.says(400, REFUSED)(request, answer)

    async with open_router(config_of(provider("up", "openai-chat")), up=slowly) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert (heard.status, heard.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_a_stream_opened_by_the_router_has_one_beginning_whatever_follows(
    dialect: str, autojump_clock: object
) -> None:
    slow = answers.streams([b"data: {}\n\n"], first_s=400.0)
    whole = answers.anthropic_reply() if dialect == "anthropic" else answers.chat_reply()
    config = config_of(provider("first", "openai-chat"), provider("second", dialect))
    async with open_router(config, first=slow, second=answers.says(200, whole)) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert check([(event["type"], event) for event in heard.events()]) == []
    assert names(heard).count("message_start") == 1


async def test_a_provider_may_be_asked_as_much_at_once_as_the_configuration_says(
    autojump_clock: object,
) -> None:
    config = config_of(provider("up", "openai-chat", max_requests=150))
    statuses: list[int] = []

    async def slowly(request: Any, answer: Any) -> None:
        await trio.sleep(1)
        await answers.says(200, answers.chat_reply())(request, answer)

    async with open_router(config, up=slowly) as world:

        async def ask() -> None:
            statuses.append((await world.ask(MESSAGES, ASK)).status)

        async with trio.open_nursery() as nursery:
            for _ in range(150):
                nursery.start_soon(ask)
    assert statuses == [200] * 150


async def test_media_types_are_read_in_any_case(autojump_clock: object) -> None:
    async def shouts(request: Any, answer: Any) -> None:
        await answer.head(200, (("content-type", "Text/Event-Stream; charset=UTF-8"),))
        await answer.send(b"".join(answers.anthropic_text("hi")))
        await answer.finish()

    async with open_router(config_of(provider("up", "anthropic")), up=shouts) as world:
        heard = await world.ask(MESSAGES, STREAM, headers={"content-type": "Application/JSON"})
    assert (heard.status, names(heard)[-1]) == (200, "message_stop")


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_time_of_a_provider_is_no_overhead(status: int, stream: bool, autojump_clock: object) -> None:
    async def slowly(request: Any, answer: Any) -> None:
        await trio.sleep(5)
        await answers.says(status, answers.chat_reply())(request, answer)

    config = config_of(provider("up", "openai-chat"), provider("lost", "openai-chat"), max_attempts=1)
    async with open_router(config, up=slowly) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stream": stream})
    assert heard.headers["x-ucr-overhead-ms"] == "0.00"
    assert (world.finished[0]["overhead_ms"], world.finished[0]["ttfb_ms"]) == (0, 5000)


async def test_a_silence_that_still_lasts_is_no_overhead(autojump_clock: object) -> None:
    handler = answers.streams(answers.anthropic_text("hi"), first_s=60.0)
    async with open_router(config_of(provider("up", "anthropic")), up=handler) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert heard.headers["x-ucr-overhead-ms"] == "0.00"


@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_the_status_of_a_refusal_counts_whatever_happens_to_its_words(
    dialect: str, autojump_clock: object
) -> None:
    """Some providers say the whole request back to whom they refuse it."""

    async def cut(request: Any, answer: Any) -> None:
        await answer.head(429, (("content-length", "100"), ("retry-after", "7")))
        await answer.send(b"{")
        await answer.close()

    handlers = (answers.says(422, {"error": {"message": "no", "input": "x" * 300_000}}), cut)
    async with open_router(config_of(provider("up", dialect)), up=handlers) as world:
        long = await world.ask(MESSAGES, ASK)
        short = await world.ask(MESSAGES, ASK)
    assert (long.status, long.json()["error"]["type"]) == (400, "invalid_request_error")
    assert (short.status, short.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("path", [MESSAGES, CHAT])
@pytest.mark.parametrize("dialect", ["anthropic", "openai-chat"])
async def test_a_body_that_ends_a_little_after_its_stream_keeps_its_connection(
    dialect: str, path: str, autojump_clock: object
) -> None:
    whole = answers.anthropic_text("hi") if dialect == "anthropic" else answers.chat_text("hi")

    async def handler(request: Any, answer: Any) -> None:
        await answer.head(200, answers.SSE)
        await answer.send(b"".join(whole))
        await trio.sleep(0.05)
        await answer.finish()

    async with open_router(config_of(provider("up", dialect)), up=handler) as world:
        for _ in range(3):
            with trio.fail_after(0.04):
                await world.ask(path, STREAM)
            await trio.sleep(1)
    assert world.upstreams["up"].connections == 1
    assert world.upstreams["up"].aborted == []


@pytest.mark.parametrize("wait_s", [pytest.param(3600, id="edge-192")])
async def test_a_wait_longer_than_clients_keep_sends_the_request_to_the_next_candidate(
    wait_s: int, autojump_clock: object
) -> None:
    config = config_of(provider("first", "openai-chat"), provider("second", "openai-chat"))
    full = answers.says(429, REFUSED, (*answers.JSON, ("retry-after", str(wait_s))))
    async with open_router(config, first=full, second=answers.says(200, answers.chat_reply())) as world:
        began = trio.current_time()
        heard = await world.ask(CHAT, CHAT_ASK)
        took_s = trio.current_time() - began
    assert (heard.status, heard.headers["x-ucr-provider"]) == (200, "second")
    assert took_s < 10


async def test_the_headers_of_an_error_are_those_of_the_provider_it_came_from(autojump_clock: object) -> None:
    headers = (*answers.JSON, ("x-ratelimit-limit-requests", "9"), ("x-request-id", "r-1"))
    config = config_of(provider("first", "openai-chat"), provider("second", "openai-chat"))
    async with open_router(
        config, first=answers.says(429, REFUSED, headers), second=answers.says(500, {})
    ) as world:
        heard = await world.ask(CHAT, CHAT_ASK)
    assert (heard.status, heard.headers["x-ucr-provider"], heard.headers["x-ucr-attempts"]) == (
        429,
        "first",
        "3",
    )
    assert heard.headers["x-ratelimit-limit-requests"] == "9"
    assert heard.headers["x-ucr-upstream-request-id"] == "r-1"
    assert world.finished[0]["provider"] == "first"


@pytest.mark.parametrize("pieces", [pytest.param(1, id="edge-178"), 2])
async def test_nobody_else_is_asked_once_content_was_sent(pieces: int, autojump_clock: object) -> None:
    config = config_of(provider("first", "openai-chat"), provider("second", "openai-chat"))
    broken = answers.cut_off(answers.chat_text("Hel", "lo")[:pieces])
    async with open_router(config, first=broken, second=answers.streams(answers.chat_text("x"))) as world:
        heard = await world.ask(MESSAGES, STREAM)
    assert names(heard)[-1] == "error"
    assert world.upstreams["second"].requests == []


@pytest.mark.parametrize("code", [pytest.param("content_filter", id="edge-182")])
async def test_a_prompt_that_azure_filters_is_refused_as_a_request(code: str, autojump_clock: object) -> None:
    body = {"error": {"message": "The prompt was filtered.", "code": code, "status": 400}}
    async with open_router(config_of(provider("up", "openai-chat")), up=answers.says(400, body)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.json()["error"]["type"]) == (400, "invalid_request_error")
    assert heard.json()["error"]["message"] == "The prompt was filtered."


@pytest.mark.parametrize("status", [500, 504, 529])
async def test_a_providers_own_failure_keeps_its_bytes_where_it_keeps_its_status(
    status: int, autojump_clock: object
) -> None:
    body = b'{"type": "error",  "error": {"type": "api_error", "message": "kept"}, "request_id": "req_up"}'
    async with open_router(config_of(provider("up", "anthropic")), up=answers.says(status, body)) as world:
        heard = await world.ask(MESSAGES, ASK)
    assert (heard.status, heard.body) == (status, body)


@pytest.mark.parametrize("path", [MESSAGES, CHAT])
async def test_a_key_that_a_provider_says_back_reaches_no_client(path: str, autojump_clock: object) -> None:
    """Keys of a make of their own fit no pattern; those of eight characters and more are known by heart."""
    key = "correct horse battery"
    body = {"error": {"message": f"unknown user {key}!", "type": "x"}}
    config = config_of(provider("up", "openai-chat", api_keys=(Secret(key),)))
    async with open_router(config, up=answers.says(400, body)) as world:
        heard = await world.ask(path, ASK)
    assert "unknown user [key]!" in heard.json()["error"]["message"]


@pytest.mark.parametrize("stop", [pytest.param(["END"], id="edge-146")])
async def test_a_stop_sequence_that_a_chat_provider_hit_is_an_ordinary_end(
    stop: list[str], autojump_clock: object
) -> None:
    config = config_of(provider("up", "openai-chat"))
    async with open_router(config, up=answers.says(200, answers.chat_reply())) as world:
        heard = await world.ask(MESSAGES, {**ASK, "stop_sequences": stop})
    assert world.upstreams["up"].requests[0].json()["stop"] == stop  # type: ignore[index]
    assert (heard.json()["stop_reason"], heard.json()["stop_sequence"]) == ("end_turn", None)


async def test_very_large_requests_are_read_and_written_one_at_a_time_and_hold_up_no_other() -> None:
    """With a clock that goes by itself: one that jumps would not wait for a thread."""
    large = {**ASK, "messages": [{"role": "user", "content": "x" * LARGE_BYTES}]}
    heard: list[int] = []
    handler = answers.says(200, answers.chat_reply())
    async with open_router(config_of(provider("up", "openai-chat")), up=handler) as world:

        async def ask_large() -> None:
            heard.append((await world.ask(MESSAGES, large)).status)

        async def wait_for_it() -> None:
            while not reading.statistics().tasks_waiting:
                await trio.lowlevel.checkpoint()

        reading = world.worker.api.generation.router.reading
        async with trio.open_nursery() as nursery:
            async with reading:
                nursery.start_soon(ask_large)
                await wait_for_it()
                assert (await world.ask(MESSAGES, ASK)).status == 200
            async with reading:  # whose turn comes when the request has been read
                await wait_for_it()
                assert (heard, len(world.upstreams["up"].requests)) == ([], 1)
        assert heard == [200]
