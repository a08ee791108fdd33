"""The front lane as clients meet it: in turn, handed over, drained, and beside h11."""

import itertools
import json
from typing import Any

import h11
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world import answers
from tests.world.http1_differences import DIFFERENCES, difference_in, read_by_h11, read_by_lane
from tests.world.router import FRONT_LANE, Heard, World, config_of, open_router, provider
from tests.world.sources import ROOT
from ucr.lane.front import FIRST_S, HOT, Calendar
from ucr.lane.head import HeadReader, HeadRefused, read_head
from ucr.stress.attacks import heads

ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
CONFIG = config_of(provider("up", "openai-chat"))
HOST = b"host: 127.0.0.1\r\n"
HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
COLD = b"GET /v1/models/nobody HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET /ready HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n"
CHANGING = {"date", "request-id", "x-ucr-overhead-ms", "x-request-id"}


async def all_heard(world: World, data: bytes, *cuts: int) -> list[tuple[int, bytes]]:
    """Send bytes, cut at these places, and return every answer until the connection ends."""
    visitor = await world.connect()
    edges = [0, *cuts, len(data)]
    for start, end in itertools.pairwise(edges):
        await visitor.stream.send_all(data[start:end])
        await trio.testing.wait_all_tasks_blocked()
    received = b""
    with trio.move_on_after(5):
        while piece := await visitor.stream.receive_some():
            received += piece
    await visitor.stream.aclose()
    return parsed(received)


def parsed(received: bytes) -> list[tuple[int, bytes]]:
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        found.append((int(head.split()[1]), rest[:length]))
        received = rest[length:]
    return found


def plain(found: list[tuple[int, bytes]]) -> list[tuple[int, str]]:
    """Return the statuses and the types of what was said."""
    return [
        (status, json.loads(body).get("status") or json.loads(body)["error"]["type"]) for status, body in found
    ]


HANDED = {
    "at-the-first": (COLD + HEALTH + LAST, [(404, "invalid_request_error"), (200, "ok"), (200, "ready")]),
    "at-the-second": (HEALTH + COLD + LAST, [(200, "ok"), (404, "invalid_request_error"), (200, "ready")]),
    "at-the-third": (
        HEALTH * 2 + COLD + LAST,
        [(200, "ok")] * 2 + [(404, "invalid_request_error"), (200, "ready")],
    ),
    "never": (HEALTH * 3 + LAST, [(200, "ok")] * 3 + [(200, "ready")]),
}


@pytest.mark.parametrize(("data", "expected"), HANDED.values(), ids=HANDED.keys())
async def test_a_connection_is_handed_over_at_any_request_and_any_split_of_the_bytes(
    data: bytes, expected: list[tuple[int, str]], autojump_clock: object
) -> None:
    async with open_router(CONFIG) as world:
        assert plain(await all_heard(world, data)) == expected
        for cut in range(1, len(data)):
            assert plain(await all_heard(world, data, cut)) == expected
        assert plain(await all_heard(world, data, *range(1, len(data), 7))) == expected


BODIES = {
    "length": b"content-length: 5\r\n\r\nHELLO",
    "chunked": b"transfer-encoding: chunked\r\n\r\n3\r\nHEL\r\n2\r\nLO\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_what_follows_a_body_is_the_next_request_at_any_split(
    body: bytes, autojump_clock: object
) -> None:
    post = b"POST /v1/messages HTTP/1.1\r\n" + HOST + b"content-type: application/json\r\n" + body
    expected = [(400, "invalid_request_error"), (200, "ready")]
    async with open_router(CONFIG) as world:
        assert plain(await all_heard(world, post + LAST)) == expected
        for cut in range(len(post) - 40, len(post) + 10):
            assert plain(await all_heard(world, post + LAST, cut)) == expected


async def test_a_smuggled_request_is_never_answered(autojump_clock: object) -> None:
    head = b"POST /v1/messages HTTP/1.1\r\n" + HOST
    async with open_router(CONFIG) as world:
        for framing in (
            b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            b"content-length: 0\r\ncontent-length: 5\r\n\r\n",
            b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
            b"transfer-encoding: chunked\r\n\r\n0\n\r\n",
        ):
            heard = await all_heard(world, head + framing + HEALTH)
            assert len(heard) == 1
            assert heard[0][0] in (400, 501)


