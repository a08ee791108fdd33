from functools import partial

import pytest
import trio
from trio.testing import MockClock

from actors.branch import Branch
from actors.errors import ChildGaveUp
from actors.restarts import Intensity
from actors.supervisor import Supervisor, open_supervisor
from tests.actors.test_supervisor import Diary, SlowChild, echo_child
from tests.world.echo import Crash, Say

SOON = Intensity(max_crashes=0)


async def test_a_branch_that_ends_with_its_child_starts_again_with_new_children(
    autojump_clock: MockClock,
) -> None:
    echoes = []

    async def start_children(supervisor: Supervisor) -> None:
        echoes.append(await supervisor.start(echo_child(essential=True)))

    async with open_supervisor(rng=lambda: 1.0) as root:
        await root.start(Branch("below", partial(open_supervisor, intensity=SOON), start_children))
        await trio.sleep(0.01)
        echoes[0].ref.tell(Crash())
        await trio.sleep(1)
        assert await echoes[1].ref.ask(Say("hello")) == "hello from 1"
        (branch,) = root.statistics()
        assert (branch.name, branch.state, branch.crashes, branch.mailbox) == ("below", "running", 1, None)
        assert [child.name for child in branch.children] == ["echo"]


async def test_a_branch_is_drained_in_the_order_of_its_children(autojump_clock: MockClock) -> None:
    diary = Diary()

    async def start_children(supervisor: Supervisor) -> None:
        await supervisor.start(SlowChild("a", diary))
        await supervisor.start(SlowChild("b", diary, drain_s=5))

    async with open_supervisor() as root:
        branch = await root.start(Branch("below", open_supervisor, start_children))
        await trio.sleep(0.01)
        assert repr(branch) == "<Branch 'below' <Supervisor of a, b>>"
    stopped = ["drains", "drained", "ended", "closed"]
    assert diary.lines == [f"b {word}" for word in stopped] + [f"a {word}" for word in stopped]


async def test_a_branch_that_gives_up_shows_no_children(autojump_clock: MockClock) -> None:
    async def start_children(_supervisor: Supervisor) -> None:
        raise ValueError("cannot start")

    with pytest.raises(ChildGaveUp, match="below"):
        async with open_supervisor(intensity=SOON) as root:
            branch = Branch("below", open_supervisor, start_children, essential=True)
            await root.start(branch)
            await trio.sleep_forever()
    assert branch.inside() == ()
