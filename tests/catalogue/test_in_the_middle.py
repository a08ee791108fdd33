"""The failure catalogue, 26 to 54: what goes wrong once an answer has begun."""

import pytest

from tests.world.catalogue import TIMES, Case, Cut, Dialect, Fine, Told, each, see_alone, see_helped
from ucr.stress.failing import faults

pytestmark = pytest.mark.usefixtures("both_lanes")

LATE = Told(504, "timeout_error")
BROKEN = Told(500, "api_error")
CUT = Cut("api_error")
FINE = Fine()
CHAT: tuple[Dialect, ...] = ("openai-chat",)
ANTHROPIC: tuple[Dialect, ...] = ("anthropic",)


def only(dialect: Dialect, entry: int, name: str, fault: object, told: object, **more: object) -> Case:
    """Return a case of answers that are not streamed, by a provider of one dialect."""
    return Case(entry, f"{name}-{dialect}", fault, told, None, providers=(dialect,), **more)  # type: ignore[arg-type]


SHAPES = (
    ("anthropic", "no-content", faults.replies_with({"type": "message", "role": "assistant"})),
    ("anthropic", "content-null", faults.changed((b'"content": [', b'"content": null, "x": ['))),
    ("anthropic", "content-number", faults.changed((b'"content": [', b'"content": 7, "x": ['))),
    ("anthropic", "blocks-of-text", faults.replies_with({"type": "message", "content": ["a", 1, None]})),
    ("openai-chat", "choices-null", faults.replies_with({"choices": None})),
    ("openai-chat", "choices-number", faults.replies_with({"choices": 7})),
    ("openai-chat", "choices-empty", faults.replies_with({"choices": []})),
    ("openai-chat", "choice-null", faults.replies_with({"choices": [None]})),
    ("openai-chat", "message-missing", faults.replies_with({"choices": [{"index": 0}]})),
    ("openai-chat", "message-null", faults.replies_with({"choices": [{"message": None}]})),
    ("openai-chat", "message-text", faults.replies_with({"choices": [{"message": "hi"}]})),
    ("openai-chat", "content-number", faults.replies_with({"choices": [{"message": {"content": 7}}]})),
)

CASES = (
    Case(26, "stall", faults.stalls, LATE, Cut("timeout_error"), within_s=TIMES.idle_s),
    Case(27, "reset", faults.resets_midway, BROKEN, CUT),
    Case(28, "closed", faults.closes_midway, BROKEN, CUT),
    Case(29, "ends-too-early", faults.ends_midway, BROKEN, CUT),
    Case(30, "ends-in-a-character", faults.ends_in_character, None, CUT),
    Case(31, "byte-by-byte", faults.in_pieces(1), FINE, FINE),
    Case(31, "crlf", faults.in_pieces(7, line_end=b"\r\n"), FINE, FINE),
    Case(31, "cr", faults.in_pieces(5, line_end=b"\r"), None, FINE),
    Case(32, "garbage-first", faults.streams_garbage, BROKEN, BROKEN),
    Case(32, "garbage-later", faults.goes_on_with(b"data: \xff\xfe\x00 garbage\n\n"), None, CUT),
    Case(33, "bad-event", faults.BREAKS_AN_EVENT, None, CUT),
    Case(34, "unknown-event", faults.ADDS_THE_UNKNOWN, None, FINE),
    Case(39, "slow-drip", faults.in_pieces(11, pause_s=0.5), FINE, FINE, within_s=100),
    Case(41, "gzip", faults.compresses, FINE, FINE),
    Case(42, "bad-chunk", faults.BAD_CHUNK, BROKEN, BROKEN),
    Case(42, "two-lengths", faults.TWO_LENGTHS, BROKEN, BROKEN),
    Case(42, "length-and-chunks", faults.LENGTH_AND_CHUNKS, BROKEN, BROKEN),
    Case(42, "cut-chunk", faults.CUT_CHUNK, BROKEN, FINE),
    Case(42, "body-too-short", faults.SHORT_BODY, BROKEN, FINE),
    Case(42, "more-than-one", faults.says_too_much, FINE, FINE),
    Case(43, "empty", faults.replies_with(b""), BROKEN, BROKEN),
    Case(43, "null", faults.replies_with(None), BROKEN, BROKEN),
    Case(43, "list", faults.replies_with([]), BROKEN, BROKEN),
    Case(43, "nothing", faults.replies_with({}), BROKEN, BROKEN),
    Case(43, "no-content-status", faults.sends(b"HTTP/1.1 204 No\r\n\r\n"), BROKEN, BROKEN),
    *(only(dialect, 43, name, fault, BROKEN) for dialect, name, fault in SHAPES),
    Case(44, "nan", faults.replies_with(b'{"content": NaN, "choices": Infinity}'), BROKEN, BROKEN),
    Case(45, "deep", faults.replies_with(b'{"content": ' + b"[" * 100_000), BROKEN, BROKEN),
    Case(45, "deep-whole", faults.replies_with(b"[" * 100_000 + b"]" * 100_000), BROKEN, BROKEN),
    Case(46, "no-utf-8", faults.changed((b"All", b"\xff\xfe\xc0")), BROKEN, BROKEN),
    Case(49, "error-event", faults.REPORTS_AN_ERROR, None, Cut("overloaded_error")),
    Case(50, "hostile-headers", faults.sends_hostile_headers, FINE, FINE),
    Case(51, "no-stream", faults.replies_unasked, FINE, FINE),
    Case(51, "unasked-stream", faults.streams_unasked, FINE, FINE),
)

EACH = each(CASES)


@pytest.mark.parametrize(("case", "client", "dialect", "stream"), EACH)
async def test_what_a_client_is_told_when_no_other_provider_helps(
    case: Case, client: Dialect, dialect: Dialect, stream: bool, autojump_clock: object
) -> None:
    await see_alone(case, client, dialect, stream=stream)


@pytest.mark.parametrize(("case", "client", "dialect", "stream"), EACH)
async def test_another_provider_helps_before_the_first_words_and_never_after_them(
    case: Case, client: Dialect, dialect: Dialect, stream: bool, autojump_clock: object
) -> None:
    await see_helped(case, client, dialect, stream=stream)