@pytest.mark.parametrize(("data", "status"), heads.REFUSED.values(), ids=heads.REFUSED.keys())
async def test_a_head_that_is_not_valid_is_told_so_and_closed(
    data: bytes, status: int, autojump_clock: object
) -> None:
    async with open_router(CONFIG) as world:
        ((told, body),) = await all_heard(world, data + HEALTH)
    assert told == status
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def h11_accepts(data: bytes) -> bool:
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
    try:
        server.receive_data(data)
        return isinstance(server.next_event(), h11.Request)
    except h11.RemoteProtocolError:
        return False


def lane_accepts(data: bytes) -> bool:
    try:
        taken = HeadReader().feed(data)
        return taken is not None and bool(read_head(taken[0]))
    except HeadRefused:
        return False


@pytest.mark.parametrize("name", heads.ACCEPTED)
def test_what_the_lane_reads_h11_reads_too(name: str) -> None:
    assert lane_accepts(heads.ACCEPTED[name])
    assert h11_accepts(heads.ACCEPTED[name])


@pytest.mark.parametrize("name", heads.REFUSED)
def test_where_h11_differs_the_lane_is_the_stricter(name: str) -> None:
    data, _ = heads.REFUSED[name]
    assert not lane_accepts(data)
    assert h11_accepts(data) is (name in heads.LANE_ONLY)


@pytest.mark.parametrize("name", sorted(heads.LANE_ONLY))
def test_each_difference_of_the_corpus_is_a_documented_one(name: str) -> None:
    assert difference_in(heads.REFUSED[name][0]) is not None


def test_every_difference_is_listed_in_the_docs_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = page.partition("### Where the lane is stricter than h11")[2].partition("\n## ")[0]
    rows = [line.strip("| ").rpartition(" | ")[0] for line in section.splitlines() if line.startswith("| ")]
    assert rows[1:] == list(DIFFERENCES)


def choices(*likely: bytes) -> st.SearchStrategy[bytes]:
    """Give one of these, most often, or any bytes."""
    return st.one_of(st.sampled_from(likely), st.sampled_from(likely), st.binary(max_size=10))


LINES = choices(
    b"GET / HTTP/1.1",
    b"POST /a?b HTTP/1.1",
    b"POST /a?b=%20 HTTP/1.0",
    b"PUT * HTTP/1.1",
    b"GET / HTTP/1.2",
    b"GET / HTTP/2.0",
    b"GET /",
    b"A" * 40 + b" / HTTP/1.1",
)
FIELDS = choices(
    b"host: a",
    b"Host:[::1]:80",
    b"host: a/b",
    b"content-length: 3",
    b"Content-Length: 003",
    b"content-length: 3, 3",
    b"content-length: +3",
    b"transfer-encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"x: y",
    b"x:\tz\t",
    b" z",
    b"a\x00: b",
    b"c:d\xff",
    b"e: f\x01",
    b"expect: 100-continue",
)
BODIES = st.one_of(
    choices(b"abc", b"abcGET / HTTP/1.1\r\nhost: a\r\n\r\n", b""),
    st.lists(
        choices(
            b"3\r\nabc\r\n",
            b"003\r\nabc\r\n",
            b"A;x=y\r\n0123456789\r\n",
            b"3 ;x\r\nabc\r\n",
            b"3;\x01\r\nabc\r\n",
            b"3\nabc\n",
            b"0x3\r\nabc\r\n",
            b"0000000000000003\r\nabc\r\n",
            b"0\r\n\r\n",
            b"0\r\nx: y\r\n\r\n",
            b"0\r\nx\r\n\r\n",
        ),
        max_size=4,
    ).map(b"".join),
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])


@settings(max_examples=400)
@given(LINES, st.lists(st.tuples(FIELDS, ENDS), max_size=5), BODIES)
def test_whatever_comes_the_lane_reads_what_h11_reads_or_refuses_it_for_a_documented_reason(
    line: bytes, fields: list[tuple[bytes, bytes]], body: bytes
) -> None:
    data = line + b"\r\nhost: a\r\n" + b"".join(field + stop for field, stop in fields) + b"\r\n" + body
    lane, other = read_by_lane(data), read_by_h11(data)
    if lane is not None:
        assert lane == other
    elif other is not None:
        assert difference_in(data) is not None, data


def stable(heard: Heard) -> tuple[int, dict[str, str], bytes]:
    """Return what of an answer is the same each time."""
    headers = {name: value for name, value in heard.headers.items() if name not in CHANGING}
    body = heard.body
    for name in ("request-id",):
        body = body.replace(heard.headers.get(name, "-").encode(), b"ID")
    return heard.status, headers, body


