"""A provider on a loopback port, for the tests of those that measure."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from ucr.stress.real.upstream import Mood, Upstream, upstreams


@asynccontextmanager
async def provided(**mood: Any) -> AsyncIterator[Upstream]:
    with trio.fail_after(10):
        async with upstreams("alpha") as (alpha,):
            alpha.mood = Mood(**mood)
            yield alpha
