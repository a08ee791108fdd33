"""The cancellation sweep: a scenario is cancelled at every one of its steps in turn, and must leave nothing.

The scenario runs once while an instrument counts the steps of its task, and of the tasks that it starts. Then it
runs again for every step k, twice: cancelled just before the step (the task has been woken and finds out later)
and just after it (the task waits, and is woken by the cancellation).

To make the runs alike, Trio's scheduler is made deterministic: see `ucr.stress.scheduling`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal

import trio
from trio.testing import wait_all_tasks_blocked

from ucr.stress.clock import run_jumping
from ucr.stress.scheduling import deterministic_scheduling

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`act` is what gets cancelled; `check` asserts, when everything has come to rest, that nothing is left."""

    act: Callable[[], Awaitable[None]]
    check: Callable[[], Awaitable[None]]


MakeScenario = Callable[[], AbstractAsyncContextManager[Scenario]]
ScenarioIterator = AsyncIterator[Scenario]


def cancellation_sweep(make_scenario: MakeScenario) -> int:
    """Sweep over all steps of `act`; return how many there are."""
    steps = _run_once(make_scenario, None, "after")
    for step in range(1, steps + 1):
        _run_once(make_scenario, step, "before")
        _run_once(make_scenario, step, "after")
    return steps


class _Stepper(trio.abc.Instrument):
    """Counts the steps of one task and of those below it, and cancels its scope at one of them."""

    def __init__(self, cancel_at: int | None, when: When) -> None:
        self.task: trio.lowlevel.Task | None = None
        self.scope = trio.CancelScope()
        self.steps = 0
        self._cancel_at = cancel_at
        self._when = when

    def begin(self) -> None:
        """Take the running task for the one to count; this is its first step."""
        self.task = trio.lowlevel.current_task()
        self.steps = 1
        self._maybe_cancel("before")

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._is_below(task):
            self.steps += 1
            self._maybe_cancel("before")

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._is_below(task):
            self._maybe_cancel("after")

    def _is_below(self, task: trio.lowlevel.Task | None) -> bool:
        while self.task is not None and task is not None:
            if task is self.task:
                return True
            task = None if task.parent_nursery is None else task.parent_nursery.parent_task
        return False

    def _maybe_cancel(self, when: When) -> None:
        if self.steps == self._cancel_at and when == self._when:
            self.scope.cancel(reason=f"the sweep cancels {when} step {self.steps}")


def _run_once(make_scenario: MakeScenario, cancel_at: int | None, when: When) -> int:
    stepper = _Stepper(cancel_at, when)

    async def main() -> None:
        async with make_scenario() as scenario:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_act, scenario, stepper)
            await wait_all_tasks_blocked()
            await scenario.check()

    with deterministic_scheduling():
        run_jumping(main, [stepper])
    return stepper.steps


async def _act(scenario: Scenario, stepper: _Stepper) -> None:
    with stepper.scope:
        stepper.begin()
        await scenario.act()
    stepper.task = None