ASKED = {
    "reply": ("POST", "/v1/messages", ASK, {}),
    "chat": ("POST", "/v1/chat/completions", ASK, {}),
    "query": ("POST", "/v1/messages?beta=true", ASK, {}),
    "count": ("POST", "/v1/messages/count_tokens", ASK, {}),
    "responses": ("POST", "/v1/responses", {}, {}),
    "models": ("GET", "/v1/models", None, {}),
    "health": ("GET", "/health", None, {}),
    "ready": ("GET", "/ready", None, {}),
    "head": ("HEAD", "/", None, {}),
    "not-json": ("POST", "/v1/messages", b"{bad", {}),
    "media-type": ("POST", "/v1/messages", b"a", {"content-type": "text/plain"}),
    "coding": ("POST", "/v1/messages", b"a", {"content-encoding": "br"}),
    "host": ("POST", "/v1/messages", ASK, {"host": "evil.example"}),
    "origin": ("POST", "/v1/messages", ASK, {"origin": "http://evil.example"}),
    "upgrade": ("POST", "/v1/messages", ASK, {"connection": "upgrade", "upgrade": "h2c"}),
    "http-close": ("POST", "/v1/messages", ASK, {"connection": "close"}),
}


@pytest.mark.parametrize(("method", "path", "body", "headers"), ASKED.values(), ids=ASKED.keys())
async def test_both_lanes_answer_alike(
    method: str, path: str, body: object, headers: dict[str, str], autojump_clock: object
) -> None:
    assert method != "GET" or (method, path) in HOT
    found = []
    for is_lane in (True, False):
        before = FRONT_LANE.set(is_lane)
        async with open_router(CONFIG, up=answers.says(200, answers.chat_reply())) as world:
            if method == "HEAD":
                visitor = await world.connect()
                await visitor.send(path, method=method)
                head = await visitor.next()
                pairs = {name.decode(): value.decode() for name, value in head.headers}
                found.append(stable(Heard(head.status_code, pairs, b"", True)))
            else:
                found.append(stable(await world.ask(path, body, method=method, headers=headers)))
        FRONT_LANE.reset(before)
    assert found[0] == found[1]


async def test_a_slow_client_of_http_1_0_gets_its_answer_and_the_end(autojump_clock: object) -> None:
    async with open_router(CONFIG) as world:
        visitor = await world.connect()
        await visitor.stream.send_all(b"GET /health HTTP/1.0\r\n" + HOST + b"\r\n")
        received = b""
        while piece := await visitor.stream.receive_some():
            received += piece
    assert received.endswith(b'\r\n\r\n{"status":"ok"}')
    assert b"connection: close" in received


async def test_a_stop_lets_a_busy_connection_have_its_answer_and_then_closes_it(autojump_clock: object) -> None:
    async def slowly(request: Any, answer: Any) -> None:
        await trio.sleep(1)
        await answers.says(200, answers.chat_reply())(request, answer)

    async with open_router(CONFIG, up=slowly) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", ASK)
        await world.upstreams["up"].wait_requests(1)
        world.stop.set()
        heard = await visitor.hear()
    assert (heard.status, heard.headers["connection"]) == (200, "close")


def test_the_date_is_written_once_a_second() -> None:
    times = iter([0.0, 0.9, 1.0])
    calendar = Calendar(lambda: next(times))
    dates = [calendar.date() for _ in range(3)]
    assert dates == ["Thu, 01 Jan 1970 00:00:00 GMT"] * 2 + ["Thu, 01 Jan 1970 00:00:01 GMT"]


async def test_a_connection_that_has_asked_nothing_yet_has_a_moment_when_the_lane_drains(
    autojump_clock: object,
) -> None:
    config = config_of(provider("up", "anthropic"))
    async with open_router(config, up=answers.says(200, answers.anthropic_reply())) as world:
        served, late, silent = [await world.connect() for _ in range(3)]
        await served.send("/health", method="GET")
        assert (await served.hear()).status == 200
        began = trio.current_time()
        world.stop.set()
        assert await served.stream.receive_some() == b""
        assert trio.current_time() == began
        await trio.sleep(0.5)
        await late.send("/v1/messages", ASK)
        heard = await late.hear()
        assert (heard.status, heard.headers["connection"]) == (200, "close")
        assert await silent.stream.receive_some() == b""
        assert trio.current_time() == pytest.approx(began + FIRST_S)
