"""Silences of clients: how long they may be, and that they cost one timer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from actors import Timers
from ucr.lane.line import Line
from ucr.lane.quiet import Quiet
from ucr.stress.network import stream_pair


@asynccontextmanager
async def quiet() -> AsyncIterator[tuple[Line, Quiet, Timers]]:
    """Give a line that is watched for silence."""
    server, _client = stream_pair()
    line, timers = Line(server, 30.0), Timers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        with Quiet(line, timers) as watched:
            yield line, watched, timers
        assert repr(timers) == "<Timers: 0 set>"
        nursery.cancel_scope.cancel(reason="the test has ended")


async def test_a_silence_that_is_too_long_ends_the_connection(autojump_clock: MockClock) -> None:
    async with quiet() as (line, watched, _):
        watched.begin(10)
        line.is_idle = True
        with line.scope:
            await trio.sleep_forever()
        assert line.is_timed_out
        assert trio.current_time() == 10


async def test_a_silence_that_ended_in_time_does_not(autojump_clock: MockClock) -> None:
    async with quiet() as (line, watched, timers):
        for _ in range(20):
            watched.begin(10)
            line.is_idle = True
            await trio.sleep(9)
            line.is_idle = False
            await trio.sleep(9)
        assert not line.scope.cancel_called
        assert repr(timers) in ("<Timers: 0 set>", "<Timers: 1 set>")


@pytest.mark.parametrize(("before", "patience"), [(50.0, 3.0), (3.0, 50.0)])
async def test_the_last_patience_counts_be_it_shorter_or_longer(
    before: float, patience: float, autojump_clock: MockClock
) -> None:
    async with quiet() as (line, watched, _):
        watched.begin(before)
        line.is_idle = True
        await trio.sleep(1)
        line.is_idle = False
        watched.begin(patience)
        line.is_idle = True
        with line.scope:
            await trio.sleep_forever()
        assert line.is_timed_out
        assert trio.current_time() == 1 + patience


async def test_what_is_not_begun_may_last(autojump_clock: MockClock) -> None:
    async with quiet() as (line, watched, _):
        watched.begin(5)
        line.is_idle = True
        line.is_idle = False
        await trio.sleep(1000)
        assert not line.scope.cancel_called
