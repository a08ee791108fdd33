"""What each request came to: told to the log, the metrics, the accounts, the journal and traces when it has ended.

How this works. What is told of a request takes longer when it stands alone between all that is done for answers than
after another one, when all of it is at hand. So where requests end one after the other, they are told of together:
the first at once, and those that end within `GATHER_S` after it when that time is over, or when there are `MOST` of
them. One that went wrong does not wait, nor does what waits before it.
"""

from collections import deque

import trio
from msgspec import Struct

from actors import Ref
from actors.metrics import Bundle, MetricsMessage
from actors.supervisor import Inside, Restart
from ucr.call import Router
from ucr.clerk import Clerk
from ucr.exchange import Exchange
from ucr.journal.entry import Entry, size_of
from ucr.journal.recording import Recording
from ucr.journal.writer import Writer
from ucr.logs import Log
from ucr.metering import CLIENT_GONE, GONE, Meter
from ucr.observe.tracing import Tracing
from ucr.record import Record
from ucr.usage import ROW_BYTES, UsageRow, row_of

NAME = "ucr:reporter"
GATHER_S = 0.02
MOST = 16
"""So many requests are told of together: more would not take less time each, and would hold up others."""
MOST_BYTES = 1024 * 1024
"""And no more than have so much in their bodies: what a record holds of its client's words is a part of those."""


class Ended(Struct, frozen=True, gc=False):
    """A request that has ended at `ended_s` on the loop's clock, of which is to be told."""

    record: Record
    router: Router
    ended_s: float
    bodies: Recording | None


class Reporter:
    """Tells of requests; a supervised child, so that a fault in telling ends no more than the telling.

    Who keeps no accounts or no journal has no clerk for it, and who traces nothing no `tracing`.
    """

    essential = False
    restart: Restart = "permanent"
    name = NAME

    def __init__(
        self,
        log: Log,
        metrics: Ref[MetricsMessage],
        accounts: Clerk[UsageRow] | None = None,
        journal: Clerk[Entry] | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._accounts = accounts
        self._journal = journal
        self._tracing = tracing
        self._meter = Meter()
        self._writer = Writer()
        self._now_s = trio.lowlevel.current_clock().current_time
        self._ended: deque[Ended] = deque()
        self._ended_bytes = 0
        self._due_s = 0.0
        self._has_some = trio.Event()
        self._rows: list[UsageRow] = []
        self._entries: list[Entry] = []

    def __repr__(self) -> str:
        return f"<Reporter with {len(self._ended)} requests to tell of>"

    def watched(self, exchange: Exchange, record: Record, router: Router) -> Exchange:
        """Return the exchange to be answered: one that keeps its bodies where the journal has them.

        Where traces are made, the record learns of its own.
        """
        journal = router.config.journal
        if self._tracing is not None:
            record.trace = self._tracing.begun(exchange.headers)
        if self._journal is None or not journal.bodies:
            return exchange
        return Recording(exchange, journal.body_bytes)

    def report(self, exchange: Exchange, record: Record, router: Router) -> None:
        """Tell of a request that has ended, now or soon; one that asked for no model and failed in nothing is only counted."""
        record.answer_bytes = exchange.sent_bytes
        if not exchange.is_finished:
            record.status = record.status or CLIENT_GONE
            record.error_type = record.error_type or GONE
        now_s, ended = self._now_s(), self._ended
        bodies = exchange if isinstance(exchange, Recording) else None
        ended.append(Ended(record, router, now_s, bodies))
        self._ended_bytes += (
            record.request_bytes if bodies is None else record.request_bytes + record.answer_bytes
        )
        if (
            now_s >= self._due_s
            or len(ended) >= MOST
            or self._ended_bytes > MOST_BYTES
            or record.error_type is not None
            or record.tried
        ):
            self.tell()
        elif len(ended) == 1:
            self._has_some.set()

    def tell(self) -> None:
        """Tell of all requests that have ended."""
        ended = self._ended
        if not ended:
            return
        now_s, unix_s = self._now_s(), ended[0].router.unix_time()
        self._due_s = now_s + GATHER_S
        self._ended_bytes = 0
        try:
            while ended:
                one = ended.popleft()
                self._tell(one, unix_s - (now_s - one.ended_s))
        finally:
            self._hand_over()

    def _tell(self, one: Ended, unix_s: float) -> None:
        """Tell of a request that ended at a Unix time; what goes to actors is gathered."""
        record, router = one.record, one.router
        if not (record.model_asked or record.error_type):
            self._meter.count_other(record.status)
            return
        took = record.took(one.ended_s)
        record.cost_nano = router.pricing.cost_of(record)
        self._meter.count(record, took, router.config)
        fields = record.fields(took)
        told = self._log.finished(fields, unix_s)
        if self._accounts is not None and record.provider:
            self._rows.append(row_of(record, unix_s))
        if self._journal is not None:
            self._entries.append(self._writer.entry(record, fields, told, router.redactor, unix_s, one.bodies))
        if self._tracing is not None:
            self._tracing.note(record, router, one.ended_s, unix_s)

    def _hand_over(self) -> None:
        """Give what was gathered to the actors, and to the clerks of those that are elsewhere."""
        if measured := self._meter.gathered():
            self._metrics.offer(Bundle(measured))
        rows, self._rows = self._rows, []
        if self._accounts is not None and rows:
            self._accounts.note(rows, ROW_BYTES * len(rows))
        entries, self._entries = self._entries, []
        if self._journal is not None and entries:
            self._journal.note(entries, size_of(entries))

    async def run(self) -> None:
        """Tell of what waits when its time has come, for ever."""
        while True:
            await self._has_some.wait()
            self._has_some = trio.Event()
            await trio.sleep_until(self._due_s)
            self.tell()

    def crashed(self, error: BaseException | None) -> None:
        """What waits outlives the incarnations, but for the request at which this one failed."""
        if self._ended:
            self._has_some.set()

    def gave_up(self) -> None:
        """Nothing: what waits is told of with the next request that ends, and at the end."""

    async def drain(self) -> None:
        """Tell the rest."""
        self.tell()

    async def aclose(self) -> None:
        """Tell what has ended since."""
        self.tell()

    def inside(self) -> Inside:
        """Nothing: a reporter is no actor."""
        return None
