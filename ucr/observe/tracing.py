"""Spans for OpenTelemetry, made when a request has ended, and sent by a thread of the SDK.

How this works. While a request runs, nothing is known but its trace, and the ids of the spans of its attempts, which
providers are told. Its record says when it began, what was tried, and what came of it, and the spans are made of that
with the times that it had, when it has ended. The SDK's processor keeps at most 2,048 spans, drops what finds
no room, and sends in a thread of its own, so that no receiver holds up anybody. The SDK is loaded where traces are
configured, and nowhere else.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import trio

from ucr import __version__
from ucr.call import Router
from ucr.config.model import Config, Otel
from ucr.logs import Log
from ucr.observe.sdk_log import sdk_in
from ucr.observe.spans import OPERATION, Span, spans_of, texts_of
from ucr.observe.trace import Trace
from ucr.record import Record
from ucr.redaction import Redactor

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.trace import Tracer

CLOSE_S = 3.0
"""So long the end of the router waits for spans that are still to be sent."""

_NANO = 1_000_000_000


class Tracing:
    """Tells OpenTelemetry of requests. `processor` gets the spans."""

    def __init__(self, otel: Otel, worker: str, processor: "SpanProcessor") -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import Decision, ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        named = {
            "service.name": otel.service_name,
            "service.version": __version__,
            "service.instance.id": worker,
        }
        self._sampler = ParentBased(TraceIdRatioBased(otel.sample))
        self._sampled = Decision.RECORD_AND_SAMPLE
        self._new_ids = RandomIdGenerator()
        self._ids = _Ids()
        generator = cast("IdGenerator", self._ids)
        self._provider: TracerProvider = TracerProvider(
            self._sampler, Resource.create(named), shutdown_on_exit=False, id_generator=generator
        )
        self._provider.add_span_processor(processor)
        self._tracer: Tracer = self._provider.get_tracer("ucr", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._kinds = {"server": trace.SpanKind.SERVER, "client": trace.SpanKind.CLIENT}
        self._failed = trace.Status(trace.StatusCode.ERROR)
        self._below = trace.set_span_in_context
        self._span_in = trace.get_current_span

    def __repr__(self) -> str:
        return f"<Tracing of {self._provider.resource.attributes.get('service.name')}>"

    def begun(self, headers: Mapping[str, str]) -> Trace:
        """Return the place of a request that begins now; its client's `traceparent` says in which trace it is."""
        carried = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        context = self._propagator.extract(carried) if carried else None
        above = self._span_in(context).get_span_context() if carried else None
        is_below = above is not None and above.is_valid
        trace_id = above.trace_id if is_below and above is not None else self._new_ids.generate_trace_id()
        decision = self._sampler.should_sample(context, trace_id, OPERATION).decision
        return Trace(trace_id, decision is self._sampled, self._new_ids.generate_span_id, context)

    def note(self, record: Record, router: Router, ended_s: float, unix_s: float) -> None:
        """Make the spans of a request that has ended: at `ended_s` on the loop's clock, and `unix_s` on the wall."""
        trace = record.trace
        if trace is None or not trace.is_sampled:
            return
        whole, *attempts = spans_of(record, router.config, ended_s, unix_s)
        span = self._start(whole, trace, trace.context, router.redactor)
        below = self._below(span)
        for attempt in attempts:
            self._end(attempt, self._start(attempt, trace, below, router.redactor))
        self._end(whole, span)

    def _start(self, told: Span, trace: Trace, context: Any, redactor: Redactor) -> Any:
        self._ids.trace_id, self._ids.span_id = trace.trace_id, told.span_id or trace.new_span_id()
        name, attributes = told.name, told.attributes
        if not redactor.clears((name, *texts_of(attributes))):
            name, attributes = redactor.text(name), redactor.tree(dict(attributes))
        return self._tracer.start_span(
            name, context, self._kinds[told.kind], attributes, start_time=int(told.began_s * _NANO)
        )

    def _end(self, told: Span, span: Any) -> None:
        if told.is_error:
            span.set_status(self._failed)
        span.end(int(told.ended_s * _NANO))

    async def close(self) -> None:
        """Send what is left, as far as there is time."""
        with trio.move_on_after(CLOSE_S):
            await trio.to_thread.run_sync(self._provider.shutdown, abandon_on_cancel=True)


class _Ids:
    """The ids of the span that is made next, which were given away already: an `IdGenerator` of the SDK."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id

    def is_trace_id_random(self) -> bool:
        return True


def sender(otel: Otel) -> "SpanProcessor":
    """Return what sends spans to the configured receiver."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(otel.endpoint, headers=dict(otel.headers)))


OpenTracing = Callable[[Config, str, Log], AbstractAsyncContextManager[Tracing | None]]
"""Opens what makes spans, given the configuration, the name of the worker, and the log for troubles with them."""


@asynccontextmanager
async def open_tracing(config: Config, worker: str, log: Log) -> AsyncIterator[Tracing | None]:
    """Yield what makes spans as long as the block; None where no traces are configured."""
    if not config.otel.enabled:
        yield None
        return
    with sdk_in(log):
        tracing = Tracing(config.otel, worker, sender(config.otel))
        try:
            yield tracing
        finally:
            with trio.CancelScope(shield=True):  # at most `CLOSE_S`
                await tracing.close()
