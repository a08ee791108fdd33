"""A supervisor: it starts children, starts them again when they crash, and stops them in reverse order.

How this works. Every child has a task that runs one incarnation after another, with a back-off after each
crash. The strategies are OTP's. In `one_for_one` a crash concerns nobody but the child that crashed. In
`one_for_all` every other child is interrupted and starts again with it; in `rest_for_one` those that were
started after it. Whoever is interrupted waits until the back-off of the one that crashed is over, and then for
its elders: children start again in the order in which they were first started.

A child that crashes too often gives up. In `one_for_one` it does so alone, unless it is essential; in the
other strategies its siblings are nothing without it, and the supervisor ends with `ChildGaveUp`. A supervisor
can be a child of another one, as a `Branch`.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import trio

from actors.errors import ActorStopped, ChildGaveUp
from actors.mailbox import MailboxStatistics, Reply
from actors.restarts import CrashHistory, Intensity

Message = TypeVar("Message")
DEFAULT_INTENSITY = Intensity()

EventName = Literal["actor.crashed", "actor.restarted", "actor.gave_up", "actor.ended"]
Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
Restart = Literal["permanent", "transient", "temporary"]
ChildState = Literal["starting", "running", "backing_off", "given_up", "stopping"]


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
    """What a supervisor runs. Its own scope, and what must survive a crash, is the child object itself.

    A `permanent` child is always started again, a `transient` one after a crash but not after it returned, a
    `temporary` one never. Whoever is not started again is closed and leaves the supervisor.
    """

    essential: bool
    restart: Restart

    @property
    def name(self) -> str:
        """The name that events and statistics use; unique within the supervisor."""
        ...

    async def run(self) -> None:
        """Run one incarnation, for ever."""
        ...

    def crashed(self, error: BaseException | None) -> None:
        """Clear up after an incarnation that ended by itself, or with the sibling that raised `error`."""
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

    def inside(self) -> "Inside":
        """Return what there is to see in it: an actor's mailbox, a supervisor's children, or nothing."""
        ...


AnyChild = TypeVar("AnyChild", bound=Child)


@dataclass(frozen=True, slots=True)
class ChildStatistics:
    """`crashes` are its own; `restarts` counts every incarnation after the first, for whatever reason."""

    name: str
    state: ChildState
    crashes: int
    restarts: int
    restart: Restart = "permanent"
    essential: bool = False
    mailbox: MailboxStatistics | None = None
    children: tuple["ChildStatistics", ...] = ()

    @property
    def given_up(self) -> bool:
        return self.state == "given_up"


Inside = MailboxStatistics | tuple[ChildStatistics, ...] | None


@dataclass(slots=True, eq=False)
class _Running:
    """A child in its supervisor. `turn` is set while no sibling's crash holds it back."""

    child: Child
    history: CrashHistory
    state: ChildState = "starting"
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    incarnation: trio.CancelScope | None = None
    turn: trio.Event | None = None
    ended: trio.Event = field(default_factory=trio.Event)
    crashes: int = 0
    restarts: int = 0
    cause: BaseException | None = None

    def interrupt(self, turn: trio.Event, cause: BaseException | None) -> None:
        """End the present incarnation; the next one waits for `turn`."""
        if self.incarnation is not None:
            self.turn, self.cause = turn, cause
            self.incarnation.cancel(reason=f"{self.child.name} starts again with a sibling that crashed")

    def statistics(self) -> ChildStatistics:
        inside = self.child.inside()
        return ChildStatistics(
            self.child.name,
            self.state,
            self.crashes,
            self.restarts,
            self.child.restart,
            self.child.essential,
            inside if isinstance(inside, MailboxStatistics) else None,
            inside if isinstance(inside, tuple) else (),
        )


