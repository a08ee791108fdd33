import gzip
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ucr.asgi import AsgiApp, AsgiExchange
from ucr.bodies import Bodies
from ucr.errors import ApiError, ClientGone

LIMIT = 1000
HOST = (b"host", b"127.0.0.1:3000")
TEXT = b'{"model":"x"}' * 20
Message = dict[str, Any]


def scope(*headers: tuple[bytes, bytes], path: bytes = b"/v1/messages", query: bytes = b"") -> Message:
    return {
        "type": "http",
        "method": "POST",
        "raw_path": path,
        "query_string": query,
        "headers": [HOST, *headers],
        "client": ("127.0.0.1", 5000),
    }


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Wire:
    """The server below the application: what the client sends, each part `gap_s` after the last, and gets."""

    def __init__(self, *messages: Message, gap_s: float = 0.0) -> None:
        self.unread = list(messages)
        self._gap_s = gap_s
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.unread:
            await trio.sleep_forever()
        await trio.sleep(self._gap_s)
        return self.unread.pop(0)

    async def send(self, message: Message) -> None:
        await trio.lowlevel.checkpoint()
        self.sent.append(message)

    async def run(
        self, answer: Callable[[AsgiExchange], Awaitable[None]], about: Message | None = None
    ) -> None:
        app = AsgiApp(answer, lambda: "req_1", LIMIT, Bodies(10 * LIMIT))
        await app(about or scope(), self.receive, self.send)


async def read(wire: Wire, *headers: tuple[bytes, bytes], limit_bytes: int = LIMIT) -> bytes:
    """Return the body of one request."""
    bodies: list[bytes] = []

    async def answer(exchange: AsgiExchange) -> None:
        bodies.append(await exchange.body(limit_bytes))

    await wire.run(answer, scope(*headers))
    return bodies[0]


async def refusal(wire: Wire, *headers: tuple[bytes, bytes]) -> ApiError:
    """Return the error that reading the body raises."""
    errors: list[ApiError] = []

    async def answer(exchange: AsgiExchange) -> None:
        with pytest.raises(ApiError) as caught:
            await exchange.body(LIMIT)
        errors.append(caught.value)

    await wire.run(answer, scope(*headers))
    return errors[0]


def exchange_of(about: Message) -> AsgiExchange:
    return AsgiExchange(about, Wire().send, "req_1", LIMIT, Bodies(LIMIT), pytest.fail)


def test_a_request_is_read_from_its_scope() -> None:
    about = scope((b"x-a", b"1"), (b"x-a", b"2"), path=b"/v1/models/a%2Fb", query=b"beta=true&a=%20")
    exchange = exchange_of(about)
    assert (exchange.method, exchange.path, exchange.query) == ("POST", "/v1/models/a/b", "beta=true&a=%20")
    assert exchange.headers == {"host": "127.0.0.1:3000", "x-a": "1, 2"}
    assert (exchange.peer, exchange.request_id) == ("127.0.0.1", "req_1")


@pytest.mark.parametrize("path", [b"/caf\xc3\xa9", b"/%ff", b"/%", b"/\xff"])
def test_a_path_of_odd_bytes_is_read_all_the_same(path: bytes) -> None:
    assert exchange_of(scope(path=path)).path.startswith("/")


def test_a_request_without_a_peer_has_an_empty_one() -> None:
    assert exchange_of({**scope(), "client": None}).peer == ""


async def test_a_body_in_parts_is_put_together(autojump_clock: MockClock) -> None:
    wire = Wire(part(b"one", more=True), part(b"", more=True), part(b"two"), gap_s=9)
    assert await read(wire) == b"onetwo"


