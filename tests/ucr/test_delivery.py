import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from actors import Timers
from ucr.budget import Budget
from ucr.delivery import Delivery, error_headers
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.openai_chat.client import KEEP_ALIVE, OpenAIChatClient
from ucr.dialects.roles import ClientDialect, HeaderList, Summary
from ucr.errors import ApiError, UpstreamError
from ucr.record import Record
from ucr.stream_copy import StreamCopy

pytestmark = pytest.mark.usefixtures("both_lanes")

PING = b'event: ping\ndata: {"type": "ping"}\n\n'
OPENING = b"<message_start>"


class Sent:
    """An exchange that keeps what is sent, and when. With `takes_s` the client is slow to take each part."""

    request_id = "req_1"
    method, path, query, peer = "POST", "/v1/messages", "", "127.0.0.1"

    def __init__(self, takes_s: float = 0.0) -> None:
        self.timers = Timers()
        self.nursery: trio.Nursery | None = None
        self.headers: dict[str, str] = {}
        self.takes_s = takes_s
        self.status = 0
        self.fields: dict[str, str] = {}
        self.parts: list[tuple[float, bytes]] = []
        self.heads = self.ends = 0

    async def body(self, limit_bytes: int) -> bytes:
        return b""

    async def start(self, status: int, headers: HeaderList) -> None:
        self.heads += 1
        self.status, self.fields = status, dict(headers)

    async def send(self, data: bytes) -> None:
        self.parts.append((trio.current_time(), data))
        await trio.sleep(self.takes_s)

    def spawn(self, act: Callable[[], Awaitable[None]]) -> None:
        assert self.nursery is not None
        self.nursery.start_soon(act)

    async def finish(self, last: bytes = b"") -> None:
        if last:
            await self.send(last)
        self.ends += 1

    @property
    def written(self) -> bytes:
        return b"".join(data for _, data in self.parts)


class StillTap:
    """A tap of a stream in which nothing has happened yet."""

    def __init__(self, opening: bytes = OPENING) -> None:
        self._opening = opening
        self.openings: list[str] = []
        self.is_committed = self.is_finished = self.is_finishing = False
        self.is_at_boundary = True
        self.failure: UpstreamError | None = None
        self.summary = Summary()

    def feed(self, data: bytes) -> bytes:
        return data

    def close(self) -> bytes:
        return b""

    def open_early(self, message_id: str) -> bytes:
        self.openings.append(message_id)
        return self._opening


def delivery_to(sent: Sent, client: ClientDialect | None = None) -> tuple[Delivery, Record]:
    record = Record("req_1", "0", trio.current_time(), lambda: 0.0)
    return Delivery(sent, client or AnthropicClient(), record, sent.timers), record


@asynccontextmanager
async def kept_alive(sent: Sent, client: ClientDialect | None = None) -> AsyncIterator[Delivery]:
    """Run the keep-alive of a delivery beside the block."""
    delivery, _ = delivery_to(sent, client)
    async with trio.open_nursery() as nursery:
        sent.nursery = nursery
        nursery.start_soon(sent.timers.run)
        delivery.keep_alive()
        yield delivery
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_the_head_goes_before_the_first_part_and_only_once(autojump_clock: MockClock) -> None:
    sent = Sent()
    delivery, record = delivery_to(sent)
    delivery.extra_headers = (("x-ratelimit-limit-requests", "60"),)
    await trio.sleep(2)
    await delivery.write(b"")
    assert sent.heads == 0
    await delivery.write(b"one")
    await delivery.write(b"two")
    await delivery.end()
    assert (sent.heads, sent.written, sent.ends) == (1, b"onetwo", 1)
    assert (sent.status, record.status, record.first_byte_s) == (200, 200, trio.current_time())
    assert sent.fields["content-type"] == "text/event-stream"
    assert sent.fields["cache-control"] == "no-cache"
    assert sent.fields["request-id"] == "req_1"
    assert sent.fields["x-ratelimit-limit-requests"] == "60"


async def test_a_stream_that_is_all_there_is_sent_with_its_end(autojump_clock: MockClock) -> None:
    sent, heard = Sent(), list[bytes]()
    delivery, record = delivery_to(sent)
    delivery.on_data = heard.append
    delivery.copy = StreamCopy(Budget(1000))
    await delivery.end(b"all")
    assert (sent.heads, sent.written, sent.ends, record.status) == (1, b"all", 1, 200)
    assert (heard, delivery.replied, delivery.has_ended) == ([b"all"], b"all", True)


