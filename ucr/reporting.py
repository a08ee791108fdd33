"""What each request came to: told to the log, the metrics, the accounts, the journal and traces when it ends."""

import trio

from actors import Ref
from actors.metrics import Bundler, MetricsMessage
from ucr.call import Router
from ucr.clerk import Clerk
from ucr.exchange import Exchange
from ucr.journal.drafts import Draft
from ucr.journal.recording import Recording
from ucr.logs import Log
from ucr.metering import CLIENT_GONE, GONE, Meter
from ucr.observe.tracing import Tracing
from ucr.record import Record
from ucr.usage import ROW_BYTES, UsageRow, row_of


class Reporter:
    """Tells of requests. Who keeps no accounts or no journal has no clerk for it, and who traces nothing no `tracing`."""

    def __init__(
        self,
        log: Log,
        metrics: Ref[MetricsMessage],
        accounts: Clerk[UsageRow] | None = None,
        journal: Clerk[Draft] | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._log = log
        self._metrics = Bundler(metrics)
        self._accounts = accounts
        self._journal = journal
        self._tracing = tracing
        self._meter = Meter()
        self._now_s = trio.lowlevel.current_clock().current_time

    def watched(self, exchange: Exchange, router: Router) -> Exchange:
        """Return the exchange to be answered: one that keeps its bodies where the journal has them."""
        journal = router.config.journal
        if self._journal is None or not journal.bodies:
            return exchange
        return Recording(exchange, journal.body_bytes)

    def report(self, exchange: Exchange, record: Record, router: Router) -> None:
        """Tell of a request that has ended; one that asked for no model and failed in nothing is only counted."""
        record.answer_bytes = exchange.sent_bytes
        if not exchange.is_finished:
            record.status = record.status or CLIENT_GONE
            record.error_type = record.error_type or GONE
        is_request, took = bool(record.model_asked or record.error_type), record.took(self._now_s())
        record.cost_nano = router.pricing.cost_of(record)
        self._metrics.offer(*self._meter.measured(record, took, router.config, is_request=is_request))
        if not is_request:
            return
        fields, unix_s = record.fields(took), router.unix_time()
        told = self._log.finished(fields, unix_s)
        if self._accounts is not None and record.provider:
            self._accounts.note(row_of(record, unix_s), ROW_BYTES)
        if self._journal is not None:
            bodies = exchange if isinstance(exchange, Recording) else None
            draft = Draft(unix_s, record, fields, told, router.redactor, bodies)
            self._journal.note(draft, draft.size_bytes)
        if self._tracing is not None:
            self._tracing.note(exchange.headers, record, router, unix_s)
