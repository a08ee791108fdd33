from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.world.sweep import Scenario, cancellation_sweep


def counting(*, leaky: bool) -> tuple[object, list[int]]:
    """Return a scenario that takes a permit over three waits, and the permits that are out after each run."""
    left: list[int] = []

    @asynccontextmanager
    async def scenario() -> AsyncIterator[Scenario]:
        out = 0

        async def act() -> None:
            nonlocal out
            out += 1
            if leaky:
                await trio.sleep(1)
                out -= 1
                return
            try:
                for _ in range(3):
                    await trio.sleep(1)
            finally:
                out -= 1

        async def check() -> None:
            left.append(out)
            assert out == 0

        yield Scenario(act, check)

    return scenario, left


def test_the_sweep_cancels_at_every_step_and_on_both_sides_of_it() -> None:
    scenario, left = counting(leaky=False)
    steps = cancellation_sweep(scenario)  # type: ignore[arg-type]
    assert steps == 4
    assert left == [0] * (1 + 2 * steps)


def test_the_sweep_finds_a_permit_that_one_cancellation_loses() -> None:
    scenario, left = counting(leaky=True)
    with pytest.raises(AssertionError):
        cancellation_sweep(scenario)  # type: ignore[arg-type]
    assert left[-1] == 1