async def test_a_whole_answer_has_its_length(autojump_clock: MockClock) -> None:
    sent = Sent()
    delivery, record = delivery_to(sent)
    await delivery.reply(b'{"a":1}')
    assert (sent.status, sent.written, sent.ends) == (200, b'{"a":1}', 1)
    assert (sent.fields["content-type"], sent.fields["content-length"]) == ("application/json", "7")
    assert record.status == 200


@pytest.mark.parametrize("first_s", [pytest.param(20, id="edge-60")])
async def test_a_silent_stream_is_opened_after_20_s_and_pinged_every_15(
    autojump_clock: MockClock, first_s: int
) -> None:
    sent, tap = Sent(), StillTap()
    async with kept_alive(sent) as delivery:
        began = trio.current_time()
        delivery.watch(tap)
        await trio.sleep(first_s + 31)
    assert [(at - began, data) for at, data in sent.parts] == [
        (20, OPENING + PING),
        (35, PING),
        (50, PING),
    ]
    assert tap.openings == ["msg_1"]


async def test_no_status_is_given_away_while_no_upstream_is_open(autojump_clock: MockClock) -> None:
    sent = Sent()
    async with kept_alive(sent) as delivery:
        await trio.sleep(200)
        assert sent.heads == 0
        await delivery.fail(ApiError("rate_limit_error", "slowly", retry_after_s=9), None)
    assert (sent.status, sent.fields["retry-after"]) == (429, "9")


async def test_the_silence_counts_from_when_the_upstream_was_open(autojump_clock: MockClock) -> None:
    sent = Sent()
    async with kept_alive(sent) as delivery:
        began = trio.current_time()
        await trio.sleep(50)
        delivery.watch(StillTap())
        await trio.sleep(100)
    assert sent.parts[0] == (began + 70, OPENING + PING)


@pytest.mark.parametrize("content_s", [1, 12])
async def test_content_puts_the_next_ping_off(autojump_clock: MockClock, content_s: int) -> None:
    sent = Sent()
    async with kept_alive(sent) as delivery:
        began = trio.current_time()
        delivery.watch(StillTap())
        await trio.sleep(content_s)
        await delivery.write(b"content")
        await trio.sleep(16)
    assert [(at - began, data) for at, data in sent.parts] == [(content_s, b"content"), (content_s + 15, PING)]


async def test_an_openai_client_is_kept_waiting_with_comments(autojump_clock: MockClock) -> None:
    sent = Sent()
    async with kept_alive(sent, OpenAIChatClient(lambda: 0.0)) as delivery:
        delivery.watch(StillTap(opening=b""))
        await trio.sleep(36)
    assert [data for _, data in sent.parts] == [KEEP_ALIVE, KEEP_ALIVE]


async def test_nothing_is_put_in_the_middle_of_an_event(autojump_clock: MockClock) -> None:
    sent, tap = Sent(), StillTap()
    tap.is_at_boundary = False
    async with kept_alive(sent) as delivery:
        delivery.watch(tap)
        await trio.sleep(35)
        assert sent.heads == 0
        tap.is_at_boundary = True
        await trio.sleep(6)
    assert sent.written == OPENING + PING


async def test_a_client_that_is_slow_to_take_content_gets_no_ping_behind_it(autojump_clock: MockClock) -> None:
    sent = Sent(takes_s=40)
    async with kept_alive(sent) as delivery:
        delivery.watch(StillTap())
        await trio.sleep(10)
        await delivery.write(b"one")
        await delivery.write(b"two")
    assert [data for _, data in sent.parts] == [b"one", b"two"]


async def test_senders_take_turns_and_one_who_leaves_holds_up_nobody(autojump_clock: MockClock) -> None:
    sent = Sent(takes_s=5)
    delivery, _ = delivery_to(sent)
    async with trio.open_nursery() as nursery:
        leaves = trio.CancelScope()

        async def write(data: bytes, scope: trio.CancelScope) -> None:
            with scope:
                await delivery.write(data)

        for data, scope in ((b"1", trio.CancelScope()), (b"2", leaves), (b"3", trio.CancelScope())):
            nursery.start_soon(write, data, scope)
            await trio.testing.wait_all_tasks_blocked()
        leaves.cancel()
    assert sent.parts == [(0.0, b"1"), (5.0, b"3")]


