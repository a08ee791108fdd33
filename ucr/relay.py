"""The story of one request, from the client's bytes to the client's bytes.

    bytes → parse → route → cache → for each candidate: admit → build → send → decode → encode → bytes

`relay` is the story; what it decides is decided by pure functions (`routing`, `verdict`, the dialects), and
what it waits for is waited for in `patience.wait()`, which is where a request ends when its time is up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import trio

from actors import Board, Failure, Lease, Outcome, PoolError, Success, UpstreamResponse
from actors import Provider as ProviderChild
from ucr import answer, caching, ratelimits, upstream, verdict
from ucr.config.model import Config
from ucr.delivery import Delivery
from ucr.dialects import registry
from ucr.dialects.crossing import Crossing
from ucr.dialects.faults import mask_keys, unreadable
from ucr.dialects.roles import (
    Canonical,
    ClientDialect,
    HeaderList,
    Outgoing,
    ProviderDialect,
    Request,
    Summary,
    Tap,
    Target,
)
from ucr.errors import ApiError, UpstreamError
from ucr.estimate import Calibration, quick_estimate
from ucr.events import MessageStart
from ucr.exchange import Exchange
from ucr.limits import Entry
from ucr.patience import Patience
from ucr.record import Record
from ucr.routing import Candidate, candidates

ERROR_BODY_BYTES = 256 * 1024
_OVERFLOW_WORDS = (b"prompt is too long", b"context_length_exceeded")
"""What clients compact at: an overflow worded otherwise is told in the router's words."""
FINISHING_S = 2.0
LINGER_S = 0.25
"""How long the end of a body may come after the end of the stream in it, before the connection is given up."""


@dataclass(frozen=True, slots=True)
class Router:
    """What requests need of the process they run in."""

    config: Config
    children: Mapping[str, ProviderChild]
    board: Board
    unix_time: Callable[[], float]
    worker: str = "0"
    calibration: Calibration = field(default_factory=Calibration)
    answers: caching.Answers | None = None


@dataclass(slots=True)
class Call:
    """One request on its way."""

    router: Router
    client: ClientDialect
    request: Request
    record: Record
    delivery: Delivery
    patience: Patience
    canonical: Canonical | None = None


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A candidate's failure, with what the answer's headers and the log say if it is the one that is told."""

    error: UpstreamError
    provider: str
    model_used: str
    route: str
    upstream_request_id: str | None
    headers: HeaderList

    @classmethod
    def of(cls, error: UpstreamError, call: Call) -> "FailedAttempt":
        """Take down what belongs to the candidate that was asked last."""
        record = call.record
        return cls(
            error,
            record.provider,
            record.model_used,
            record.route,
            record.upstream_request_id,
            call.delivery.extra_headers,
        )

    def restore(self, call: Call) -> None:
        """Make the answer speak of this candidate again."""
        record = call.record
        record.provider, record.model_used, record.route = self.provider, self.model_used, self.route
        record.upstream_request_id = self.upstream_request_id
        call.delivery.extra_headers = self.headers


async def relay(
    exchange: Exchange,
    client: ClientDialect,
    router: Router,
    record: Record,
    patience: Patience,
    entry: Entry,
) -> None:
    """Answer one request. Raises `ApiError` only for what is wrong with the request itself."""
    raw = await exchange.body(router.config.server.body_limit_bytes)
    request = client.parse(raw, exchange.headers)
    note_request(record, request)
    await entry.spend(raw)
    choices = candidates(router.config, request.model)
    call = Call(router, client, request, record, Delivery(exchange, client, record), patience)
    with await caching.find(router.answers, request, choices, record) as place:
        if place.body is None:
            await _from_candidates(call, choices)
            place.keep(call.delivery.replied)
        else:
            call.delivery.extra_headers = (("age", str(int(place.age_s))),)
            await call.delivery.reply(place.body)


async def _from_candidates(call: Call, choices: tuple[Candidate, ...]) -> None:
    """Answer from the candidates, keeping a silent stream alive."""
    async with trio.open_nursery() as nursery:
        if call.request.stream:
            nursery.start_soon(call.delivery.keep_alive)
        await _answer(call, choices)
        nursery.cancel_scope.cancel(reason="answered")


def note_request(record: Record, request: Request) -> None:
    """Write down what the log says of a request."""
    record.dialect, record.model_asked, record.stream = request.dialect, request.model, request.stream
    record.session_id, record.agent_id = request.session_id, request.agent_id
    record.request_bytes = len(request.raw)


async def _answer(call: Call, choices: tuple[Candidate, ...]) -> None:
    failures: list[FailedAttempt] = []
    for candidate in choices:
        try:
            return await _try(call, candidate)
        except UpstreamError as error:
            if candidate.provider.dialect != call.client.name:
                error.body = None
            upstream.mask_own_keys(error, candidate.provider)
            failures.append(FailedAttempt.of(error, call))
            if not verdict.tries_next(error):
                break
        except ApiError as error:
            return await call.delivery.fail(error, None)
    hopeful = verdict.most_hopeful([attempt.error for attempt in failures])
    next(attempt for attempt in failures if attempt.error is hopeful).restore(call)
    told = verdict.for_client(hopeful)
    await call.delivery.fail(told, _own_body(told))
    return None


def _own_body(error: ApiError) -> bytes | None:
    """Return the provider's own words, with whatever looks like a key masked; None when others are needed."""
    if not isinstance(error, UpstreamError) or error.body is None or error.status != error.upstream_status:
        return None
    if error.fault == "overflow" and not any(words in error.body for words in _OVERFLOW_WORDS):
        return None
    return mask_keys(error.body.decode("utf-8", "replace")).encode()


