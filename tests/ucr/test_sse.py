"""Server-sent events: every legal framing, any split of the bytes, and limits."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucr.sse import Decoder, Splitter, SseError, SseEvent, comment, encode, parse

FRAMINGS = [
    pytest.param(b"data: a\n\n", [SseEvent(None, "a")], id="lf"),
    pytest.param(b"data: a\r\n\r\n", [SseEvent(None, "a")], id="edge-66-crlf"),
    pytest.param(b"data: a\r\r", [SseEvent(None, "a")], id="edge-66-cr"),
    pytest.param(b"data: a\r\n\ndata: b\n\r\n", [SseEvent(None, "a"), SseEvent(None, "b")], id="edge-66-mixed"),
    pytest.param(b"data:a\n\n", [SseEvent(None, "a")], id="edge-66-no-space"),
    pytest.param(b"data:  a\n\n", [SseEvent(None, " a")], id="two-spaces"),
    pytest.param(b"data: a\ndata: b\n\n", [SseEvent(None, "a\nb")], id="edge-66-two-lines"),
    pytest.param(b"data: a", [SseEvent(None, "a")], id="edge-66-no-blank-line"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [SseEvent(None, "a")], id="edge-66-bom"),
    pytest.param(b"event: x\ndata: a\n\n", [SseEvent("x", "a")], id="name"),
    pytest.param(b"event:\ndata: a\n\n", [SseEvent(None, "a")], id="empty-name"),
    pytest.param(b"event: \xff\ndata: a\n\n", [SseEvent("\ufffd", "a")], id="name-is-not-utf-8"),
    pytest.param(b": hello\n\n", [], id="edge-45-comment"),
    pytest.param(b": hello\ndata: a\n\n", [SseEvent(None, "a")], id="comment-before-data"),
    pytest.param(b"id: 1\nretry: 3\nfoo\n\n", [], id="other-fields"),
    pytest.param(b"data\n\n", [SseEvent(None, "")], id="field-without-colon"),
    pytest.param(b"\n\n\n\ndata: a\n\n\n\n", [SseEvent(None, "a")], id="blank-lines"),
    pytest.param(
        "data: a\u2028b\u0085c\x0bd😀\n\n".encode(), [SseEvent(None, "a\u2028b\u0085c\x0bd😀")], id="edge-65"
    ),
    pytest.param(b"", [], id="nothing"),
]


def decoded(body: bytes, *cuts: int) -> list[SseEvent]:
    decoder = Decoder()
    events: list[SseEvent] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return events + decoder.close()


@pytest.mark.parametrize(("body", "events"), FRAMINGS)
def test_every_legal_framing_is_read(body: bytes, events: list[SseEvent]) -> None:
    assert decoded(body) == events


@pytest.mark.parametrize(("body", "events"), FRAMINGS)
def test_single_bytes_give_the_same_events(body: bytes, events: list[SseEvent]) -> None:
    assert decoded(body, *range(1, len(body))) == events


LINES = st.sampled_from(
    [b"data: a", b"data:", b"event: x", b": c", b"", "data: é😀\u2028".encode(), b"data: {}"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b""])
BODIES = st.lists(st.tuples(LINES, ENDS), max_size=12).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


@pytest.mark.slow
@settings(max_examples=300)
@given(body=BODIES, data=st.data())
def test_any_split_gives_the_same_events(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    assert decoded(body, *cuts) == decoded(body)


@pytest.mark.slow
@settings(max_examples=300)
@given(body=BODIES, data=st.data())
def test_blocks_joined_are_the_bytes_that_were_fed(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    splitter, blocks = Splitter(), []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        blocks += splitter.feed(body[start:end])
    assert b"".join([*blocks, splitter.close()]) == body


def taken(feed: Callable[[bytes], list[bytes]], data: bytes) -> list[bytes] | None:
    """Return the blocks, or None when they are refused."""
    try:
        return feed(data)
    except SseError:
        return None


def quickly(splitter: Splitter, data: bytes) -> list[bytes]:
    """Take bytes in whichever quick way takes them, else in the general one; return the blocks."""
    if (values := splitter.data_lines(data)) is not None:
        return [b"data: " + value + b"\n\n" for value in values]
    if (pairs := splitter.named_lines(data)) is not None:
        return [b"%b\n%b\n\n" % pair for pair in pairs]
    return splitter.feed(data)


UNIFORM = st.lists(st.sampled_from([b"data: a\n\n", "data: é\n\n".encode(), b"data: \n\n"]), max_size=6)
NAMED = st.lists(st.sampled_from([b"event: x\ndata: a\n\n", b"event: y\n: b\n\n"]), max_size=6)


@pytest.mark.slow
@settings(max_examples=400)
@given(body=BODIES | st.builds(b"".join, UNIFORM | NAMED) | st.binary(max_size=9), data=st.data())
def test_the_quick_ways_give_the_blocks_of_the_general_one(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=4)))
    one, other = Splitter(limit_bytes=20), Splitter(limit_bytes=20)
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        blocks = taken(partial(quickly, one), body[start:end])
        assert blocks == taken(other.feed, body[start:end])
        assert one.is_at_boundary == other.is_at_boundary


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"data: a\n\ndata: b\n\ndata: c", [b"a", b"b"]),
        ("data: é\n\n".encode(), ["é".encode()]),
        (b"data: a\n\n", [b"a"]),
        (b"data: a\n", None),
        (b"data: a\ndata: b\n\n", None),
        (b"data: a\r\n\r\n", None),
        (b": a\n\ndata: a\n\n", None),
        (b"data: a\n\n: a\n\n", None),
        (b"data: a\n\n\n", None),
        (b"data: \xff\n\n", None),
        (b"\xef\xbb\xbfdata: a\n\n", None),
        (b"", None),
    ],
)
def test_blocks_of_one_line_of_data_are_taken_at_once(data: bytes, values: list[bytes] | None) -> None:
    splitter = Splitter()
    assert splitter.data_lines(data) == values
    assert splitter.close() == (b"" if values is None else data.rpartition(b"\n\n")[2])


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        (
            b"event: a\ndata: b\n\nevent: c\ndata: d\n\nevent",
            [(b"event: a", b"data: b"), (b"event: c", b"data: d")],
        ),
        (b"event: a\n\nevent: b\ndata: c\ndata: d\n\n", None),
        (b"event: a\ndata: b\ndata: c\n\n", None),
        (b"event: a\ndata: b\n\n\n", None),
        (b"event: a\ndata: b\r\n\r\n", None),
        (b"data: b\nevent: a\n\n", None),
    ],
)
def test_blocks_of_two_lines_are_taken_at_once(data: bytes, pairs: list[tuple[bytes, bytes]] | None) -> None:
    splitter = Splitter()
    assert splitter.named_lines(data) == pairs
    assert splitter.close() == (b"" if pairs is None else data.rpartition(b"\n\n")[2])


def test_a_long_tail_is_not_put_before_each_read() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: " + b"x" * 70_000) == []
    assert splitter.data_lines(b"\n\n") is None
    assert len(splitter.feed(b"\n\ndata: a\n\n")) == 2
    assert splitter.data_lines(b"data: b\n\n") == [b"b"]


def test_an_event_is_given_as_soon_as_its_blank_line_begins() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: a\r\n\r") == [b"data: a\r\n\r"]
    assert splitter.is_at_boundary
    assert splitter.feed(b"\n") == []
    assert splitter.is_at_boundary
    assert splitter.feed(b"data: b") == []
    assert not splitter.is_at_boundary
    assert splitter.feed(b"\n\n") == [b"\ndata: b\n\n"]


@pytest.mark.parametrize("body", [b"data: 1\n\ndata: 23456789\n\ndata: 3\n\n", b"data: 1\n\ndata: 23456789"])
def test_an_event_past_the_limit_raises_after_those_before_it(body: bytes) -> None:
    for step in (1, 4, len(body)):
        decoder, events = Decoder(limit_bytes=12), list[SseEvent]()
        with pytest.raises(SseError, match="an event is larger than 12 bytes"):
            for start in range(0, len(body), step):
                events += decoder.feed(body[start : start + step])
            decoder.close()
        assert events == [SseEvent(None, "1")]


def test_an_event_that_is_not_utf_8_raises_after_those_before_it() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\n\ndata: \xff\n\ndata: b\n\n") == [SseEvent(None, "a")]
    with pytest.raises(SseError, match="not UTF-8"):
        decoder.feed(b"")
    with pytest.raises(SseError, match="not UTF-8"):
        decoder.close()


def test_a_broken_event_alone_raises_at_once() -> None:
    with pytest.raises(SseError, match="not UTF-8"):
        Decoder().feed(b"data: \xff\n\n")


def test_what_is_encoded_is_read_back() -> None:
    assert parse(encode(b'{"a":1}', "x")) == SseEvent("x", '{"a":1}')
    assert encode(b"{}") == b"data: {}\n\n"
    assert encode(b"{}", "x") == b"event: x\ndata: {}\n\n"
    assert comment("here") == b": here\n\n"
    assert parse(comment("here")) is None


@pytest.mark.parametrize(
    ("before", "data", "passes"),
    [
        ([], b"a\n\nb\nc\n\n", True),
        ([b"a\n\n"], b"\xc3\xa9\n\n", True),
        ([b"a\n"], b"b\n\n", False),
        ([b"a\r\n\r\n"], b"b\n\n", False),
        ([], b"a\r\n\n\n", False),
        ([], b"a\n\nb\n", False),
        ([], b"\n", False),
        ([], b"\xef\xbb\xbfa\n\n", False),
        ([], b"aaaaaaaaa\n\n", False),
    ],
)
def test_whole_blocks_that_follow_whole_blocks_need_not_be_cut(
    before: list[bytes], data: bytes, passes: bool
) -> None:
    splitter = Splitter(limit_bytes=10)
    for part in before:
        splitter.feed(part)
    assert splitter.lets_by(data) is passes
    if passes:  # a mark that would be left out at the beginning is no longer there
        assert splitter.feed(b"\xef\xbb\xbfb\n\n") == [b"\xef\xbb\xbfb\n\n"]
