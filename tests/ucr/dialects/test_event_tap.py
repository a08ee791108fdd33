from tests.world.anthropic_streams import context
from ucr.dialects import event_tap
from ucr.dialects.event_tap import EventTap
from ucr.errors import UpstreamError
from ucr.jsontext import JsonObject
from ucr.sse import SseEvent


class Plain(EventTap):
    """Commits at `{"go":…}`; skips reading what holds `plain` from there on."""

    def __init__(self) -> None:
        super().__init__(context())
        self.read: list[JsonObject] = []

    def _plain(self, block: bytes) -> bytes | None:
        return block.upper() if b"plain" in block else None

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
