import trio
from trio.testing import MockClock

from ucr.messages import Lines, Listening, Tune
from ucr.observe.feed import LEASE_S
from ucr.observe.hub import Hub
from ucr.outlet import Write


class Worker:
    def __init__(self) -> None:
        self.heard: list[Tune | Lines] = []

    def pass_on(self, message: Tune | Lines) -> None:
        self.heard.append(message)


class Parent:
    """A hub among three workers, and the parent's log."""

    def __init__(self) -> None:
        self.workers = [Worker(), Worker(), Worker()]
        self.hear: Write | None = None
        self.hub = Hub(lambda: self.workers, self.overhear)

    def overhear(self, hear: Write | None) -> None:
        self.hear = hear


LINES = Lines(('{"event":"x"}',))


async def test_the_others_are_asked_to_pass_on_what_they_log(autojump_clock: MockClock) -> None:
    parent = Parent()
    one, two, three = parent.workers
    parent.hub.hear(one, Listening())
    assert (one.heard, two.heard, three.heard) == ([], [Tune()], [Tune()])


async def test_what_a_worker_logs_reaches_those_alone_who_listen_elsewhere(autojump_clock: MockClock) -> None:
    parent = Parent()
    one, two, three = parent.workers
    for worker in (one, two):
        parent.hub.hear(worker, Listening())
    parent.hub.hear(one, LINES)
    assert LINES not in one.heard
    assert LINES in two.heard
    assert LINES not in three.heard


async def test_what_the_parent_logs_reaches_all_who_listen(autojump_clock: MockClock) -> None:
    parent = Parent()
    assert parent.hear is None
    parent.hub.hear(parent.workers[0], Listening())
    assert parent.hear is not None
    parent.hear(b'{"event":"worker.replaced"}\n')
    assert parent.workers[0].heard == [Lines(('{"event":"worker.replaced"}',))]


async def test_who_says_no_more_that_he_listens_hears_no_more(autojump_clock: MockClock) -> None:
    parent = Parent()
    parent.hub.hear(parent.workers[0], Listening())
    await trio.sleep(LEASE_S + 1)
    parent.hub.hear(parent.workers[1], LINES)
    assert parent.workers[0].heard == []
    assert parent.hear is None
    assert repr(parent.hub) == "<Hub of 0 workers with listeners>"


async def test_a_worker_that_is_gone_is_forgotten(autojump_clock: MockClock) -> None:
    parent = Parent()
    gone = parent.workers[0]
    parent.hub.hear(gone, Listening())
    parent.workers.remove(gone)
    parent.hub.hear(parent.workers[0], LINES)
    assert gone.heard == []
    assert repr(parent.hub) == "<Hub of 0 workers with listeners>"
