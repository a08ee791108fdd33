"""`ucr-trio top`: the running router as it works, on a page that follows it, or as plain lines."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import trio

from ucr.asking import Trust, Unanswered, default_url
from ucr.observe.board import Board
from ucr.observe.top_drawing import page, plain_line

if TYPE_CHECKING:
    from ucr.observe.terminal import Terminal

FAILED = 1
AGAIN_S = 1.0
FRAME_S = 0.1
"""The page is drawn anew as often at the most: a busy router has hundreds of messages a second."""

Take = Callable[[dict[str, Any]], None]
Follow = Callable[[Take], Awaitable[None]]
"""Gives messages until the connection ends; raises `Unanswered`."""


@click.command()
@click.option("--url", help="Where the router listens; by default where its configuration says.")
@click.option("--key", envvar="UCR_ADMIN_KEY", help="The admin key, where one is configured.")
@click.option("--plain", is_flag=True, help="Print lines; so it is where there is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print the messages of the live feed as they are.")
@click.option("--samples", type=click.IntRange(1), help="End after so many statistics; there is one a second.")
@click.option("--config", metavar="FILE", help="The configuration; see docs/configuration.md.")
def top(
    url: str | None, key: str | None, plain: bool, as_json: bool, samples: int | None, config: str | None
) -> None:
    """Show requests, times, providers and the cache of the running router, as it works."""
    from ucr.observe.following import follow
    from ucr.observe.terminal import of_this_process

    try:
        found_url, trust = default_url(config, os.environ)
        shown_url, trusted = url or found_url, trust_of(url, trust)
        following = partial(follow, shown_url, key, trusted)
        terminal = None if plain or as_json or samples else of_this_process()
        if terminal is None:
            trio.run(print_lines, following, json.dumps if as_json else plain_line, samples)
        else:
            trio.run(show, terminal, following, shown_url, "NO_COLOR" not in os.environ)
    except Unanswered as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        return


def trust_of(url: str | None, found: Trust) -> Trust:
    """Return whom to believe: who gives an address himself believes what the system does."""
    return True if url else found


async def print_lines(follow: Follow, line_of: Callable[[Any], str], samples: int | None) -> None:
    """Print each message as a line, until there were so many statistics, or the router has gone.

    Raise `BrokenPipeError` when the reader of the lines has gone.
    """
    left = samples
    lost: BrokenPipeError | None = None
    with trio.CancelScope() as scope:

        def take(message: dict[str, Any]) -> None:
            nonlocal left, lost
            try:
                click.echo(line_of(message))
            except BrokenPipeError as error:  # it must not be taken for the router's connection
                lost = error
                scope.cancel(reason="nobody reads the lines")
            if left is not None and message.get("event") == "statistics":
                left -= 1
                if left == 0:
                    scope.cancel(reason="there were enough")

        await follow(take)
        raise Unanswered("the router has ended the connection")
    if lost is not None:
        raise lost


async def show(terminal: "Terminal", follow: Follow, url: str, coloured: bool) -> None:
    """Show the page until a key ends it. The first connection must work; a lost one is sought again."""
    board, news, refused = Board(), _News(), list[Unanswered]()
    async with trio.open_nursery() as nursery:

        def take(message: dict[str, Any]) -> None:
            board.take(message)
            news.set()

        async def keep_following() -> None:
            is_first = True
            while True:
                try:
                    await follow(take)
                    board.trouble = "the connection has ended; connecting again"
                except Unanswered as error:
                    if is_first:
                        refused.append(error)
                        nursery.cancel_scope.cancel(reason="no router answers")
                    board.trouble = str(error)
                is_first = False
                news.set()
                await trio.sleep(AGAIN_S)

        async def draw() -> None:
            while True:
                width, height = terminal.size()
                terminal.draw(page(board, url, width, height, coloured))
                await news.wait()
                await trio.sleep(FRAME_S)

        with terminal.taken():
            nursery.start_soon(keep_following)
            nursery.start_soon(draw)
            while all(board.press(key) for key in await terminal.keys()):
                news.set()
            nursery.cancel_scope.cancel(reason="a key has ended it")
    if refused:
        raise refused[0]


class _News:
    """Says that there is something to draw."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()
        self._event = trio.Event()
