"""The page of `ucr-trio top`, and its plain lines. Pure.

Nothing of what the router says is believed to be printable: names of models come from clients.
"""

from collections.abc import Iterator
from typing import Any

from ucr.observe.board import Board, Message, is_trouble

RESET, BOLD, DIM, REVERSE = "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[7m"
RED, YELLOW = "\x1b[31m", "\x1b[33m"
KEYS = "q quit   / filter   e errors only   p pause   Esc clear   s sort by "
NAME_CHARS = 28
_FEWEST_NAME_CHARS, _BESIDE_NAMES = 12, 62
"""What the columns beside the names of providers take, with their spaces."""
_HEAD = ("timestamp", "level", "event")


def page(board: Board, url: str, width: int, height: int, coloured: bool = True) -> list[str]:
    """Return at most `height` lines of at most `width` characters."""
    room_for_names = min(NAME_CHARS, max(_FEWEST_NAME_CHARS, width - _BESIDE_NAMES))
    lines = [*_head(board, url), "", *_times(board), "", *_providers(board, room_for_names), ""]
    footer = _footer(board)
    room = max(0, height - len(lines) - 2)
    title = (
        f"{'TIME':8} {'STATUS':6} {'WHO':{room_for_names}} {'TTFB':>8} {'TOTAL':>8} {'IN':>7} {'OUT':>6}  MORE"
    )
    recent = [_recent_line(message, room_for_names) for message in board.recent()[:room]]
    body = [(DIM, title), *recent] if room else []
    styled = [*((style, text) for style, text in map(_styled, lines)), *body][: height - 1]
    styled += [("", "")] * (height - 1 - len(styled))
    return [_fitted(style, text, width, coloured) for style, text in (*styled, (REVERSE, footer.ljust(width)))]


def _styled(line: "str | tuple[str, str]") -> tuple[str, str]:
    return line if isinstance(line, tuple) else ("", line)


