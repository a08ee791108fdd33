"""The laws that hold when a router has come to rest, whatever happened to it before.

    asks                = answered + refused + failed + abandoned
    leases granted      = succeeded + failed + abandoned
    exchanges begun     = finished + failed + cancelled

An `Audit` is begun while the router runs, since what stops leaves the tree, and is done when the tree is closed.
"""

from collections.abc import Iterator

from actors import Mailbox, Provider
from ucr.reporting import MOST
from ucr.worker import Worker


class Audit:
    """What was there when the router was about to stop, and the laws that it broke."""

    def __init__(self, worker: Worker) -> None:
        self._tree = worker.tree
        self._api = worker.api
        self._providers = tuple(worker.tree.children.values())

    def broken(self) -> list[str]:
        """Return what does not add up; for a router whose tree is closed."""
        found = [words for mailbox in self._mailboxes() for words in _asks(mailbox)]
        found += [words for provider in self._providers for words in _leases(provider)]
        return found + list(self._exchanges())

    def _mailboxes(self) -> Iterator[Mailbox[object]]:
        yield self._tree.metrics.mailbox  # type: ignore[misc]
        if self._tree.cache is not None:
            yield self._tree.cache.mailbox  # type: ignore[misc]
        yield from (provider.mailbox for provider in self._providers)  # type: ignore[misc]

    def _exchanges(self) -> Iterator[str]:
        requests = self._api.requests()
        if requests.open:
            yield f"{requests.open} exchanges are open"
        metrics = self._tree.metrics
        ended = metrics.totals.snapshot().total("ucr_exchanges_total")
        seen = metrics.mailbox.statistics()
        lost = MOST * (seen.dropped + seen.undeliverable + metrics.crashes)
        if not ended <= requests.started <= ended + lost:
            yield f"exchanges: {requests.started} began, {ended:g} ended, {lost} measurements at most were lost"


def _asks(mailbox: Mailbox[object]) -> Iterator[str]:
    seen = mailbox.statistics()
    ended = seen.answered + seen.refused + seen.failed + seen.abandoned
    if seen.asked != ended or seen.unanswered:
        yield f"{mailbox.name}: {seen.asked} asks, {ended} ended, {seen.unanswered} are unanswered"


def _leases(provider: Provider) -> Iterator[str]:
    ledger = provider.ledger
    settled = ledger.succeeded + ledger.abandoned + sum(ledger.failures.values())
    if ledger.granted != settled or ledger.in_flight or ledger.leases_out:
        yield f"{provider.name}: {ledger.granted} leases granted, {settled} settled, {ledger.in_flight} in flight"
