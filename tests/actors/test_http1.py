import gzip
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.errors import PoolError
from actors.http1 import (
    KNOWN,
    KNOWN_CHARS,
    KNOWN_LINE_CHARS,
    KNOWN_LINES,
    Fields,
    Front,
    HeadWriter,
    ResponseReader,
    encode_head,
    header_block,
)
from actors.request import Headers, Limits, UpstreamRequest

HOST = Front("api.example.com")

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n"
)
INFORMED = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n" + PLAIN
CLOSED = b"HTTP/1.1 200 OK\r\n\r\nuntil the end"
ZIPPED_BODY = gzip.compress(b"data: zipped\n\n" * 20)
ZIPPED = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\nx-a: b\r\n\r\n" % len(ZIPPED_BODY)
) + ZIPPED_BODY


@dataclass(frozen=True)
class Outcome:
    """Everything that can be seen of a response."""

    status: int | None
    headers: Headers
    body: bytes
    is_complete: bool
    is_reusable: bool
    fault: str | None


def read(*parts: bytes, method: str = "POST", eof: bool = False, limits: Limits = Limits()) -> Outcome:  # noqa: B008
    reader = ResponseReader(method, limits)
    body: list[bytes] = []
    fault: str | None = None
    try:
        for part in parts:
            reader.feed(part)
            while data := reader.take():
                body.append(data)
        if eof:
            reader.feed_eof()
            reader.take()
    except PoolError as error:
        fault = f"{error.kind} in {error.phase}: {error}"
    return Outcome(reader.status, reader.headers, b"".join(body), reader.is_complete, reader.is_reusable, fault)


def test_the_head_of_a_request_is_written_with_host_and_length() -> None:
    request = UpstreamRequest("POST", "/v1/messages?beta=true", (("x-api-key", "k"), ("X-B", "2")), b"{}")
    assert encode_head(request, HOST) == (
        b"POST /v1/messages?beta=true HTTP/1.1\r\nhost: api.example.com\r\nx-api-key: k\r\nX-B: 2\r\n"
        b"accept-encoding: identity\r\ncontent-length: 2\r\n\r\n"
    )


def test_fields_that_many_requests_share_are_written_once_and_checked_then() -> None:
    block = header_block((("x-api-key", "k"), ("Host", "mine")))
    assert block == b"x-api-key: k\r\n"
    assert header_block((("Host", "mine"),)) == header_block(()) == b""
    head = encode_head(UpstreamRequest("POST", "/", (("a", "b"),), b"x", block), HOST)
    assert head == (
        b"POST / HTTP/1.1\r\nhost: api.example.com\r\na: b\r\naccept-encoding: identity\r\n"
        b"content-length: 1\r\nx-api-key: k\r\n\r\n"
    )
    for value in ("b\r\nx-evil: 1", "b\n", "\0", "\N{SNOWMAN}"):
        with pytest.raises(PoolError):
            header_block((("a", value),))


@pytest.mark.parametrize(
    ("method", "line"),
    [("GET", b""), ("HEAD", b""), ("POST", b"content-length: 0\r\n"), ("PUT", b"content-length: 0\r\n")],
)
def test_only_a_method_that_has_a_body_says_that_it_is_empty(method: str, line: bytes) -> None:
    head = encode_head(UpstreamRequest(method, "/"), HOST)
    assert head.endswith(b"accept-encoding: identity\r\n" + line + b"\r\n")


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Accept-Encoding", "connection", "Transfer-Encoding", "upgrade", "expect", "TE"],
)
def test_fields_that_the_connection_decides_are_left_out(name: str) -> None:
    head = encode_head(UpstreamRequest("POST", "/", ((name, "mine"),), b"x"), HOST)
    assert b"mine" not in head


