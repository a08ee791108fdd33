from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.actor import ActorChild
from actors.errors import ActorCrashed, ActorStopped, ChildGaveUp
from actors.mailbox import Mailbox, Reply
from actors.restarts import Intensity
from actors.supervisor import Restart, Strategy, SupervisionEvent, open_supervisor, received
from tests.world.echo import Crash, Echo, EchoMessage, Say


class Diary:
    """What supervisors reported and children did, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def event(self, event: SupervisionEvent) -> None:
        self.lines.append(f"{event.name} {event.child}")


class SlowChild:
    """A child that writes down what happens to it, and takes its time to drain."""

    def __init__(self, name: str, diary: Diary, drain_s: float = 0.0) -> None:
        self.name = name
        self.essential = False
        self.restart: Restart = "permanent"
        self._diary = diary
        self._drain_s = drain_s

    async def run(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self._diary.lines.append(f"{self.name} ended")

    def crashed(self, error: BaseException | None) -> None:
        self._diary.lines.append(f"{self.name} crashed")

    def gave_up(self) -> None:
        self._diary.lines.append(f"{self.name} gave up")

    async def drain(self) -> None:
        self._diary.lines.append(f"{self.name} drains")
        await trio.sleep(self._drain_s)
        self._diary.lines.append(f"{self.name} drained")

    async def aclose(self) -> None:
        self._diary.lines.append(f"{self.name} closed")

    def inside(self) -> None:
        return None


class Fragile(SlowChild):
    """A child whose every incarnation ends at once."""

    def __init__(self, name: str, diary: Diary, end: Callable[[], None]) -> None:
        super().__init__(name, diary)
        self._end = end

    async def run(self) -> None:
        self._end()


def echo_child(*, capacity: int = 9, essential: bool = False) -> ActorChild[EchoMessage]:
    incarnations = iter(range(1, 99))
    mailbox: Mailbox[EchoMessage] = Mailbox("echo", capacity=capacity)
    return ActorChild(mailbox, lambda: Echo(next(incarnations)), essential=essential)


async def test_a_crashed_actor_answers_again_after_a_back_off(autojump_clock: MockClock) -> None:
    diary = Diary()
    async with open_supervisor(rng=lambda: 1.0, on_event=diary.event) as supervisor:
        echo = await supervisor.start(echo_child())
        assert await echo.ref.ask(Say("a")) == "a from 1"
        with pytest.raises(ActorCrashed) as caught:
            await echo.ref.ask(Crash())
        crashed_at = trio.current_time()
        assert isinstance(caught.value.__cause__, ValueError)
        assert await echo.ref.ask(Say("b")) == "b from 2"
        assert trio.current_time() - crashed_at == pytest.approx(0.1)
        (seen,) = supervisor.statistics()
        assert (seen.name, seen.state, seen.crashes, seen.restarts) == ("echo", "running", 1, 1)
        assert seen.mailbox is not None
        assert (seen.mailbox.asked, seen.mailbox.answered, seen.mailbox.failed) == (3, 2, 1)
    assert diary.lines == ["actor.crashed echo", "actor.restarted echo"]


async def test_a_child_that_crashes_too_often_gives_up_alone(autojump_clock: MockClock) -> None:
    diary = Diary()
    async with open_supervisor(on_event=diary.event) as supervisor:
        echo = await supervisor.start(echo_child())
        other = await supervisor.start(SlowChild("other", diary))
        for _ in range(6):
            with pytest.raises(ActorCrashed):
                await echo.ref.ask(Crash())
        with pytest.raises(ActorStopped, match="echo: has stopped"):
            await echo.ref.ask(Say("anybody?"))
        assert [child.given_up for child in supervisor.statistics()] == [True, False]
        assert repr(supervisor) == "<Supervisor of echo, other>"
    assert other.name == "other"
    assert diary.lines.count("actor.crashed echo") == 5
    assert diary.lines.count("actor.gave_up echo") == 1


async def test_the_supervisor_ends_with_an_essential_child(autojump_clock: MockClock) -> None:
    diary = Diary()
    with pytest.raises(ChildGaveUp, match="echo: crashed too often") as caught:
        async with open_supervisor(on_event=diary.event) as supervisor:
            await supervisor.start(SlowChild("first", diary))
            echo = await supervisor.start(echo_child(essential=True))
            for _ in range(6):
                echo.ref.tell(Crash())
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ValueError)
    assert diary.lines[-1] == "first closed"


async def test_a_child_that_returns_is_started_again_like_one_that_crashed(autojump_clock: MockClock) -> None:
    diary = Diary()
    events: list[SupervisionEvent] = []
    async with open_supervisor(on_event=events.append, rng=lambda: 1.0) as supervisor:
        await supervisor.start(Fragile("short", diary, lambda: None))
        await trio.sleep(0.15)
    assert events[0] == SupervisionEvent("actor.crashed", "short", None, 0.1)
    assert events[1] == SupervisionEvent("actor.restarted", "short")
    assert diary.lines[:2] == ["short crashed", "short crashed"]


async def test_children_stop_in_reverse_order_each_drained_before_it_ends(autojump_clock: MockClock) -> None:
    diary = Diary()
    async with open_supervisor() as supervisor:
        await supervisor.start(SlowChild("a", diary))
        await supervisor.start(SlowChild("b", diary, drain_s=5))
    stopped = ["drains", "drained", "ended", "closed"]
    assert diary.lines == [f"b {word}" for word in stopped] + [f"a {word}" for word in stopped]


async def test_draining_is_cut_off_after_the_grace_time(autojump_clock: MockClock) -> None:
    diary = Diary()
    async with open_supervisor(grace_s=7) as supervisor:
        await supervisor.start(SlowChild("slow", diary, drain_s=1000))
        started_at = trio.current_time()
    assert trio.current_time() == started_at + 7
    assert diary.lines == ["slow drains", "slow ended", "slow closed"]


async def test_a_cancelled_supervisor_closes_every_child_without_draining(autojump_clock: MockClock) -> None:
    diary = Diary()
    with trio.move_on_after(1) as scope:
        async with open_supervisor() as supervisor:
            await supervisor.start(SlowChild("a", diary, drain_s=5))
            await supervisor.start(SlowChild("b", diary, drain_s=5))
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() == scope.deadline
    assert diary.lines.index("b closed") < diary.lines.index("a closed")
    assert "a drained" not in diary.lines


async def test_one_child_can_be_stopped_and_another_of_that_name_started() -> None:
    diary = Diary()
    async with open_supervisor() as supervisor:
        await supervisor.start(SlowChild("a", diary))
        with pytest.raises(ValueError, match="a child named 'a' is running already"):
            await supervisor.start(SlowChild("a", diary))
        await supervisor.stop("a")
        assert supervisor.statistics() == ()
        with pytest.raises(ActorStopped):
            await supervisor.stop("a")
        await supervisor.start(SlowChild("a", diary))
        await wait_all_tasks_blocked()
    assert diary.lines.count("a closed") == 2


async def test_a_child_is_stopped_in_the_middle_of_its_back_off(autojump_clock: MockClock) -> None:
    def fail() -> None:
        raise ValueError("at once")

    diary = Diary()
    async with open_supervisor(rng=lambda: 1.0) as supervisor:
        await supervisor.start(Fragile("short", diary, fail))
        await trio.sleep(0.05)
        started_at = trio.current_time()
    assert trio.current_time() == started_at
    assert diary.lines == ["short crashed", "short drains", "short drained", "short closed"]


class Coupled(SlowChild):
    """A child that tells of each start, and crashes when `crash` is called."""

    def __init__(self, name: str, diary: Diary, restart: Restart = "permanent") -> None:
        super().__init__(name, diary)
        self.restart = restart
        self._end = trio.Event()
        self._error: BaseException | None = None

    async def run(self) -> None:
        self._end, self._error = trio.Event(), None
        self._diary.lines.append(f"{self.name} began")
        await self._end.wait()
        if self._error is not None:
            raise self._error

    def end(self, error: BaseException | None = None) -> None:
        self._error = error
        self._end.set()


@pytest.mark.parametrize(
    ("strategy", "again"),
    [("one_for_one", ["b"]), ("rest_for_one", ["b", "c"]), ("one_for_all", ["a", "b", "c"])],
)
async def test_who_starts_again_with_a_crashed_child_is_the_strategys_choice(
    strategy: Strategy, again: list[str], autojump_clock: MockClock
) -> None:
    diary = Diary()
    async with open_supervisor(strategy=strategy, rng=lambda: 1.0) as supervisor:
        children = {name: await supervisor.start(Coupled(name, diary)) for name in "abc"}
        await wait_all_tasks_blocked()
        diary.lines.clear()
        children["b"].end(ValueError("a bug"))
        await trio.sleep(0.05)
        states = {child.name: child.state for child in supervisor.statistics()}
        assert states == {name: "backing_off" if name in again else "running" for name in "abc"}
        assert sorted(diary.lines) == [f"{name} crashed" for name in again]
        await trio.sleep(0.06)
        assert [line for line in diary.lines if "began" in line] == [f"{name} began" for name in again]
        seen = [(child.name, child.crashes, child.restarts) for child in supervisor.statistics()]
        assert seen == [(name, int(name == "b"), int(name in again)) for name in "abc"]


async def test_children_that_crash_together_all_come_back_in_their_order(autojump_clock: MockClock) -> None:
    diary = Diary()
    async with open_supervisor(strategy="one_for_all") as supervisor:
        children = [await supervisor.start(Coupled(name, diary)) for name in "abcd"]
        await wait_all_tasks_blocked()
        diary.lines.clear()
        children[1].end(ValueError("a bug"))
        children[2].end(ValueError("another bug"))
        await trio.sleep(1)
        assert [child.state for child in supervisor.statistics()] == ["running"] * 4
        began = [line for line in diary.lines if "began" in line]
        assert set(began) == {f"{name} began" for name in "abcd"}
        assert began.index("c began") < began.index("d began")


async def test_children_that_need_one_another_give_up_together(autojump_clock: MockClock) -> None:
    diary = Diary()

    def fail() -> None:
        raise ValueError("at once")

    with pytest.raises(ChildGaveUp, match="bad: crashed too often"):
        async with open_supervisor(strategy="rest_for_one") as supervisor:
            await supervisor.start(SlowChild("good", diary))
            await supervisor.start(Fragile("bad", diary, fail))
            await trio.sleep_forever()
    assert diary.lines[-1] == "good closed"


@pytest.mark.parametrize(
    ("restart", "error", "lines", "stays"),
    [
        ("permanent", None, ["a began", "a crashed", "a began"], True),
        ("transient", None, ["a began", "a closed"], False),
        ("transient", ValueError("a bug"), ["a began", "a crashed", "a began"], True),
        ("temporary", None, ["a began", "a closed"], False),
        ("temporary", ValueError("a bug"), ["a began", "a crashed", "a closed"], False),
    ],
)
async def test_whether_a_child_starts_again_depends_on_its_kind_and_on_its_end(
    restart: Restart, error: BaseException | None, lines: list[str], stays: bool, autojump_clock: MockClock
) -> None:
    diary, events = Diary(), Diary()
    async with open_supervisor(on_event=events.event) as supervisor:
        child = await supervisor.start(Coupled("a", diary, restart))
        await wait_all_tasks_blocked()
        child.end(error)
        await trio.sleep(1)
        assert diary.lines == lines
        assert len(supervisor.statistics()) == int(stays)
        assert events.lines[-1] == ("actor.restarted a" if stays else "actor.ended a")
        if not stays:
            await supervisor.start(Coupled("a", diary, restart))


async def test_a_child_that_ends_while_it_is_being_stopped_is_closed_once(autojump_clock: MockClock) -> None:
    diary = Diary()
    async with open_supervisor() as supervisor:
        child = Coupled("a", diary, "transient")

        async def drain() -> None:
            child.end()

        child.drain = drain  # type: ignore[method-assign]
        await supervisor.start(child)
        await wait_all_tasks_blocked()
    assert diary.lines == ["a began", "a closed"]


async def test_a_child_may_have_an_intensity_of_its_own(autojump_clock: MockClock) -> None:
    diary = Diary()
    tireless = Intensity(max_delay_s=1.0, gives_up=False)
    async with open_supervisor(rng=lambda: 1.0) as supervisor:
        await supervisor.start(Fragile("short", diary, lambda: None), intensity=tireless)
        await trio.sleep(60)
        (seen,) = supervisor.statistics()
        assert seen.state == "backing_off"
        assert 55 < seen.crashes < 70


def test_what_an_actor_dies_of_in_the_task_of_a_sender_is_returned() -> None:
    seen: list[str] = []
    nobody: Reply[Any] = Reply(lambda _: None)

    def fail(message: str, reply: Reply[Any]) -> None:
        raise ValueError(message)

    assert received(lambda message, _: seen.append(message), "hello", nobody) is None
    assert seen == ["hello"]
    assert isinstance(received(fail, "a bug", nobody), ValueError)
