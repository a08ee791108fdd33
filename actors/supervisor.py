"""A supervisor: it starts children, starts them again when they crash, and stops them in reverse order.

The strategy is one_for_one: a crash concerns nobody but the child that crashed. A child that crashes too often
gives up, alone, unless it is essential: then the supervisor ends with `ChildGaveUp`.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import trio

from actors.errors import ActorStopped, ChildGaveUp
from actors.restarts import CrashHistory, Intensity

DEFAULT_INTENSITY = Intensity()

EventName = Literal["actor.crashed", "actor.restarted", "actor.gave_up"]


@dataclass(frozen=True, slots=True)
class SupervisionEvent:
    """A change in the life of a child. `error` is None when it returned although it should not have.

    `delay_s` is the back-off that follows a crash.
    """

    name: EventName
    child: str
    error: BaseException | None = None
    delay_s: float = 0.0


class Child(Protocol):
    """What a supervisor runs. Its own scope, and what must survive a crash, is the child object itself."""

    essential: bool

    @property
    def name(self) -> str:
        """The name that events and statistics use; unique within the supervisor."""
        ...

    async def run(self) -> None:
        """Run one incarnation, for ever."""
        ...

    def crashed(self, error: BaseException | None) -> None:
        """Clear up after an incarnation that ended by itself."""
        ...

    def gave_up(self) -> None:
        """Answer everybody that there will be no further incarnation."""
        ...

    async def drain(self) -> None:
        """Take nothing new and return when the last open work is done; the incarnation still runs."""
        ...

    async def aclose(self) -> None:
        """Let go of everything; the last incarnation has ended. Must not wait for anybody."""
        ...


AnyChild = TypeVar("AnyChild", bound=Child)


@dataclass(slots=True)
class _Running:
    child: Child
    scope: trio.CancelScope
    ended: trio.Event
    crashes: int = 0
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class ChildStatistics:
    name: str
    crashes: int
    given_up: bool


class Supervisor:
    """The children of one `open_supervisor`, in the order in which they were started."""

    def __init__(
        self,
        nursery: trio.Nursery,
        *,
        grace_s: float,
        intensity: Intensity,
        rng: Callable[[], float],
        on_event: Callable[[SupervisionEvent], None],
    ) -> None:
        # The nursery is that of `open_supervisor`: the children live exactly as long as its block.
        self._nursery = nursery
        self._grace_s = grace_s
        self._intensity = intensity
        self._rng = rng
        self._report = on_event
        self._running: dict[str, _Running] = {}
        self.failure: ChildGaveUp | None = None

    def __repr__(self) -> str:
        return f"<Supervisor of {', '.join(self._running) or 'nobody'}>"

    def statistics(self) -> tuple[ChildStatistics, ...]:
        return tuple(
            ChildStatistics(name, running.crashes, running.given_up) for name, running in self._running.items()
        )

    async def start(self, child: AnyChild) -> AnyChild:
        """Start a child and return it, when its first incarnation is about to run."""
        if child.name in self._running:
            raise ValueError(f"a child named {child.name!r} is running already")
        running = _Running(child, trio.CancelScope(), trio.Event())
        self._running[child.name] = running
        await self._nursery.start(self._supervise, running)
        return child

    async def stop(self, name: str) -> None:
        """Stop a child: let it drain for the grace time, end its loop, close it.

        Being cancelled cuts the grace short; the child is closed all the same.
        """
        running = self._running.get(name)
        if running is None:
            raise ActorStopped(f"no child named {name!r} is running")
        try:
            with trio.move_on_after(self._grace_s):
                await running.child.drain()
        finally:
            # Nothing below waits for anybody: the loop has only to be told, and closing never blocks.
            with trio.CancelScope(shield=True):
                running.scope.cancel(reason=f"{name} is being stopped")
                await running.ended.wait()
                await running.child.aclose()
            self._running.pop(name, None)

    async def stop_all(self) -> None:
        """Stop every child, the last one started first; one that cannot be drained holds up no other."""
        async with AsyncExitStack() as stack:
            for name in self._running:
                stack.push_async_callback(self.stop, name)

    async def _supervise(self, running: _Running, task_status: trio.TaskStatus[None]) -> None:
        history = CrashHistory(self._intensity)
        try:
            with running.scope:
                task_status.started()
                while True:
                    error = await _incarnation(running.child)
                    running.crashes += 1
                    running.child.crashed(error)
                    delay_s = history.crashed(trio.current_time(), self._rng())
                    if delay_s is None:
                        self._give_up(running, error)
                        return
                    self._report(SupervisionEvent("actor.crashed", running.child.name, error, delay_s))
                    await trio.sleep(delay_s)
                    self._report(SupervisionEvent("actor.restarted", running.child.name))
        finally:
            running.ended.set()

    def _give_up(self, running: _Running, error: BaseException | None) -> None:
        running.given_up = True
        running.child.gave_up()
        self._report(SupervisionEvent("actor.gave_up", running.child.name, error))
        if running.child.essential:
            self.failure = ChildGaveUp(f"{running.child.name}: crashed too often, and nothing works without it")
            self.failure.__cause__ = error
            self._nursery.cancel_scope.cancel(reason=str(self.failure))


async def _incarnation(child: Child) -> BaseException | None:
    """Run a child once, and return what it died of; being cancelled is no death."""
    try:
        await child.run()
    except Exception as error:  # noqa: BLE001  the edge at which a bug of an actor stops
        return error
    return None


def _ignore(_event: SupervisionEvent) -> None:
    pass


@asynccontextmanager
async def open_supervisor(
    *,
    grace_s: float = 30.0,
    intensity: Intensity = DEFAULT_INTENSITY,
    rng: Callable[[], float] = random.random,
    on_event: Callable[[SupervisionEvent], None] = _ignore,
) -> AsyncIterator[Supervisor]:
    """Open a supervisor; leaving the block stops its children in reverse order, each within `grace_s`.

    Raises `ChildGaveUp` if an essential child gave up: the block is cancelled then. An error of the block comes
    out in an exception group, as from any nursery. `on_event` must not raise.
    """
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        supervisor = Supervisor(nursery, grace_s=grace_s, intensity=intensity, rng=rng, on_event=on_event)
        stack.push_async_callback(supervisor.stop_all)
        yield supervisor
    if supervisor.failure is not None:
        raise supervisor.failure
