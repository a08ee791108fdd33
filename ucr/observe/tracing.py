"""Spans for OpenTelemetry, made when a request has ended, and sent by a thread of the SDK.

How this works. Nothing is done while a request runs: its record says when it began, what was tried, and what came of it,
and the spans are made of that with the times that it had. The SDK's processor keeps at most 2,048 spans, drops what finds
no room, and sends in a thread of its own, so that no receiver holds up anybody. The SDK is loaded where traces are
configured, and nowhere else.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

from ucr import __version__
from ucr.call import Router
from ucr.config.model import Config, Otel
from ucr.observe.spans import Span, spans_of
from ucr.record import Record

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
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
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        named = {
            "service.name": otel.service_name,
            "service.version": __version__,
            "service.instance.id": worker,
        }
        sampler = ParentBased(TraceIdRatioBased(otel.sample))
        self._provider: TracerProvider = TracerProvider(sampler, Resource.create(named), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer: Tracer = self._provider.get_tracer("ucr", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._kinds = {"server": trace.SpanKind.SERVER, "client": trace.SpanKind.CLIENT}
        self._failed = trace.Status(trace.StatusCode.ERROR)
        self._below = trace.set_span_in_context

    def __repr__(self) -> str:
        return f"<Tracing of {self._provider.resource.attributes.get('service.name')}>"

    def note(
        self, headers: Mapping[str, str], record: Record, router: Router, ended_s: float, unix_s: float
    ) -> None:
        """Make the spans of a request that has ended; its client's `traceparent` says to which trace it belongs.

        It ended at `ended_s` on the loop's clock, and at `unix_s` on the wall.
        """
        whole, *attempts = spans_of(record, router.config, ended_s, unix_s)
        carried = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        span = self._start(whole, self._propagator.extract(carried) if carried else None, router)
        if span.is_recording():
            below = self._below(span)
            for attempt in attempts:
                self._end(attempt, self._start(attempt, below, router))
        self._end(whole, span)

    def _start(self, told: Span, context: Any, router: Router) -> Any:
        return self._tracer.start_span(
            router.redactor.text(told.name),
            context,
            self._kinds[told.kind],
            router.redactor.tree(dict(told.attributes)),
            start_time=int(told.began_s * _NANO),
        )

    def _end(self, told: Span, span: Any) -> None:
        if told.is_error:
            span.set_status(self._failed)
        span.end(int(told.ended_s * _NANO))

    async def close(self) -> None:
        """Send what is left, as far as there is time."""
        with trio.move_on_after(CLOSE_S):
            await trio.to_thread.run_sync(self._provider.shutdown, abandon_on_cancel=True)


def sender(otel: Otel) -> "SpanProcessor":
    """Return what sends spans to the configured receiver."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(otel.endpoint, headers=dict(otel.headers)))


OpenTracing = Callable[[Config, str], AbstractAsyncContextManager[Tracing | None]]
"""Opens what makes spans, given the configuration and the name of the worker."""


@asynccontextmanager
async def open_tracing(config: Config, worker: str) -> AsyncIterator[Tracing | None]:
    """Yield what makes spans as long as the block; None where no traces are configured."""
    if not config.otel.enabled:
        yield None
        return
    tracing = Tracing(config.otel, worker, sender(config.otel))
    try:
        yield tracing
    finally:
        with trio.CancelScope(shield=True):  # at most `CLOSE_S`
            await tracing.close()
