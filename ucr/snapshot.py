"""Takes views of this worker: asks the metrics, reads the rest."""

import os
from collections.abc import Callable
from dataclasses import asdict, replace

import trio

from actors import ActorError, Count, MetricsSnapshot, Snapshot, Totals, merged
from ucr.cache_backing import numbers_of
from ucr.memory import rss_bytes
from ucr.observe.footprint import footprint
from ucr.observe.gaps import Gaps
from ucr.series import Ratchet, totals_of, without_number
from ucr.tree import Tree
from ucr.views import RequestCount, WorkerView, plain

METRICS_S = 0.25


class Viewer:
    """Whoever wants to see this worker asks it. It remembers what has been counted by actors that are gone.

    `tell` has the metrics told of all that has ended.
    """

    def __init__(
        self,
        tree: Tree,
        worker: str,
        requests: Callable[[], RequestCount],
        gaps: Gaps,
        tell: Callable[[], None],
    ) -> None:
        self._tree = tree
        self._worker = worker
        self._requests = requests
        self._gaps = gaps
        self._tell = tell
        self._ratchet = Ratchet()
        self._began_s = trio.current_time()

    async def take(self) -> WorkerView:
        """Return the view of now; a metrics actor that does not answer shows the totals so far."""
        self._tell()
        measured = await _metrics(self._tree)
        view = self._now(self._requests())
        return replace(view, metrics=merged(measured, self._counted(view)))

    def _now(self, requests: RequestCount) -> WorkerView:
        tree = self._tree
        return WorkerView(
            self._worker,
            os.getpid(),
            requests.generation,
            requests.state,
            rss_bytes(),
            requests.open,
            tree.supervisor.statistics(),
            _providers(tree),
            None if tree.cache is None else asdict(tree.cache.statistics()) | numbers_of(tree.cache),
            pressure=requests.pressure,
            hot=None if tree.answers is None else asdict(tree.hot.statistics()),
            uptime_s=trio.current_time() - self._began_s,
            memory=footprint(),
            kept=None if tree.keeper is None else asdict(tree.keeper.statistics()),
        )

    def _counted(self, view: WorkerView) -> MetricsSnapshot:
        """Return the totals that nobody measures."""
        totals = Totals()
        totals.add(map(without_number, self._ratchet.held(totals_of(view))))
        dropped = self._tree.metrics.mailbox.statistics().dropped
        totals.add((Count("ucr_exchanges_started_total", (), self._requests().started),))
        totals.add((Count("ucr_measurements_dropped_total", (), dropped),))
        return replace(totals.snapshot(), histograms=self._gaps.seen())


async def _metrics(tree: Tree) -> MetricsSnapshot:
    try:
        return await tree.metrics.ref.ask(Snapshot(), deadline=trio.current_time() + METRICS_S)
    except ActorError:
        return tree.metrics.totals.snapshot()


def _providers(tree: Tree) -> dict[str, object]:
    now = trio.current_time()
    statuses = {name: plain(one.status, now) for name, one in tree.board.items()}
    for name, child in tree.children.items():
        if name in statuses:
            statuses[name]["pool"] = plain(child.pool.statistics(), now)
    return statuses