@pytest.mark.parametrize(
    "request_",
    [
        UpstreamRequest("POST", "/", (("a", "b\r\nx-evil: 1"),)),
        UpstreamRequest("POST", "/", (("a", "b\nc"),)),
        UpstreamRequest("POST", "/", (("a\r", "b"),)),
        UpstreamRequest("POST", "/", (("a", "b\0"),)),
        UpstreamRequest("POST", "/a b"),
        UpstreamRequest("POST", "/ HTTP/1.1\r\nhost: evil\r\n"),
        UpstreamRequest("PO ST", "/"),
        UpstreamRequest("POST", "/", (("a", "\N{SNOWMAN}"),)),
    ],
)
def test_a_field_that_breaks_the_head_is_refused_before_anything_is_sent(request_: UpstreamRequest) -> None:
    with pytest.raises(PoolError) as caught:
        encode_head(request_, HOST)
    assert (caught.value.kind, caught.value.phase) == ("protocol", "connect")


@pytest.mark.parametrize(
    "request_",
    [
        UpstreamRequest("POST", "/v1/messages", (), b"{}", b"x-api-key: k\r\n"),
        UpstreamRequest("PUT", "/v1/messages", (), b"{}"),
        UpstreamRequest("POST", "/v1/messages", (("a", "b"),), b"{}"),
        UpstreamRequest("POST", "/v1/messages"),
        UpstreamRequest("GET", "/v1/models", block=b"x-api-key: k\r\n"),
        UpstreamRequest("POST", "/" + "a" * KNOWN_CHARS, (), b"{}"),
    ],
)
@pytest.mark.parametrize("front", [HOST, Front("a.test", "http://a.test", b"proxy-authorization: p\r\n")])
def test_a_head_that_comes_again_is_the_same_as_one_written_anew(
    request_: UpstreamRequest, front: Front
) -> None:
    writer = HeadWriter(front)
    assert [writer.write(request_) for _ in range(3)] == [encode_head(request_, front)] * 3


def test_beginnings_of_heads_are_kept_up_to_a_bound_and_without_fields() -> None:
    writer = HeadWriter(HOST)
    for number in range(2 * KNOWN + 3):
        writer.write(UpstreamRequest("POST", f"/{number}", (), b"{}", b"x-api-key: k\r\n"))
    assert repr(writer) == "<HeadWriter to api.example.com: 3 beginnings known>"
    writer.write(UpstreamRequest("POST", "/" + "a" * KNOWN_CHARS, (), b"{}"))
    assert repr(writer) == "<HeadWriter to api.example.com: 3 beginnings known>"


def test_a_path_that_breaks_the_head_is_refused_each_time() -> None:
    writer = HeadWriter(HOST)
    for _ in range(2):
        with pytest.raises(PoolError, match="breaks its head"):
            writer.write(UpstreamRequest("POST", "/a\r\nx: y", (), b"{}"))


@pytest.mark.parametrize(
    ("data", "body", "headers"),
    [
        (PLAIN, b"hello", (("content-type", "text/plain"), ("content-length", "5"))),
        (CHUNKED, b"hello world", (("transfer-encoding", "chunked"),)),
        (INFORMED, b"hello", (("content-type", "text/plain"), ("content-length", "5"))),
        (ZIPPED, b"data: zipped\n\n" * 20, (("x-a", "b"),)),
    ],
    ids=["plain", "chunked", "informed", "zipped"],
)
def test_a_whole_answer_is_read_and_its_connection_can_be_used_again(
    data: bytes, body: bytes, headers: Headers
) -> None:
    assert read(data) == Outcome(200, headers, body, True, True, None)


@settings(max_examples=80)
@given(
    data=st.data(),
    answer=st.sampled_from([PLAIN, CHUNKED, INFORMED, ZIPPED, CLOSED, PLAIN + b"HTTP", CHUNKED[:-9]]),
)
def test_any_split_of_the_bytes_gives_the_same_response(data: st.DataObject, answer: bytes) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(answer) - 1), max_size=20)))
    parts = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    assert read(*parts, eof=True) == read(answer, eof=True)