async def _try(call: Call, candidate: Candidate) -> None:
    """Ask one candidate and deliver its answer; raise `UpstreamError` while another may still be asked."""
    provider, record = candidate.provider, call.record
    child = call.router.children[provider.id]
    record.provider, record.model_used, record.route = provider.id, candidate.model, candidate.route
    record.upstream_request_id, call.delivery.extra_headers = None, ()
    record.attempts += 1
    call.patience.limit(provider.timeouts.total_s)
    with await upstream.admitted(child, provider, candidate.model, record.request_id, call.patience) as lease:
        outgoing = _built(call, candidate)
        record.notes = outgoing.notes
        try:
            async with upstream.opened(child, provider, outgoing, lease, call.patience) as response:
                await _deliver(call, candidate, outgoing, response, lease)
        except UpstreamError as error:
            lease.outcome = upstream.outcome_of(error) or Success()
            raise


def _built(call: Call, candidate: Candidate) -> Outgoing:
    provider = candidate.provider
    target = Target(provider.id, candidate.model, provider.base_url, provider.quirks)
    dialect = registry.PROVIDERS[provider.dialect]
    if provider.dialect == call.client.name:
        return dialect.build_same(call.request, target)
    if call.canonical is None:
        call.canonical = call.client.canonical(call.request)
    outgoing = dialect.build(call.canonical, call.request, target)
    estimate = call.router.calibration.corrected(candidate.model, quick_estimate(call.request.raw))
    return replace(
        outgoing,
        context=replace(outgoing.context, input_estimate=estimate),
        notes=tuple(dict.fromkeys((*call.canonical.notes, *outgoing.notes))),
    )


async def _deliver(
    call: Call, candidate: Candidate, outgoing: Outgoing, response: UpstreamResponse, lease: Lease
) -> None:
    provider = candidate.provider
    dialect = registry.PROVIDERS[provider.dialect]
    headers = upstream.headers_of(response)
    call.record.upstream_request_id = ratelimits.upstream_request_id(headers)
    call.delivery.extra_headers = ratelimits.passed_on(
        headers, call.client.name, provider.dialect, call.router.unix_time()
    )
    if response.status != 200:
        body = await _error_body(call, response)
        if response.status < 300:
            raise unreadable(provider.id, f"answered {response.status}, which is no answer", body)
        if response.status < 400:
            raise unreadable(provider.id, "answered with a redirect, which is never followed")
        raise dialect.decode_error(response.status, headers, body, outgoing.context)
    is_stream = headers.get("content-type", "").lower().startswith("text/event-stream")
    if call.request.stream and is_stream:
        lease.outcome = await _stream(call, dialect, outgoing, response)
    else:
        await _whole(call, dialect, outgoing, response, is_stream)
        lease.outcome = Success()


