import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trio
from click.testing import CliRunner
from trio.testing import MockClock

from ucr.asking import Unanswered
from ucr.observe.top_command import Take, print_lines, show, top, trust_of

STATISTICS = {"event": "statistics", "requests": {"total": 7}}
EVENT = {"event": "breaker.opened", "level": "warning", "provider": "up"}


class Screen:
    """A terminal in memory: the keys that will be pressed, each after a second, and the pages that were drawn."""

    def __init__(self, *keys: str) -> None:
        self._keys = list(keys)
        self.pages: list[list[str]] = []
        self.is_taken = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        self.is_taken = True
        yield
        self.is_taken = False

    def size(self) -> tuple[int, int]:
        return 100, 30

    def draw(self, lines: list[str]) -> None:
        assert self.is_taken
        self.pages.append(lines)

    async def keys(self) -> list[str]:
        await trio.sleep(1)
        return [self._keys.pop(0)]


async def forever(take: Take) -> None:
    while True:
        take(STATISTICS)
        await trio.sleep(1)


async def test_lines_end_after_so_many_statistics(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    await print_lines(forever, json.dumps, 3)
    assert capsys.readouterr().out.splitlines() == [json.dumps(STATISTICS)] * 3
    assert trio.current_time() < 3


async def test_lines_are_printed_until_the_router_has_gone(capsys: pytest.CaptureFixture[str]) -> None:
    async def twice(take: Take) -> None:
        take(EVENT)
        take(EVENT)

    with pytest.raises(Unanswered):
        await print_lines(twice, str, None)
    assert len(capsys.readouterr().out.splitlines()) == 2


async def test_lines_that_nobody_reads_any_more_are_no_fault_of_the_router(autojump_clock: MockClock) -> None:
    async def blames_the_router(take: Take) -> None:
        try:
            await forever(take)
        except OSError as error:
            raise Unanswered(f"no router answers: {error}") from None

    def gone(_message: Any) -> str:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await print_lines(blames_the_router, gone, None)


async def test_a_page_follows_the_router_until_a_key_ends_it(autojump_clock: MockClock) -> None:
    screen: Any = Screen("s", "e", "q")
    await show(screen, forever, "http://x", coloured=False)
    assert not screen.is_taken
    assert "7 in all" in screen.pages[-1][1]
    assert screen.pages[-1][-1].startswith("errors only   q quit")
    assert screen.pages[-1][-1].rstrip().endswith("by per_s")


async def test_a_busy_router_draws_no_more_than_ten_pages_a_second(autojump_clock: MockClock) -> None:
    async def busy(take: Take) -> None:
        while True:
            take(EVENT)
            await trio.sleep(0.001)

    screen: Any = Screen("x", "q")
    await show(screen, busy, "http://x", coloured=False)
    assert 10 <= len(screen.pages) <= 25


async def test_a_connection_that_is_lost_is_sought_again(autojump_clock: MockClock) -> None:
    calls = []

    async def loses(take: Take) -> None:
        calls.append(trio.current_time())
        if len(calls) == 2:
            raise Unanswered("http://x: no router answers")
        take(STATISTICS)

    screen: Any = Screen("x", "x", "x", "q")
    await show(screen, loses, "http://x", coloured=False)
    assert len(calls) >= 3
    told = {lines[1] for lines in screen.pages}
    assert {"the connection has ended; connecting again", "http://x: no router answers"} <= told


async def test_where_there_is_no_router_at_first_it_fails_and_gives_the_terminal_back(
    autojump_clock: MockClock,
) -> None:
    async def refused(take: Take) -> None:
        raise Unanswered("http://x: no router answers")

    screen: Any = Screen("x", "q")
    with pytest.raises(Unanswered, match="no router answers"):
        await show(screen, refused, "http://x", coloured=False)


def test_where_no_router_answers_the_command_fails_and_says_what_helps() -> None:
    result = CliRunner().invoke(top, ["--url", "http://127.0.0.1:1"])
    assert result.exit_code == 1
    assert "no router answers" in result.output


def test_an_address_that_was_given_is_believed_as_the_system_does() -> None:
    assert trust_of("https://x", False) is True
    assert trust_of(None, False) is False