@settings(max_examples=80)
@given(
    parts=st.lists(st.binary(max_size=60), max_size=5), prefix=st.sampled_from([b"", PLAIN[:40], CHUNKED[:50]])
)
def test_arbitrary_bytes_raise_nothing_but_our_own_error(parts: list[bytes], prefix: bytes) -> None:
    read(prefix, *parts, eof=True)


def test_lines_that_come_again_are_read_as_the_first_time() -> None:
    fields = Fields()
    lines = ["X-A: 1", "x-a:1", "X-B:\t2 \t", "X-C:", "x-d: a:b"]
    read_first = fields.read(lines)
    assert read_first == [("x-a", "1"), ("x-a", "1"), ("x-b", "2"), ("x-c", ""), ("x-d", "a:b")]
    assert fields.read(lines[::-1]) == read_first[::-1]
    assert repr(fields) == "<Fields: 5 lines known>"


def test_lines_are_remembered_up_to_a_bound_and_never_those_with_secrets() -> None:
    fields = Fields()
    fields.read([f"x-{number}: 1" for number in range(2 * KNOWN_LINES + 3)])
    fields.read(["x: " + "a" * KNOWN_LINE_CHARS, "Set-Cookie: session=secret", "www-authenticate: Bearer"])
    assert repr(fields) == "<Fields: 3 lines known>"


@pytest.mark.parametrize("prefix", [b"\r\n", b"\r\n\r\n\r\n"])
def test_empty_lines_before_an_answer_are_no_part_of_its_head(prefix: bytes) -> None:
    whole = read(prefix + INFORMED)
    assert whole == read(INFORMED)
    assert whole.headers == (("content-type", "text/plain"), ("content-length", "5"))


@settings(max_examples=80)
@given(
    places=st.lists(
        st.tuples(
            st.integers(0, 90),
            st.sampled_from([b"\r", b"\n", b"\r\n", b":", b" ", b"\0", b"\x0b", b"\x85", b"\r\n\r\n"]),
        ),
        max_size=3,
    )
)
def test_no_odd_byte_moves_the_border_between_two_fields(places: list[tuple[int, bytes]]) -> None:
    """What the parser lets pass is cut at the same places here: there is no line end in a field, and no colon in a name."""
    data = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: b\r\nContent-Length: 5\r\nX-C: d\r\n\r\nhello"
    for at, odd in places:
        data = data[:at] + odd + data[at:]
    for name, value in read(data).headers:
        assert not set(name) & set("\r\n\0: ")
        assert name
        assert not set(value) & set("\r\n\0")


def test_a_body_without_length_ends_with_the_connection() -> None:
    before = read(CLOSED)
    assert (before.body, before.is_complete) == (b"until the end", False)
    after = read(CLOSED, eof=True)
    assert (after.is_complete, after.is_reusable, after.fault) == (True, False, None)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "reset in first_byte: the connection was closed before the answer"),
        (PLAIN[:20], "reset in first_byte: the connection was closed before the answer"),
        (INFORMED[:40], "reset in first_byte: the connection was closed before the answer"),
        (PLAIN[:-1], "reset in idle: the answer was truncated"),
        (CHUNKED[:-2], "reset in idle: the answer was truncated"),
    ],
)
def test_an_answer_that_is_cut_off_is_never_complete(data: bytes, fault: str) -> None:
    outcome = read(data, eof=True)
    assert (outcome.is_complete, outcome.is_reusable, outcome.fault) == (False, False, fault)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_ends_with_its_head_whatever_length_it_claims(status: int) -> None:
    outcome = read(b"HTTP/1.1 %d X\r\ncontent-length: 7\r\ncontent-encoding: gzip\r\n\r\n" % status)
    assert (outcome.status, outcome.body, outcome.is_complete, outcome.is_reusable) == (status, b"", True, True)


