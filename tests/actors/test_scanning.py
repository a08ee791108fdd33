import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actors.errors import PoolError
from actors.http1 import ResponseReader
from actors.request import Limits
from actors.scanning import Fields, Framing, scan

LIMIT = 1000


def found_in(head: bytes, limit_bytes: int = LIMIT) -> tuple[int, Fields, Framing, int] | None:
    return scan(b"HTTP/1.1 " + head + b"\r\n\r\n{}", limit_bytes)


def test_a_plain_head_is_read_at_one_go() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A:b \t\r\nx-a: c: d\r\nEmpty:\r\n\r\n{}"
    fields = [("content-length", "2"), ("x-a", "b"), ("x-a", "c: d"), ("empty", "")]
    assert scan(data, LIMIT) == (200, fields, 2, len(data) - 2)


@pytest.mark.parametrize(
    ("head", "framing"),
    [
        (b"200 OK\r\ntransfer-encoding: Chunked", "chunked"),
        (b"503 Not Now (it rains)\r\ncontent-length: 0", 0),
        (b"404 \r\nconnection: Keep-Alive\r\ncontent-length: 007", 7),
    ],
)
def test_length_and_chunks_say_how_the_body_ends(head: bytes, framing: Framing) -> None:
    found = found_in(head)
    assert found is not None
    assert found[2] == framing


@pytest.mark.parametrize(
    "head",
    [
        b"200 OK",
        b"200\r\ncontent-length: 2",
        b"100 Continue\r\ncontent-length: 2",
        b"204 Empty\r\ncontent-length: 2",
        b"304 Same\r\ncontent-length: 2",
        b"200 OK\r\ncontent-length: 2\r\ncontent-length: 2",
        b"200 OK\r\ncontent-length: 2, 2",
        b"200 OK\r\ncontent-length: -2",
        b"200 OK\r\ncontent-length: +2",
        b"200 OK\r\ncontent-length: 1234567890123456",
        b"200 OK\r\ncontent-length: \xb2",
        b"200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked",
        b"200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
        b"200 OK\r\ntransfer-encoding: gzip, chunked",
        b"200 OK\r\ncontent-length: 2\r\nconnection: close",
        b"200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\nconnection: close",
        b"200 OK\r\ncontent-length: 2\r\nupgrade: h2c",
        b"200 OK\r\ncontent-length: 2\r\na : b",
        b"200 OK\r\ncontent-length: 2\r\n: b",
        b"200 OK\r\ncontent-length: 2\r\na b: c",
        b"200 OK\r\ncontent-length: 2\r\na",
        b"200 OK\r\ncontent-length: 2\r\na: b\r\n folded",
        b"200 OK\r\ncontent-length: 2\r\na: b\nc: d",
        b"200 OK\r\ncontent-length: 2\r\na: b\rc",
        b"200 OK\r\ncontent-length: 2\r\na: b\0",
        b"200 OK\r\ncontent-length: 2\r\na: \xe9",
    ],
)
def test_whatever_is_unusual_or_wrong_is_left_to_the_parser(head: bytes) -> None:
    assert found_in(head) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n",
        b"\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
    ],
)
def test_what_is_no_whole_head_of_this_version_is_left_to_the_parser(data: bytes) -> None:
    assert scan(data, LIMIT) is None


def test_a_head_above_the_limit_is_left_to_the_parser() -> None:
    head = b"200 OK\r\ncontent-length: 2\r\na: b"
    size = len(b"HTTP/1.1 " + head + b"\r\n")
    assert found_in(head, size) is not None
    assert found_in(head, size - 1) is None


def seen(*parts: bytes, eof: bool) -> object:
    """Return everything that can be seen of an answer."""
    reader = ResponseReader("POST", Limits(header_bytes=LIMIT, body_bytes=LIMIT))
    body, fault = b"", ""
    try:
        for part in parts:
            reader.feed(part)
            body += reader.take()
        if eof:
            reader.feed_eof()
            body += reader.take()
    except PoolError as error:
        fault = str(error)
    state = (reader.is_complete, reader.is_reusable, reader.has_ended, reader.received_bytes)
    return reader.status, reader.headers, reader.content_length, body, fault, state


NAMES = st.sampled_from(
    [
        "content-length",
        "Transfer-Encoding",
        "connection",
        "Content-Encoding",
        "upgrade",
        "x-a",
        "x b",
        "keep-alive",
        "",
    ]
)
VALUES = st.sampled_from(
    [
        "0",
        "2",
        " 5 ",
        "02",
        "2, 2",
        "chunked",
        "CHUNKED",
        "gzip, chunked",
        "close",
        "Keep-Alive",
        "identity",
        "h2c",
        "",
    ]
) | st.text("\t !aZ~\x7f\xe9:", max_size=6)


@settings(max_examples=300)
@given(
    status=st.sampled_from(
        ["200 OK", "200 ", "200", "429 Too Many", "100 Continue", "204 No", "99 X", "999 \xe9"]
    ),
    fields=st.lists(st.tuples(NAMES, VALUES), max_size=4),
    body=st.sampled_from(
        [b"", b"he", b"hello", b"2\r\nhe\r\n0\r\n\r\n", b"2\r\nhe\r\n", b"0\r\na: b\r\n\r\nrest"]
    ),
    ends=st.sampled_from(["\r\n", "\r\n", "\r\n", "\n"]),
    eof=st.booleans(),
)
@example("200 OK", [("content-length", "5")], b"hello, you", "\r\n", False)
@example("200 OK", [("transfer-encoding", "chunked")], b"2\r\nhe\r\n0\r\n\r\n", "\r\n", False)
def test_what_is_read_at_one_go_is_what_the_parser_makes_of_it(
    status: str, fields: list[tuple[str, str]], body: bytes, ends: str, eof: bool
) -> None:
    """A head whose first byte came by itself is llhttp's."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}:{value}" for name, value in fields), "", ""]
    data = ends.join(lines).encode("latin-1") + body
    assert seen(data, eof=eof) == seen(data[:1], data[1:], eof=eof)