def _fitted(style: str, text: str, width: int, coloured: bool) -> str:
    shown = printable(text)[:width]
    return f"{style}{shown}{RESET}" if coloured and style else shown


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey."""
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def _head(board: Board, url: str) -> "Iterator[str | tuple[str, str]]":
    told = board.statistics
    workers = told.get("workers", [])
    state = "  PAUSED" if board.is_paused else ""
    yield (
        BOLD,
        f"ucr-trio top   {url}   up {_duration(told.get('uptime_s'))}   {_count(len(workers), 'worker')}{state}",
    )
    if board.trouble:
        yield RED, board.trouble
        return
    requests, cache = told.get("requests", {}), told.get("cache", {})
    yield (
        f"{_number(requests.get('per_s'))} requests/s   {_number(requests.get('errors_per_s'))} errors/s   "
        f"{requests.get('open', 0)} open   {requests.get('total', 0)} in all, {requests.get('errors', 0)} failed"
    )
    yield (
        f"{_number(told.get('tokens_per_s'))} tokens/s   ${told.get('cost_usd', 0):.4f}   {_cache(cache)}   "
        f"memory {sum(one.get('rss_bytes', 0) for one in workers) / 1e6:.0f} MB"
    )


def _cache(cache: Message) -> str:
    if not cache.get("enabled"):
        return "cache off"
    share = cache.get("hit_rate")
    rate = "-" if share is None else f"{share:.0%}"
    return f"cache {rate} hits, {cache.get('entries', 0)} entries, {cache.get('bytes', 0) / 1e6:.1f} MB"


def _times(board: Board) -> "Iterator[tuple[str, str]]":
    yield DIM, f"{'LAST MINUTE':12} {'P50':>10} {'P95':>10} {'P99':>10}"
    names = {"ttfb": "first byte", "total": "in all", "overhead": "router", "gap": "stream gap"}
    for name, shown in names.items():
        found = board.statistics.get("times_ms", {}).get(name, {})
        cells = " ".join(f"{_ms(found.get(part)):>10}" for part in ("p50", "p95", "p99"))
        yield "", f"{shown:12} {cells}"


def _providers(board: Board, name_chars: int) -> "Iterator[tuple[str, str]]":
    yield (
        DIM,
        f"{'PROVIDER':{name_chars}} {'BREAKER':9} {'STATE':9} {'AT WORK':>9} {'WAIT':>5} {'REQ/S':>7} "
        f"{'REQUESTS':>9} {'ERRORS':>7}",
    )
    for name, one in board.providers():
        breaker = str(one.get("breaker", ""))
        style = {"open": RED, "half_open": YELLOW}.get(breaker, "")
        # A worker that borrows its permits from all workers gives them back when nothing is to be done.
        limit = one.get("limit", 0)
        work = f"{one.get('in_flight', 0)}/{limit or '-'}"
        yield (
            style,
            f"{name[:name_chars]:{name_chars}} {breaker:9} {one.get('state') or '-':9} {work:>9} "
            f"{one.get('waiting', 0):>5} {_number(one.get('per_s')):>7} {one.get('requests', 0):>9} "
            f"{one.get('errors', 0):>7}",
        )


def _recent_line(message: Message, name_chars: int) -> tuple[str, str]:
    at = str(message.get("timestamp", ""))[11:19]
    if message.get("event") != "request.finished":
        return (YELLOW if is_trouble(message) else "", f"{at:8} {event_line(message)}")
    return (RED if is_trouble(message) else "", f"{at:8} {request_line(message, name_chars)}")


def request_line(message: Message, name_chars: int = NAME_CHARS) -> str:
    """Return a finished request as one line, without its time."""
    who = f"{message.get('provider') or '-'}/{message.get('model_used') or message.get('model_asked') or '-'}"
    more = [
        str(message.get(name)) for name in ("route", "error_type", "stop_reason", "client") if message.get(name)
    ]
    more += ["stream"] if message.get("stream") else []
    more += [f"cache {message['cache']}"] if message.get("cache") not in (None, "bypass") else []
    return (
        f"{message.get('status', 0):<6} {who[:name_chars]:{name_chars}} {_ms(message.get('ttfb_ms')):>8} "
        f"{_ms(message.get('total_ms')):>8} {_whole(message.get('input_tokens')):>7} "
        f"{_whole(message.get('output_tokens')):>6}  {' '.join(more)}"
    )


def event_line(message: Message) -> str:
    """Return another event of the log as one line, without its time."""
    fields = [f"{name}={value}" for name, value in message.items() if name not in _HEAD and value is not None]
    return " ".join((str(message.get("event")), *fields))


def plain_line(message: Message) -> str:
    """Return any message as one line for those who have no terminal."""
    at = str(message.get("timestamp", ""))
    match message.get("event"):
        case "statistics":
            told, ttfb = message.get("requests", {}), message.get("times_ms", {}).get("ttfb", {})
            breakers = [
                f"{name} {one['breaker']}"
                for name, one in message.get("providers", {}).items()
                if one.get("breaker") != "closed"
            ]
            text = (
                f"statistics {_number(told.get('per_s'))} requests/s, {told.get('open', 0)} open, "
                f"{told.get('total', 0)} in all, {told.get('errors', 0)} failed, first byte p50 "
                f"{_ms(ttfb.get('p50'))} p95 {_ms(ttfb.get('p95'))}, {_cache(message.get('cache', {}))}"
            )
            text = ", ".join((text, *breakers))
        case "request.finished":
            text = f"request {request_line(message)}"
        case _:
            text = event_line(message)
    return printable(f"{at} {text}")


def _footer(board: Board) -> str:
    if board.typing is not None:
        return f"filter: {board.typing}_   Enter to use it, Esc to leave it"
    shown = f"filter: {board.filter}   " if board.filter else ""
    return f"{shown}{'errors only   ' if board.errors_only else ''}{KEYS}{board.sort}"


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.1f}"


def _whole(value: Any) -> str:
    return "-" if value is None else str(value)


def _ms(value: Any) -> str:
    if value is None:
        return "-"
    return (
        f"{value / 1000:.1f} s" if value >= 10_000 else f"{value:.0f} ms" if value >= 10 else f"{value:.2f} ms"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _duration(seconds: Any) -> str:
    if seconds is None:
        return "-"
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {left:02} s" if minutes else f"{left} s"