async def test_a_body_in_parts_is_never_there_twice(autojump_clock: MockClock) -> None:
    part_bytes, count = 65_536, 128
    size = part_bytes * count
    wire = Wire(*[part(bytes(part_bytes), more=True)] * count, part(b""))
    bodies: list[bytes] = []

    async def answer(exchange: AsgiExchange) -> None:
        bodies.append(await exchange.body(size))

    app = AsgiApp(answer, lambda: "req_1", size, Bodies(size))
    tracemalloc.start()
    try:
        await app(scope(), wire.receive, wire.send)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(bodies[0]) == size
    assert size < peak_bytes < 1.5 * size


async def test_a_body_that_stops_is_given_up_after_30_s(autojump_clock: MockClock) -> None:
    began = trio.current_time()
    error = await refusal(Wire(part(b"one", more=True)))
    assert (error.status, error.type) == (408, "timeout_error")
    assert trio.current_time() - began == 30


@pytest.mark.parametrize(("amount", "given_up_s"), [(1, 30.002), (20_000, 300)])
async def test_a_body_may_neither_trickle_nor_last_for_ever(
    amount: int, given_up_s: float, autojump_clock: MockClock
) -> None:
    wire, errors = Wire(*[part(b"." * amount, more=True)] * 20, gap_s=29), []

    async def answer(exchange: AsgiExchange) -> None:
        with pytest.raises(ApiError) as caught:
            await exchange.body(10**6)
        errors.append(caught.value.status)

    app = AsgiApp(answer, lambda: "req_1", 10**6, Bodies(10**6))
    began = trio.current_time()
    await app(scope(), wire.receive, wire.send)
    assert errors == [408]
    assert trio.current_time() - began == pytest.approx(given_up_s)


@pytest.mark.parametrize("size", [pytest.param(LIMIT + 1, id="edge-187")])
async def test_a_declared_body_above_the_limit_is_refused_unread(autojump_clock: MockClock, size: int) -> None:
    error = await refusal(Wire(), (b"content-length", str(size).encode()))
    assert (error.status, error.type) == (413, "request_too_large")
    assert error.message == "the request body is larger than 1000 bytes"
    assert trio.current_time() == 0


async def test_an_undeclared_body_is_refused_as_soon_as_it_passes_the_limit(autojump_clock: MockClock) -> None:
    error = await refusal(Wire(part(b"." * 600, more=True), part(b"." * 401, more=True), gap_s=1))
    assert error.status == 413
    assert await read(Wire(part(b"." * LIMIT))) == b"." * LIMIT
    assert (await refusal(Wire(part(b"." * (LIMIT + 1))))).status == 413


@pytest.mark.parametrize("length", ["²", "", "-1", "many", "1e9"])
async def test_a_length_that_is_no_number_is_not_believed(autojump_clock: MockClock, length: str) -> None:
    assert await read(Wire(part(b"{}")), (b"content-length", length.encode("latin-1"))) == b"{}"


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "x-gzip", ""])
async def test_another_coding_is_unsupported(autojump_clock: MockClock, coding: str) -> None:
    error = await refusal(Wire(part(b"{}")), (b"content-encoding", coding.encode()))
    assert (error.status, error.type) == (415, "invalid_request_error")
    assert "use gzip, deflate, zstd or none" in error.message


async def test_a_coded_body_is_decoded(autojump_clock: MockClock) -> None:
    assert await read(Wire(part(gzip.compress(TEXT))), (b"content-encoding", b"gzip")) == TEXT


async def test_an_answer_is_sent_part_by_part(autojump_clock: MockClock) -> None:
    async def answer(exchange: AsgiExchange) -> None:
        await exchange.start(200, (("content-type", "text/plain"),))
        await exchange.send(b"one")
        await exchange.send(b"")
        await exchange.send(b"two")
        await exchange.finish()
        assert exchange.sent_bytes == 6

    wire = Wire(part(b""))
    await wire.run(answer)
    assert wire.sent == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]},
        {"type": "http.response.body", "body": b"one", "more_body": True},
        {"type": "http.response.body", "body": b"two", "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ]


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a\r\nset-cookie: b", b"a set-cookie: b"),
        ("nul \x00 and \x1b", b"nul and"),
        ("\u2028line\x85", b"line"),
        ("café 猫", b"caf\xe9 ?"),
    ],
)
async def test_a_header_value_is_one_line_that_every_server_takes(
    autojump_clock: MockClock, value: str, sent: bytes
) -> None:
    async def answer(exchange: AsgiExchange) -> None:
        await exchange.start(200, (("x-ucr-notes", value),))
        await exchange.finish()

    wire = Wire(part(b""))
    await wire.run(answer)
    assert wire.sent[0]["headers"] == [(b"x-ucr-notes", sent)]