class Supervisor:
    """The children of one `open_supervisor`, in the order in which they were started."""

    def __init__(
        self,
        nursery: trio.Nursery,
        *,
        strategy: Strategy,
        grace_s: float,
        intensity: Intensity,
        rng: Callable[[], float],
        on_event: Callable[[SupervisionEvent], None],
    ) -> None:
        # The nursery is that of `open_supervisor`: the children live exactly as long as its block.
        self._nursery = nursery
        self._strategy = strategy
        self._grace_s = grace_s
        self._intensity = intensity
        self._rng = rng
        self._report = on_event
        self._running: dict[str, _Running] = {}
        self._changed = trio.Event()
        self.failure: ChildGaveUp | None = None

    def __repr__(self) -> str:
        return f"<Supervisor of {', '.join(self._running) or 'nobody'}>"

    def statistics(self) -> tuple[ChildStatistics, ...]:
        """Return one entry for each child, in the order of their start."""
        return tuple(running.statistics() for running in self._running.values())

    async def start(self, child: AnyChild, *, intensity: Intensity | None = None) -> AnyChild:
        """Start a child and return it, when its first incarnation is about to run."""
        if child.name in self._running:
            raise ValueError(f"a child named {child.name!r} is running already")
        running = _Running(child, CrashHistory(intensity or self._intensity))
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
        self._enter(running, "stopping")
        try:
            with trio.move_on_after(self._grace_s):
                await running.child.drain()
        finally:
            # Nothing below waits for anybody: the loop has only to be told, and closing never blocks.
            with trio.CancelScope(shield=True):
                running.scope.cancel(reason=f"{name} is being stopped")
                await running.ended.wait()
                await running.child.aclose()
            self._leave(running)

    async def stop_all(self) -> None:
        """Stop every child, the last one started first; one that cannot be drained holds up no other."""
        async with AsyncExitStack() as stack:
            for name in self._running:
                stack.push_async_callback(self._stop_if_there, name)

    async def _stop_if_there(self, name: str) -> None:
        if name in self._running:
            await self.stop(name)

    async def _supervise(self, running: _Running, task_status: trio.TaskStatus[None]) -> None:
        try:
            with running.scope:
                task_status.started()
                while await self._incarnate(running):
                    await self._wait_turn(running)
                    running.restarts += 1
                    self._report(SupervisionEvent("actor.restarted", running.child.name))
        finally:
            running.ended.set()

    async def _incarnate(self, running: _Running) -> bool:
        """Run one incarnation and what has to follow it at once; False: there is no next one."""
        if running.state != "stopping":
            self._enter(running, "running")
        with trio.CancelScope() as running.incarnation:
            error = await _incarnation(running.child)
        is_own = not running.incarnation.cancelled_caught
        running.incarnation = None
        if not is_own:
            self._enter_back_off(running)
            running.child.crashed(running.cause)
            return True
        return await self._after_end(running, error)

    async def _after_end(self, running: _Running, error: BaseException | None) -> bool:
        """Decide what follows an incarnation that ended by itself."""
        child = running.child
        if error is None and child.restart != "permanent":
            return await self._end(running)
        running.crashes += 1
        child.crashed(error)
        if child.restart == "temporary":
            self._report(SupervisionEvent("actor.crashed", child.name, error))
            return await self._end(running)
        delay_s = running.history.crashed(trio.current_time(), self._rng())
        if delay_s is None:
            self._give_up(running, error)
            return False
        self._enter_back_off(running)
        self._report(SupervisionEvent("actor.crashed", child.name, error, delay_s))
        await self._back_off(running, delay_s, error)
        return True

    async def _back_off(self, running: _Running, delay_s: float, error: BaseException | None) -> None:
        """Interrupt whoever depends on this child, and wait."""
        over = trio.Event()
        try:
            for sibling in reversed(tuple(self._dependents(running))):
                sibling.interrupt(over, error)
            await trio.sleep(delay_s)
        finally:
            over.set()

    def _dependents(self, running: _Running) -> Iterator[_Running]:
        if self._strategy == "one_for_one":
            return
        is_concerned = self._strategy == "one_for_all"
        for sibling in self._running.values():
            if sibling is running:
                is_concerned = True
            elif is_concerned:
                yield sibling

    async def _wait_turn(self, running: _Running) -> None:
        """Wait until no crash of a sibling holds this child back, and its elders run again."""
        if running.turn is not None:
            await running.turn.wait()
            running.turn = None
        while self._strategy != "one_for_one" and self._is_held_by_elders(running):
            await self._changed.wait()

    def _is_held_by_elders(self, running: _Running) -> bool:
        for sibling in self._running.values():
            if sibling is running:
                break
            if sibling.state == "backing_off":
                return True
        return False

    async def _end(self, running: _Running) -> bool:
        """Close a child that is not started again; one that is being stopped is closed by who stops it."""
        self._report(SupervisionEvent("actor.ended", running.child.name))
        if running.state != "stopping":
            with trio.CancelScope(shield=True):
                await running.child.aclose()
            self._leave(running)
        return False

    def _give_up(self, running: _Running, error: BaseException | None) -> None:
        self._enter(running, "given_up")
        running.child.gave_up()
        self._report(SupervisionEvent("actor.gave_up", running.child.name, error))
        if running.child.essential or self._strategy != "one_for_one":
            self.failure = ChildGaveUp(f"{running.child.name}: crashed too often, and nothing works without it")
            self.failure.__cause__ = error
            self._nursery.cancel_scope.cancel(reason=str(self.failure))

    def _enter_back_off(self, running: _Running) -> None:
        if running.state != "stopping":
            self._enter(running, "backing_off")

    def _enter(self, running: _Running, state: ChildState) -> None:
        running.state = state
        self._changed.set()
        self._changed = trio.Event()

    def _leave(self, running: _Running) -> None:
        self._running.pop(running.child.name, None)
        self._changed.set()
        self._changed = trio.Event()


async def _incarnation(child: Child) -> BaseException | None:
    """Run a child once, and return what it died of; being cancelled is no death."""
    try:
        await child.run()
    except Exception as error:  # noqa: BLE001  the edge at which a bug of an actor stops
        return error
    return None


def received(
    receive: Callable[[Message, Reply[Any]], None], message: Message, reply: Reply[Any]
) -> Exception | None:
    """Hand a message to an actor outside its own task, and return what it died of."""
    try:
        receive(message, reply)
    except Exception as error:  # noqa: BLE001  the same edge
        return error
    return None


def _ignore(_event: SupervisionEvent) -> None:
    pass


@asynccontextmanager
async def open_supervisor(
    *,
    strategy: Strategy = "one_for_one",
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
        supervisor = Supervisor(
            nursery, strategy=strategy, grace_s=grace_s, intensity=intensity, rng=rng, on_event=on_event
        )
        stack.push_async_callback(supervisor.stop_all)
        yield supervisor
    if supervisor.failure is not None:
        raise supervisor.failure
