from typing import Any

import pytest

from ucr.observe.board import Board
from ucr.observe.top_drawing import RED, RESET, event_line, page, plain_line, printable

STATISTICS: dict[str, Any] = {
    "timestamp": "2026-11-26T12:00:00.000Z",
    "level": "info",
    "event": "statistics",
    "uptime_s": 3725.0,
    "cost_usd": 1.25,
    "tokens_per_s": 530.5,
    "requests": {"total": 100, "open": 3, "per_s": 12.25, "errors": 2, "errors_per_s": 0.0},
    "times_ms": {
        "ttfb": {"p50": 120.4, "p95": 1500.0, "p99": 12_000.0},
        "overhead": {"p50": 0.75, "p95": None},
    },
    "cache": {"enabled": True, "entries": 40, "bytes": 1_200_000, "hit_rate": 0.85},
    "providers": {
        "up": {
            "state": "serving",
            "breaker": "open",
            "in_flight": 2,
            "waiting": 1,
            "limit": 64,
            "requests": 100,
            "errors": 2,
            "per_s": 12.25,
        }
    },
    "workers": [{"rss_bytes": 50_000_000}, {"rss_bytes": 51_000_000}],
}
REQUEST = {
    "timestamp": "2026-11-26T12:00:01.000Z",
    "level": "info",
    "event": "request.finished",
    "status": 200,
    "provider": "up",
    "model_used": "m-1",
    "route": "default",
    "stream": True,
    "cache": "miss",
    "ttfb_ms": 12.3,
    "total_ms": 1234.0,
    "input_tokens": 11,
    "output_tokens": 7,
    "error_type": None,
}


def board(*messages: dict[str, Any]) -> Board:
    made = Board()
    for message in messages:
        made.take(message)
    return made


def drawn(made: Board, width: int = 120, height: int = 30) -> list[str]:
    return page(made, "http://127.0.0.1:3000", width, height, coloured=False)


def test_a_page_shows_everything() -> None:
    lines = drawn(board(STATISTICS, REQUEST))
    assert lines[0] == "ucr-trio top   http://127.0.0.1:3000   up 1 h 02 min   2 workers"
    assert lines[1] == "12.2 requests/s   0.0 errors/s   3 open   100 in all, 2 failed"
    assert lines[2] == "530.5 tokens/s   $1.2500   cache 85% hits, 40 entries, 1.2 MB   memory 101 MB"
    assert lines[5].split() == ["first", "byte", "120", "ms", "1500", "ms", "12.0", "s"]
    assert lines[7].split() == ["router", "0.75", "ms", "-", "-"]
    assert lines[11].split() == ["up", "open", "serving", "2/64", "1", "12.2", "100", "2"]
    request = "12:00:01 200 up/m-1 12 ms 1234 ms 11 7 default stream cache miss"
    assert lines[14].split() == request.split()
    assert lines[-1].startswith("q quit")


def test_a_terminal_of_eighty_columns_has_room_for_every_column() -> None:
    lines = drawn(board(STATISTICS, REQUEST), 80, 24)
    assert lines[10].endswith(" REQUESTS  ERRORS")
    assert lines[13].endswith("  MORE")
    assert "default" in lines[14]


def test_permits_that_are_not_borrowed_are_no_limit_of_zero() -> None:
    idle = {**STATISTICS["providers"]["up"], "in_flight": 0, "limit": 0}
    assert drawn(board({**STATISTICS, "providers": {"up": idle}}))[11].split()[3] == "0/-"


@pytest.mark.parametrize("size", [(120, 30), (40, 10), (1, 1), (300, 5), (80, 24)])
def test_a_page_is_as_large_as_the_terminal(size: tuple[int, int]) -> None:
    made = board(STATISTICS, *[REQUEST] * 50)
    lines = drawn(made, *size)
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]


def test_a_page_without_a_message_is_drawn_as_well() -> None:
    lines = drawn(board())
    assert "up -" in lines[0]
    assert "cache off" in lines[2]


def test_colours_say_what_is_wrong() -> None:
    failed = {**REQUEST, "status": 500, "error_type": "api_error"}
    lines = page(board(STATISTICS, failed), "http://x", 120, 30)
    (line,) = (line for line in lines if "api_error" in line)
    assert line.startswith(RED)
    assert line.endswith(RESET)
    assert any(line.startswith(RED) and "up " in line for line in lines)


def test_trouble_filter_and_pause_are_shown() -> None:
    made = board(STATISTICS)
    for key in "p/gro":
        made.press(key)
    made.trouble = "the connection has ended"
    lines = drawn(made)
    assert lines[0].endswith("PAUSED")
    assert lines[1] == "the connection has ended"
    assert lines[-1].startswith("filter: gro_")


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\nb", "\u202eb", "\x9b2J"])
def test_nothing_that_a_terminal_obeys_is_drawn(text: str) -> None:
    assert printable(text).isprintable()
    hostile = {**REQUEST, "model_used": text, "route": text}
    for line in (
        *drawn(board(STATISTICS, hostile)),
        plain_line(hostile),
        plain_line({"event": "x", "error": text}),
    ):
        assert line.isprintable()


def test_plain_lines_say_the_same() -> None:
    assert plain_line(STATISTICS) == (
        "2026-11-26T12:00:00.000Z statistics 12.2 requests/s, 3 open, 100 in all, 2 failed, first byte p50 120 ms "
        "p95 1500 ms, cache 85% hits, 40 entries, 1.2 MB, up open"
    )
    assert plain_line(REQUEST).split()[:4] == ["2026-11-26T12:00:01.000Z", "request", "200", "up/m-1"]
    opened = {"timestamp": "t", "level": "warning", "event": "breaker.opened", "provider": "up", "model": None}
    assert plain_line(opened) == "t breaker.opened provider=up"
    assert event_line(opened) == "breaker.opened provider=up"


@pytest.mark.parametrize(("seconds", "shown"), [(5.5, "5 s"), (65, "1 min 05 s"), (7265, "2 h 01 min")])
def test_times_are_shown_in_the_unit_that_fits(seconds: float, shown: str) -> None:
    assert f"up {shown} " in drawn(board({**STATISTICS, "uptime_s": seconds}))[0]