@pytest.mark.parametrize("after_s", [pytest.param(5, id="edge-67")])
async def test_a_client_that_leaves_cancels_its_answer(autojump_clock: MockClock, after_s: int) -> None:
    ended: list[float] = []

    async def answer(exchange: AsgiExchange) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append(trio.current_time())

    wire = Wire({"type": "http.disconnect"}, gap_s=after_s)
    await wire.run(answer)
    assert ended == [after_s]
    assert wire.sent == []


async def test_the_servers_last_steps_are_not_cancelled_when_it_says_that_the_client_left(
    autojump_clock: MockClock,
) -> None:
    steps: list[str] = []

    async def send(message: Message) -> None:
        if not message.get("more_body", True):
            await trio.sleep(2)
            steps.append("closed")

    async def answer(exchange: AsgiExchange) -> None:
        await exchange.start(200, ())
        await exchange.finish()

    wire = Wire({"type": "http.disconnect"}, gap_s=1)
    await AsgiApp(answer, lambda: "req_1", LIMIT, Bodies(10 * LIMIT))(scope(), wire.receive, send)
    assert steps == ["closed"]


async def test_an_answer_that_is_left_unfinished_is_cut_off(autojump_clock: MockClock) -> None:
    async def answer(exchange: AsgiExchange) -> None:
        await exchange.start(200, ())
        await exchange.send(b"half")

    with pytest.raises(ClientGone):
        await Wire(part(b"")).run(answer)


async def test_what_an_answer_raises_leaves_the_application(autojump_clock: MockClock) -> None:
    async def answer(exchange: AsgiExchange) -> None:
        raise KeyError("ours")

    with pytest.raises(ExceptionGroup) as caught:
        await Wire(part(b"")).run(answer)
    assert [type(error) for error in caught.value.exceptions] == [KeyError]


async def test_somebody_reads_behind_an_early_answer(autojump_clock: MockClock) -> None:
    parts = [part(b"." * 600, more=True) for _ in range(50)]

    async def answer(exchange: AsgiExchange) -> None:
        await trio.sleep(1)
        await exchange.start(413, ())
        await exchange.finish()

    wire = Wire(*parts)
    await wire.run(answer)
    assert wire.unread == []


async def test_what_is_not_http_is_left_alone(autojump_clock: MockClock) -> None:
    async def answer(exchange: AsgiExchange) -> None:
        pytest.fail("it was answered")

    await Wire().run(answer, {"type": "lifespan"})


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        (((b"content-length", b"2"), (b"transfer-encoding", b"chunked")), 400, "content-length beside"),
        ((HOST,), 400, "exactly one host"),
        (((b"x-a", b"1"),) * 100, 431, "more than 100 header fields"),
    ],
)
def test_ambiguous_or_endless_heads_are_refused(
    headers: tuple[tuple[bytes, bytes], ...], status: int, words: str
) -> None:
    error = exchange_of(scope(*headers)).fault
    assert error is not None
    assert error.status == status
    assert error.message.startswith(words)


def test_a_head_without_a_host_is_refused_and_a_plain_one_is_not() -> None:
    missing = exchange_of({**scope(), "headers": []}).fault
    assert missing is not None
    assert missing.status == 400
    assert exchange_of(scope(*[(b"x-a", b"1")] * 99)).fault is None
