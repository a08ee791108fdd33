"""Traces of whole routers, as the SDK of OpenTelemetry exports them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import trio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.world import answers
from tests.world.router import EPOCH, config_of, open_router, provider, upstream_of
from ucr.config.model import Config, Otel
from ucr.logs import Log, stdout_log
from ucr.observe.tracing import Tracing, open_tracing
from ucr.secret import Secret
from ucr.stress.upstream import Answer, SeenRequest, Upstream

pytestmark = pytest.mark.usefixtures("both_lanes")

ASK = {"model": "claude-x", "max_tokens": 5, "messages": [{"role": "user", "content": "planted words"}]}
A, B = provider("a", "anthropic"), provider("b", "openai-chat")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
SAYS = answers.says(200, answers.chat_reply("planted answer"))
UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"


async def traced(
    config: Config, *asked: dict[str, str], body: Any = ASK, **handlers: Any
) -> Sequence[ReadableSpan]:
    """Ask once with each of these headers; return the spans in the order of their ends."""
    exporter = InMemorySpanExporter()

    @asynccontextmanager
    async def into_memory(config: Config, worker: str, log: Log) -> AsyncIterator[Tracing]:
        tracing = Tracing(config.otel, worker, SimpleSpanProcessor(exporter))
        yield tracing
        await tracing.close()

    async with open_router(config, trace=into_memory, **handlers) as world:
        for headers in asked:
            await world.ask("/v1/messages", body, headers=headers)
        await world.wait_finished(len(asked))
    return exporter.get_finished_spans()


async def test_a_request_and_its_attempts_are_one_trace(autojump_clock: object) -> None:
    says = answers.says(200, answers.chat_reply("planted answer"))
    spans = await traced(config_of(A, B), {"traceparent": PARENT}, a=answers.says(503, {}), b=says)
    first, second, whole = spans
    assert {span.context.trace_id for span in spans} == {int(TRACE, 16)}
    assert whole.parent is not None
    assert whole.parent.span_id == int("b7ad6b7169203331", 16)
    assert [span.parent.span_id for span in (first, second)] == [whole.context.span_id] * 2
    assert [span.name for span in spans] == ["chat a-model", "chat b-model", "chat claude-x"]
    assert [span.status.is_ok for span in spans] == [False, True, True]
    assert [span.kind.name for span in spans] == ["CLIENT", "CLIENT", "SERVER"]
    assert whole.attributes["gen_ai.usage.output_tokens"] == second.attributes["gen_ai.usage.output_tokens"]
    assert whole.start_time <= first.start_time <= first.end_time == second.start_time <= whole.end_time
    assert whole.resource.attributes["service.name"] == "ucr-trio"
    assert "planted" not in "".join(span.to_json() for span in spans)


def told(span: ReadableSpan, flags: str = "01") -> str:
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{flags}"


def told_of_trace(upstream: Upstream) -> list[str]:
    return [request.header("traceparent") or "" for request in upstream.requests]


async def test_each_provider_is_told_of_the_span_of_its_attempt(autojump_clock: object) -> None:
    failing, serving = (upstream_of(one) for one in (answers.says(503, {}), SAYS))
    spans = await traced(config_of(A, B), {"traceparent": PARENT}, {}, a=failing, b=serving)
    assert [len(told_of_trace(one)) for one in (failing, serving)] == [2, 2]
    tried = [span for span in spans if span.name == "chat a-model"]
    served = [span for span in spans if span.name == "chat b-model"]
    assert told_of_trace(failing) == [told(span) for span in tried]
    assert told_of_trace(serving) == [told(span) for span in served]
    assert len({span.context.span_id for span in spans}) == len(spans) == 6


async def test_a_client_decides_whether_its_trace_is_kept_and_the_sample_for_others(
    autojump_clock: object,
) -> None:
    config, says = config_of(A), answers.says(200, answers.anthropic_reply())
    headers = ({"traceparent": UNSAMPLED}, {}, {"traceparent": PARENT}, {"traceparent": "nonsense"})
    all_ = await traced(config, *headers, a=says)
    none = await traced(replace(config, otel=Otel(sample=0.0)), *headers, a=says)
    assert len(all_) == 6
    assert [span.context.trace_id == int(TRACE, 16) for span in none] == [True, True]


async def test_no_secret_is_in_a_span(autojump_clock: object) -> None:
    secret = Secret("planted-key-123")
    config = config_of(provider("a", "anthropic", api_keys=(secret,)), secrets=(secret,))
    body = {**ASK, "model": f"x {secret.reveal()} sk-planted12345678"}
    spans = await traced(config, {}, body=body, a=answers.says(401, {"error": {"message": secret.reveal()}}))
    assert spans
    assert "planted" not in "".join(span.to_json() for span in spans)


async def test_who_is_not_recorded_is_told_of_so_and_without_traces_nobody_is_told(
    autojump_clock: object,
) -> None:
    serving, untold = upstream_of(SAYS), upstream_of(SAYS)
    config = config_of(B)
    assert not await traced(config, {"traceparent": UNSAMPLED}, b=serving)
    (header,) = told_of_trace(serving)
    assert header.startswith(f"00-{TRACE}-")
    assert header.endswith("-00")
    assert f"00-{TRACE}-b7ad6b7169203331" not in header
    async with open_router(config, b=untold) as world:
        await world.ask("/v1/messages", ASK, headers={"traceparent": PARENT, "tracestate": "x=1"})
    assert told_of_trace(untold) == [""]


async def test_one_who_is_asked_again_with_a_healed_request_is_told_of_the_same_span(
    autojump_clock: object,
) -> None:
    refusal = {
        "error": {
            "message": "Unsupported parameter: 'temperature' is not supported with this model.",
            "param": "temperature",
            "code": "unsupported_parameter",
        }
    }
    serving = upstream_of((answers.says(400, refusal), SAYS))
    spans = await traced(config_of(B), {}, body={**ASK, "temperature": 0.5}, b=serving)
    attempt, _ = spans
    assert told_of_trace(serving) == [told(attempt)] * 2


async def test_without_traces_nothing_is_made() -> None:
    async with open_tracing(Config(), "0", stdout_log("info", lambda: EPOCH)) as tracing:
        assert tracing is None


@pytest.mark.slow
async def test_spans_reach_a_receiver_by_otlp_with_its_headers() -> None:
    async def take(request: SeenRequest, answer: Answer) -> None:
        await answer.reply(200)

    receiver = Upstream(take)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(_serve, receiver)
        port = listeners[0].socket.getsockname()[1]
        otel = Otel(True, f"http://127.0.0.1:{port}/v1/traces", {"x-team": "a"}, "mine")
        says = answers.says(200, answers.anthropic_reply())
        async with open_router(replace(config_of(A), otel=otel), a=says) as world:
            await world.ask("/v1/messages", ASK)
            await world.wait_finished(1)
        nursery.cancel_scope.cancel(reason="the spans are there")
    (request,) = receiver.requests
    assert (request.path, request.header("x-team")) == ("/v1/traces", "a")
    (sent,) = ExportTraceServiceRequest.FromString(request.body).resource_spans
    names = {each.key: each.value.string_value for each in sent.resource.attributes}
    assert (names["service.name"], names["service.instance.id"]) == ("mine", "0")
    assert [span.name for span in sent.scope_spans[0].spans] == ["chat a-model", "chat claude-x"]


async def _serve(receiver: Upstream, task_status: trio.TaskStatus[Any]) -> None:
    await trio.serve_tcp(receiver.serve, 0, host="127.0.0.1", task_status=task_status)