def test_the_answer_to_head_has_no_body_and_is_the_last_of_its_connection() -> None:
    outcome = read(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", method="HEAD")
    assert (outcome.is_complete, outcome.is_reusable, outcome.body) == (True, False, b"")


@pytest.mark.parametrize(
    "rest",
    [b"x", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"\0"],
    ids=["garbage", "second answer", "nul"],
)
def test_bytes_after_the_answer_are_seen_by_nobody_and_end_the_connection(rest: bytes) -> None:
    outcome = read(PLAIN + rest)
    assert (outcome.body, outcome.is_complete, outcome.is_reusable, outcome.fault) == (
        b"hello",
        True,
        False,
        None,
    )


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nconnection: close", b"HTTP/1.0 200 OK"],
)
def test_an_upstream_that_does_not_keep_the_connection_is_believed(head: bytes) -> None:
    outcome = read(head + b"\r\ncontent-length: 2\r\n\r\nok")
    assert (outcome.body, outcome.is_complete, outcome.is_reusable) == (b"ok", True, False)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"<html>",
        b"RTSP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nx: HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nICE/1.0 200 OK\r\nx: HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 99 X\r\n\r\n",
        b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n",
        b"HTTP/1.1 200 OK\na: b\n\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_proper_http_is_a_protocol_error(data: bytes) -> None:
    outcome = read(data)
    assert outcome.fault is not None
    assert outcome.fault.startswith("protocol in ")
    assert not outcome.is_reusable


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\nx: " + b"a" * 2000, b"\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n", *[b"x: " + b"a" * 90 + b"\r\n"] * 20],
        [b"HTTP/1.1 200 OK\r\nx: ", *[b"a" * 100] * 20],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 50,
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", *[b"x: " + b"a" * 90 + b"\r\n"] * 20],
    ],
    ids=["one header", "many headers", "endless header", "endless information", "trailers"],
)
def test_headers_have_a_limit(parts: list[bytes]) -> None:
    outcome = read(*parts, limits=Limits(header_bytes=1000))
    assert outcome.fault is not None
    assert outcome.fault.startswith("too_large in ")
    assert outcome.fault.endswith("the answer has more than 1000 bytes of headers")


@pytest.mark.parametrize("coded", [False, True], ids=["plain", "gzip"])
def test_the_decoded_body_has_a_limit(coded: bool) -> None:
    body = gzip.compress(bytes(5000)) if coded else bytes(5000)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n" % len(body) + b"content-encoding: gzip\r\n" * coded
    outcome = read(head + b"\r\n", body, limits=Limits(body_bytes=1000))
    assert outcome.fault == "too_large in idle: the answer has more than 1000 bytes"


def test_the_bytes_before_a_fault_are_still_delivered() -> None:
    outcome = read(CHUNKED[:60] + b"garbage")
    assert outcome.body == b"hello"
    assert outcome.fault is not None


def test_a_compressed_body_that_ends_too_early_is_an_error() -> None:
    data = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + ZIPPED_BODY[:-4]
    outcome = read(data, eof=True)
    assert outcome.fault == "protocol in idle: the body ends in the middle of its compressed data"


def test_the_repr_shows_how_far_it_is() -> None:
    reader = ResponseReader("GET", Limits())
    assert repr(reader) == "<ResponseReader no head, 0 bytes so far>"
    reader.feed(PLAIN)
    assert repr(reader) == "<ResponseReader 200, complete>"


def test_a_long_body_may_come_in_chunks_whose_sizes_come_by_themselves() -> None:
    reader = ResponseReader("POST", Limits(header_bytes=1000))
    reader.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(1000):
        reader.feed(b"5\r\n")
        assert reader.take() == b""
        reader.feed(b"hello\r\n")
        assert reader.take() == b"hello"
    reader.feed(b"0\r\n\r\n")
    assert reader.is_complete
