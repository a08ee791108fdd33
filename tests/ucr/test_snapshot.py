from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors import Measured, Tally
from tests.ucr.test_tree import CONFIG, Lines
from ucr.observe.gaps import Gaps
from ucr.snapshot import Viewer, rss_bytes
from ucr.stress.network import MemoryNetwork
from ucr.tree import open_tree
from ucr.views import RequestCount

UNKNOWN: Any = object()
ONE = Measured(Tally((("calls", ()),)), (1,))


def nothing_to_tell() -> None:
    pass


def requests() -> RequestCount:
    return RequestCount(started=5, open=1, generation=2, state="draining")


async def test_a_view_holds_what_everybody_says_of_themselves(autojump_clock: MockClock) -> None:
    async with open_tree(CONFIG, MemoryNetwork(), Lines().log) as tree:
        tree.metrics.ref.offer(ONE)
        with await tree.children["one"].admit("r1", deadline=trio.current_time() + 1):
            view = await Viewer(tree, "4", requests, Gaps(), nothing_to_tell).take()
    assert (view.worker, view.generation, view.state, view.open_requests) == ("4", 2, "draining", 1)
    assert [child.name for child in view.children][:2] == ["ucr:metrics", "ucr:cache"]
    assert view.providers["one"]["in_flight"] == 1
    assert view.providers["one"]["pool"]["open"] == 0
    assert view.cache is not None
    assert view.metrics.total("calls") == 1
    assert view.metrics.total("ucr_exchanges_started_total") == 5
    assert view.metrics.total("ucr_leases_granted_total", provider="one") == 1


async def test_a_metrics_actor_that_has_given_up_hides_no_total(autojump_clock: MockClock) -> None:
    async with open_tree(CONFIG, MemoryNetwork(), Lines().log) as tree:
        tree.metrics.ref.offer(ONE)
        for _ in range(6):
            tree.metrics.ref.tell(UNKNOWN)
        await trio.sleep(10)
        view = await Viewer(tree, "0", requests, Gaps(), nothing_to_tell).take()
    assert view.children[0].state == "given_up"
    assert view.metrics.total("calls") == 1


async def test_the_memory_of_this_process_is_known() -> None:
    assert rss_bytes() > 1_000_000


@pytest.mark.parametrize("broken", [0, 1])
async def test_no_total_falls_between_two_views(broken: int, autojump_clock: MockClock) -> None:
    async with open_tree(CONFIG, MemoryNetwork(), Lines().log) as tree:
        viewer = Viewer(tree, "0", requests, Gaps(), nothing_to_tell)
        with await tree.children["one"].admit("r1", deadline=trio.current_time() + 1):
            pass
        before = await viewer.take()
        for _ in range(broken):
            tree.children["one"].ref.tell(UNKNOWN)
        await trio.sleep(5)
        after = await viewer.take()
    for counter in before.metrics.counters:
        labels = dict(counter.labels)
        assert after.metrics.total(counter.name, **labels) >= counter.value