def _note_summary(call: Call, summary: Summary) -> None:
    """Write down what was reported, and make the next estimate for this model better by it."""
    call.record.summary, usage = summary, summary.usage
    if usage.input_tokens is not None:
        counted = (usage.input_tokens, usage.cache_read_tokens or 0, usage.cache_creation_tokens or 0)
        model, estimate = call.record.model_used, quick_estimate(call.request.raw)
        call.router.calibration.observe(model, estimate, sum(counted))


async def _read(call: Call, response: UpstreamResponse, limit_bytes: int | None = None) -> bytes:
    with call.patience.wait():
        return await response.read(limit_bytes)


async def _error_body(call: Call, response: UpstreamResponse) -> bytes:
    """Read an error's words; the status counts also when they are too many or are cut off."""
    try:
        return await _read(call, response, ERROR_BODY_BYTES)
    except PoolError:
        return b""


async def _stream(
    call: Call, dialect: ProviderDialect, outgoing: Outgoing, response: UpstreamResponse
) -> Outcome:
    """Deliver a stream; what fails before the commit point is raised, what fails after it is told in-stream."""
    tap = _tap(call, dialect, outgoing)
    call.delivery.watch(tap)
    try:
        await _flow(call, tap, response)
    except ApiError as error:
        if not tap.is_committed:
            raise
        await call.delivery.fail(error, None)
        return Failure("midstream")
    finally:
        _note_summary(call, tap.summary)
    if tap.failure is not None:
        if not tap.is_committed:
            raise tap.failure
        call.record.error_type = tap.failure.type
    await call.delivery.end()
    if tap.failure is None:
        await _let_end(response)
    return Success() if tap.failure is None else Failure("midstream")


async def _let_end(response: UpstreamResponse) -> None:
    """Read a body to its end, most often one empty chunk, so that its connection can be used again."""
    with trio.move_on_after(LINGER_S):
        try:
            while await response.receive():
                pass
        except PoolError:
            return


def _tap(call: Call, dialect: ProviderDialect, outgoing: Outgoing) -> Tap:
    if dialect.name == call.client.name:
        return dialect.tap(outgoing.context, strict=is_strict(call.request.headers.get("user-agent", "")))
    return Crossing(dialect.decoder(outgoing.context), call.client, call.request, outgoing.context)


def is_strict(user_agent: str) -> bool:
    """True for the readers known to fail on an event that is not documented: those made with the AI SDK."""
    return "ai-sdk/" in user_agent.lower()


async def _flow(call: Call, tap: Tap, response: UpstreamResponse) -> None:
    """Carry the stream from the provider to the client until its proper end, or its failure."""
    while not tap.is_finished and tap.failure is None:
        data = await _next(call, tap, response)
        await call.delivery.write(tap.feed(data) if data else tap.close())
        if not data:
            return


async def _next(call: Call, tap: Tap, response: UpstreamResponse) -> bytes:
    """Return the next bytes; b"" at the end, or when only counters are missing and do not come."""
    try:
        if not tap.is_finishing:
            with call.patience.wait():
                return await response.receive()
        with trio.move_on_after(FINISHING_S), call.patience.wait():
            return await response.receive()
    except PoolError as error:
        raise upstream.pool_fault(call.record.provider, error) from None
    return b""


async def _whole(
    call: Call, dialect: ProviderDialect, outgoing: Outgoing, response: UpstreamResponse, is_stream: bool
) -> None:
    body = await _read(call, response)
    if dialect.name == call.client.name and not call.request.stream and not is_stream:
        written, summary = dialect.pass_reply(body, outgoing.context)
        _note_summary(call, summary)
        return await call.delivery.reply(written)
    if is_stream:
        decoder = dialect.decoder(outgoing.context)
        reply = answer.collect([*decoder.feed(body), *decoder.close()])
    else:
        reply = dialect.decode_reply(body, outgoing.context)
    _note_summary(call, Summary(reply.usage, reply.stop_reason))
    if not call.request.stream:
        return await call.delivery.reply(call.client.encode_reply(reply, call.request.model))
    encoder = call.client.encoder(call.request)
    for event in answer.play(reply):
        data = encoder.encode(event)
        if not (isinstance(event, MessageStart) and call.delivery.is_opened):
            await call.delivery.write(data)
    return await call.delivery.end()