async def test_the_next_candidates_stream_goes_on_where_the_client_already_is(
    autojump_clock: MockClock,
) -> None:
    sent, first, second = Sent(), StillTap(), StillTap()
    async with kept_alive(sent) as delivery:
        delivery.watch(first)
        await trio.sleep(25)
        delivery.watch(second)
        await delivery.write(b"content")
    assert sent.written == OPENING + PING + b"content"
    assert (first.openings, second.openings) == (["msg_1"], ["msg_1"])


async def test_a_stream_that_was_not_opened_early_is_opened_by_its_provider(autojump_clock: MockClock) -> None:
    delivery, _ = delivery_to(Sent())
    tap = StillTap()
    delivery.watch(tap)
    assert tap.openings == []


@pytest.mark.parametrize("status", [pytest.param(529, id="edge-61")])
async def test_an_error_before_the_first_byte_has_a_status_and_a_json_body(
    autojump_clock: MockClock, status: int
) -> None:
    sent = Sent()
    delivery, record = delivery_to(sent)
    error = ApiError("overloaded_error", "no room", retry_after_s=3, should_retry=False)
    await delivery.fail(error, None)
    assert (sent.status, record.status, record.error_type) == (status, status, "overloaded_error")
    assert sent.fields["content-type"] == "application/json"
    assert sent.fields["content-length"] == str(len(sent.written))
    assert (sent.fields["retry-after"], sent.fields["x-should-retry"]) == ("3", "false")
    assert json.loads(sent.written) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "no room"},
        "request_id": "req_1",
    }
    assert sent.ends == 1


async def test_a_providers_own_body_goes_to_a_client_of_its_dialect(autojump_clock: MockClock) -> None:
    sent = Sent()
    delivery, _ = delivery_to(sent)
    await delivery.fail(ApiError("invalid_request_error", "no"), b'{"theirs":true}')
    assert (sent.status, sent.written) == (400, b'{"theirs":true}')
    assert sent.fields["content-length"] == "15"


@pytest.mark.parametrize("kept", [pytest.param(b"content", id="edge-62")])
async def test_an_error_after_the_first_byte_is_the_last_event(autojump_clock: MockClock, kept: bytes) -> None:
    sent = Sent()
    delivery, record = delivery_to(sent)
    await delivery.write(kept)
    await delivery.fail(ApiError("api_error", "broken"), b'{"theirs":true}')
    head, _, event = sent.written.partition(b"event: error\ndata: ")
    assert head == kept
    assert json.loads(event)["error"] == {"type": "api_error", "message": "broken"}
    assert (sent.heads, sent.status, record.status, sent.ends) == (1, 200, 200, 1)
    assert record.error_type == "api_error"


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (ApiError("api_error", "x"), ()),
        (ApiError("api_error", "x", retry_after_s=0), (("retry-after", "0"),)),
        (ApiError("api_error", "x", should_retry=True), (("x-should-retry", "true"),)),
        (
            ApiError("api_error", "x", retry_after_s=86_400, should_retry=False),
            (("retry-after", "86400"), ("x-should-retry", "false")),
        ),
    ],
)
def test_an_error_says_whether_and_when_to_try_again(error: ApiError, headers: HeaderList) -> None:
    assert error_headers(error) == headers


async def test_one_that_is_left_alone_is_not_pinged(autojump_clock: MockClock) -> None:
    sent = Sent()
    async with kept_alive(sent) as delivery:
        delivery.watch(StillTap())
        await trio.sleep(22)
        delivery.leave_alone()
        await trio.sleep(100)
    assert sent.written == OPENING + PING


async def test_nothing_keeps_a_client_alive_that_has_left(autojump_clock: MockClock) -> None:
    sent = Sent()
    async with kept_alive(sent) as delivery:
        delivery.watch(StillTap())
        await trio.sleep(1)
        delivery.mute()
        await trio.sleep(100)
    assert (sent.heads, sent.written) == (0, b"")
