import pytest
from msgspec import Struct
from msgspec.json import Decoder

from tests.world.anthropic_streams import context
from ucr.dialects import event_tap
from ucr.dialects.event_tap import EventTap, decoded, even_lines
from ucr.dialects.roles import Content
from ucr.errors import UpstreamError
from ucr.jsontext import JsonObject
from ucr.sse import SseEvent


class Plain(EventTap):
    """Commits at `{"go":…}`; skips reading what holds `plain` from there on."""

    def __init__(self) -> None:
        super().__init__(context())
        self.read: list[JsonObject] = []

    lines = 1

    def _contents(self, columns: list[list[bytes]]) -> list[bool]:
        return [b"plain" in line for line in columns[0]]

    def _passed(self, blocks: bytes, count: int) -> bytes | None:
        return None if b"odd" in blocks else blocks.upper()

    def _event(self, block: bytes, event: SseEvent, value: JsonObject) -> bytes:
        self.read.append(value)
        if "go" in value:
            self._commit()
        return block

    def _error_event(self, error: UpstreamError) -> bytes:
        return f"data: {error.fault}\n\n".encode()


GO = b'data: {"go":1}\n\n'
X = b'data: {"x":1}\n\n'


def test_events_are_held_until_the_commit_point() -> None:
    tap = Plain()
    assert [tap.feed(X), tap.feed(GO), tap.feed(X)] == [b"", X + GO, X]


def test_plain_blocks_are_read_before_the_commit_point_only() -> None:
    tap, plain = Plain(), b'data: {"plain":1}\n\n'
    assert tap.feed(plain + GO + plain) == plain + GO + plain.upper()
    assert tap.read == [{"plain": 1}, {"go": 1}]


@pytest.mark.parametrize("first", [b"event: go", b"event: ", b"event:go", b"id: 1", b'data: {"a":'])
def test_a_block_of_even_lines_is_read_as_it_is_alone(first: bytes) -> None:
    class Named(Plain):
        lines = 2

        def _event(self, block: bytes, event: SseEvent, value: JsonObject) -> bytes:
            return super()._event(block, event, {**value, "name": event.name})

    block = first + (b"\ndata: 1}\n\n" if b"data" in first else b'\ndata: {"a":1}\n\n')
    go = b'event: go\ndata: {"go":1}\n\n'
    together, apart = Named(), Named()
    assert together.feed(go + block) == go + block
    assert apart.feed(go) + apart.feed(b"\n" + block) == go + b"\n" + block
    assert together.read == apart.read
    assert together.read[1]["a"] == 1
    assert together.content == apart.content


def test_a_run_that_cannot_pass_as_it_is_is_read_block_by_block() -> None:
    tap, plain, odd = Plain(), b'data: {"plain":1}\n\n', b'data: {"plain":"odd"}\n\n'
    assert tap.feed(GO + odd + plain + X + plain) == GO + odd + plain + X + plain.upper()
    assert tap.read == [{"go": 1}, {"plain": "odd"}, {"plain": 1}, {"x": 1}]


def test_content_is_counted_the_same_in_a_run_and_alone() -> None:
    at_once, apart = Plain(), Plain()
    at_once.framing_bytes = apart.framing_bytes = 20
    blocks = [GO, b'data: {"plain":1}\n\n', b'data: {"plain":"long"}\n\n', b'data: {"plain":"longer"}\n\n']
    at_once.feed(b"".join(blocks))
    for block in blocks:
        apart.feed(block)
    assert at_once.content == apart.content == Content(events=4, chars=4 + 6)


def test_a_read_of_nothing_but_content_passes_as_it_came() -> None:
    tap, plain = Plain(), b'data: {"plain":1}\n\n'
    tap.feed(GO)
    assert tap.feed(plain * 3) == plain.upper() * 3
    assert (tap.content.events, tap.read) == (4, [{"go": 1}])
    assert [tap.feed(plain[:9]), tap.feed(plain[9:])] == [b"", plain.upper()]
    assert tap.feed(plain + X + plain) == plain.upper() + X + plain.upper()


def test_a_read_that_is_larger_than_an_event_may_be_is_cut_first() -> None:
    tap = Plain()
    tap.feed(GO)
    tap.feed(b'data: {"plain":"' + b"x" * event_tap.sse.EVENT_LIMIT_BYTES + b'"}\n\n')
    assert tap.failure is not None and tap.failure.fault == "protocol"


def test_comments_pass_in_their_place() -> None:
    tap = Plain()
    assert tap.feed(b": one\n\n" + GO + b": two\n\n") == b": one\n\n" + GO + b": two\n\n"


def test_what_waits_is_bounded() -> None:
    tap = Plain()
    comment = b": " + b"x" * 65_534 + b"\n\n"
    for _ in range(event_tap.HELD_LIMIT_BYTES // len(comment)):
        assert tap.feed(comment) == b""
        assert tap.failure is None
    assert tap.feed(comment * 2) == b""
    assert tap.failure is not None and tap.failure.fault == "protocol"


def test_an_event_that_is_too_large_breaks_the_stream() -> None:
    tap = Plain()
    tap.feed(GO)
    assert tap.feed(b"x" * (4 * 1024 * 1024 + 1)) == b"data: protocol\n\n"
    assert tap.feed(GO) == b"" and tap.close() == b""


def test_a_crlf_that_is_cut_in_two_comes_out_as_it_was() -> None:
    tap = Plain()
    assert tap.feed(b'data: {"go":1}\r\n\r') == b'data: {"go":1}\r\n\r'
    assert tap.feed(b"\n" + X) == b"\n" + X


def test_an_end_without_its_end_is_an_error() -> None:
    tap = Plain()
    tap.feed(GO + b"data: {")
    assert tap.close() == b"data: midstream\n\n"
    assert tap.close() == b""
    assert (tap.is_finished, tap.is_at_boundary) == (False, True)


@pytest.mark.parametrize(
    ("blocks", "is_even"),
    [
        ([b"a\nb\n\n", b"c\nd\n\n"], True),
        ([b"a\n\xc3\xa9\n\n"], True),
        ([b"a\nb\n\n", b"c\n\n"], False),
        ([b"a\nb\nc\n\n", b"d\n\n"], False),
        ([b"d\n\n", b"a\nb\nc\n\n"], False),
        ([b"\n\n", b"a\nb\nc\n\n"], False),
        ([b"a\nb\r\n\r\n"], False),
        ([b"a\n\xff\n\n"], False),
        ([b"a\nb\n"], False),
        ([b"a\nb\n\nc"], False),
        ([b"a\nb\n\nc\nd\n"], False),
        ([b"a\n"], False),
        ([], True),
    ],
)
def test_blocks_are_even_only_if_all_have_as_many_lines(blocks: list[bytes], is_even: bool) -> None:
    whole = b"".join(blocks)
    assert even_lines(whole, 3) == (whole.split(b"\n")[:-1] if is_even else None)


class Word(Struct):
    word: str


@pytest.mark.parametrize(
    "odd", [b'{"word":1}', b"{", b"{}", b'{"word":"a"}{}', b"[" * 100_000, b'{"word":"\\ud800"}']
)
def test_texts_are_decoded_all_or_none(odd: bytes) -> None:
    decoder = Decoder(Word)
    assert decoded(decoder, [b'{"word":"a"}', b'{"word":"b"}']) == [Word("a"), Word("b")]
    assert decoded(decoder, [b'{"word":"a"}', odd]) is None
