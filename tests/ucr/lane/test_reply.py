"""Answers as bytes, read back by h11."""

from typing import Any

import h11
import pytest

from ucr.lane.reply import Forms, Reply

DATE = "Thu, 26 Nov 2026 12:00:00 GMT"
JSON = ("content-type", "application/json")


def reply(method: str = "POST", *, is_http_1_0: bool = False, keeps_alive: bool = True) -> Reply:
    return Reply(Forms(), method != "HEAD", is_http_1_0, keeps_alive)


def heard(data: bytes, method: str = "POST") -> tuple[h11.Response, bytes, Any]:
    """Return the head, the body, and how the connection ends as a client of h11 reads them."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "a"), ("content-length", "0")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    head, body = client.next_event(), b""
    assert isinstance(head, h11.Response)
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    return head, body, event


def test_a_length_frames_an_answer() -> None:
    one = reply()
    data = one.head(200, (JSON, ("content-length", "2")), DATE) + one.part(b"{}") + one.end()
    head, body, end = heard(data)
    assert (head.status_code, head.reason, body) == (200, b"OK", b"{}")
    assert isinstance(end, h11.EndOfMessage)
    assert [name for name, _ in head.headers] == [b"content-type", b"content-length", b"date"]
    assert one.keeps_alive


def test_chunks_frame_what_has_no_length() -> None:
    one = reply()
    data = one.head(200, (JSON,), DATE) + one.part(b"one") + one.part(b"two") + one.end()
    _, body, end = heard(data)
    assert body == b"onetwo"
    assert isinstance(end, h11.EndOfMessage)
    assert one.keeps_alive


def test_the_connections_end_frames_what_a_client_of_http_1_0_gets() -> None:
    one = reply(is_http_1_0=True)
    data = one.head(200, (JSON,), DATE) + one.part(b"one") + one.end()
    assert data.endswith(b"connection: close\r\n\r\none")
    assert not one.keeps_alive


def test_an_answer_to_head_has_no_body() -> None:
    for headers in ((JSON,), (JSON, ("content-length", "2"))):
        one = reply("HEAD")
        data = one.head(200, headers, DATE) + one.part(b"{}") + one.end()
        assert data.endswith(b"\r\n\r\n")
        assert isinstance(heard(data, "HEAD")[2], h11.EndOfMessage)
        assert one.keeps_alive


def test_closing_is_said_once() -> None:
    for headers in ((JSON,), (JSON, ("connection", "close"))):
        one = reply(keeps_alive=len(headers) == 2)
        head = one.head(200, headers, DATE)
        assert head.count(b"connection: close\r\n") == 1
        assert not one.keeps_alive


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\nb", "a\x00b", "a\u2028b", "\U0001f600"])
def test_a_value_never_becomes_a_second_field(value: str) -> None:
    head = reply().head(200, (("x", value),), DATE)
    assert head.count(b"\r\n") == 5
    assert b"\x00" not in head


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "\xe9"])
def test_a_name_that_is_none_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        reply().head(200, ((name, "a"),), DATE)


def test_an_answer_that_is_longer_than_it_said_is_not_sent() -> None:
    one = reply()
    one.head(200, (("content-length", "2"),), DATE)
    with pytest.raises(ValueError, match="longer"):
        one.part(b"abc")


def test_an_answer_that_is_shorter_than_it_said_ends_with_its_connection() -> None:
    one = reply()
    one.head(200, (("content-length", "2"),), DATE)
    one.part(b"a")
    assert one.end() == b""
    assert not one.keeps_alive


def test_a_status_without_a_phrase_is_sent_without() -> None:
    assert reply().head(529, (), DATE).startswith(b"HTTP/1.1 529 \r\n")


def test_a_form_serves_all_heads_with_its_names() -> None:
    forms = Forms()
    for length in ("2", "3"):
        one = Reply(forms, has_body=True, is_http_1_0=False, keeps_alive=True)
        head = one.head(200, (JSON, ("x-%s", "100%"), ("content-length", length)), DATE)
        assert f"x-%s: 100%\r\ncontent-length: {length}\r\n".encode() in head
    assert len(forms.known) == 1


def test_the_forms_that_are_kept_are_bounded() -> None:
    forms = Forms()
    for number in range(1000):
        assert forms.make((f"x-{number}",)).text
        assert len(forms.known) <= 64
    kept = len(forms.known)
    assert forms.make(("x" * 3000,)).text
    assert len(forms.known) == kept
