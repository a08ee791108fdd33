"""From an answer's head to its end: read, decoded, encoded, delivered, accounted.

Whoever delivers has the request to himself. A failure before the commit point is raised, so that another
candidate may still be asked; one after it is told in the stream, and nothing is ever spliced.
"""

from contextlib import suppress

import trio
from msgspec import Struct

from actors import Abandoned, Failure, Lease, Success
from ucr import answer as whole
from ucr.call import Call
from ucr.carrying import Carrier
from ucr.config.model import Provider
from ucr.dialects.crossing import Crossing
from ucr.dialects.roles import Content, Outgoing, ProviderDialect, Summary, Tap, is_strict
from ucr.errors import ApiError, UpstreamError
from ucr.estimate import output_estimate
from ucr.events import MessageStart, Usage
from ucr.upstream import Answer
from ucr.vault.gathering import Gatherer
from ucr.vault.listening import ListeningDecoder, ListeningTap, overhear

ERROR_BODY_BYTES = 256 * 1024
WHOLE_BODY_BYTES = 32 * 1024 * 1024
"""An answer that is not streamed is held as a whole, and its parts beside it for a moment: twice this much."""
FINISHING_S = 2.0
LINGER_S = 0.25
"""How long the end of a body may come after the end of the stream in it, before the connection is given up."""


class Incoming(Struct, frozen=True):
    """A good answer, its head here and its body on the way, with the lease that it settles.

    A `gatherer` hears what is to be put back later.
    """

    provider: Provider
    dialect: ProviderDialect
    outgoing: Outgoing
    answer: Answer
    lease: Lease
    is_stream: bool
    gatherer: Gatherer | None = None


async def deliver(call: Call, incoming: Incoming) -> None:
    """Deliver a good answer and settle its lease by how it went."""
    call.router.pump.catch_up()
    if call.request.stream and incoming.is_stream:
        await _stream(call, incoming)
    else:
        await _whole(call, incoming)


async def error_body(answer: Answer) -> bytes:
    """Read an error's words; the status counts also when they are too many or are cut off."""
    try:
        return await answer.read(ERROR_BODY_BYTES)
    except UpstreamError:
        return b""


async def _stream(call: Call, incoming: Incoming) -> None:
    tap = _tap(call, incoming)
    call.delivery.watch(tap)
    try:
        last = await _flow(call, incoming, tap)
        if call.is_part:
            await call.delivery.write(last)
    except ApiError as error:
        if not tap.is_committed:
            raise
        incoming.lease.outcome = Failure("midstream")
        await call.delivery.fail(error, None)
        return
    except trio.Cancelled:
        incoming.lease.outcome = Success() if tap.is_finished else Abandoned()
        raise
    finally:
        _note_stream(call, tap)
    if tap.failure is not None and not tap.is_committed:
        raise tap.failure
    if tap.failure is not None:
        call.record.error_type = tap.failure.type
    incoming.lease.outcome = Success() if tap.failure is None else Failure("midstream")
    if not call.is_part:
        await call.delivery.end(last)
    elif tap.failure is not None:
        await call.delivery.end()
    if tap.failure is None and not incoming.answer.is_drained:
        await _let_end(incoming.answer)


def _tap(call: Call, incoming: Incoming) -> Tap:
    dialect, context, gatherer = incoming.dialect, incoming.outgoing.context, incoming.gatherer
    if dialect.name == call.client.name:
        tap = dialect.tap(context, strict=is_strict(call.request.headers.get("user-agent", "")))
        return tap if gatherer is None else ListeningTap(tap, dialect.decoder(context), gatherer)
    decoder = dialect.decoder(context)
    decoder = decoder if gatherer is None else ListeningDecoder(decoder, gatherer)
    return Crossing(decoder, call.client, call.request, context)


async def _flow(call: Call, incoming: Incoming, tap: Tap) -> bytes:
    """Carry the stream from the provider to the client until its proper end, or its failure; return its last part.

    Pings and comments are no sign of life: what is not content within the idle limit is silence.
    """
    answer, idle_s, now = incoming.answer, incoming.provider.timeouts.idle_s, call.patience.now
    gaps = call.router.gaps.stream(incoming.provider.id)
    carrier: Carrier | None = None
    seen, until, last = 0, now() + idle_s, b""
    while not tap.is_finished and tap.failure is None:
        if tap.content.events != seen:
            seen, now_s = tap.content.events, now()
            until = now_s + idle_s
            gaps.saw(seen, now_s)
        if tap.is_committed:
            call.router.pump.catch_up()
            if call.request.raw:
                call.let_go()
            carrier = carrier or Carrier(call, answer, tap, idle_s, gaps)
            if carrier.can_carry:
                await carrier.carry(until)
                last = carrier.last
                continue
        is_whole = tap.is_finishing and not answer.is_ready
        data = await (_counters(answer) if is_whole else answer.receive(until))
        last = tap.feed(data) if data else tap.close()
        if not data or tap.is_finished or tap.failure is not None:
            break
        await call.delivery.write(last)
    gaps.saw(tap.content.events, now())
    call.router.pump.catch_up()
    return last


async def _counters(answer: Answer) -> bytes:
    """Return the next bytes where only counters are missing; b"" at the end, or when they do not come."""
    with trio.move_on_after(FINISHING_S):
        return await answer.receive()
    return b""


async def _let_end(answer: Answer) -> None:
    """Read a body to its end, most often one empty chunk, so that its connection can be used again.

    The client has its answer: whatever goes wrong here, a shutdown included, only costs the connection.
    """
    with suppress(ApiError):
        if answer.is_ready and not await answer.receive():
            return
        with trio.move_on_after(LINGER_S):
            while await answer.receive():
                pass


def _note_stream(call: Call, tap: Tap) -> None:
    """Write down what a stream cost; what it did not say itself is estimated, and marked so."""
    summary, content = tap.summary, tap.content
    _note_summary(call, summary)
    is_told = tap.is_finished and summary.usage.output_tokens is not None
    if content.events and not is_told:
        call.record.summary = Summary(_estimated(call, summary.usage, content), summary.stop_reason, True)


def _estimated(call: Call, usage: Usage, content: Content) -> Usage:
    told, sent = usage.input_tokens, call.sent_estimate
    return usage.updated(
        Usage(
            input_tokens=call.router.calibration.corrected(call.record.model_used, sent)
            if told is None
            else told,
            output_tokens=max(usage.output_tokens or 0, output_estimate(content.chars)),
        )
    )


def note_left(call: Call) -> None:
    """Estimate what a call took in that ended before its provider said so."""
    usage, sent = call.record.summary.usage, call.sent_estimate
    if usage.input_tokens is None:
        estimate = call.router.calibration.corrected(call.record.model_used, sent)
        told = usage.updated(Usage(input_tokens=estimate))
        call.record.summary = Summary(told, call.record.summary.stop_reason, True)


def _note_summary(call: Call, summary: Summary) -> None:
    """Write down what was reported, and make the next estimate for this model better by it."""
    call.record.summary, usage = summary, summary.usage
    if usage.input_tokens is not None:
        counted = (usage.input_tokens, usage.cache_read_tokens or 0, usage.cache_creation_tokens or 0)
        model, estimate = call.record.model_used, call.sent_estimate
        call.router.calibration.observe(model, estimate, sum(counted))


async def _whole(call: Call, incoming: Incoming) -> None:
    written = _written(call, incoming, await incoming.answer.read(WHOLE_BODY_BYTES))
    incoming.lease.outcome = Success()
    if not call.request.stream:
        return None if call.is_part else await call.delivery.reply(written[0])
    for data in written:
        await call.delivery.write(data)
    return None if call.is_part else await call.delivery.end()


def _written(call: Call, incoming: Incoming, body: bytes) -> list[bytes]:
    """Return what the client gets of a whole answer: one body, or the events of a stream."""
    dialect, context = incoming.dialect, incoming.outgoing.context
    if dialect.name == call.client.name and not call.request.stream and not incoming.is_stream:
        passed, summary = dialect.pass_reply(body, context)
        _note_summary(call, summary)
        if incoming.gatherer is not None:
            overhear(incoming.gatherer, dialect, body, context)
        return [passed]
    if incoming.is_stream:
        decoder = dialect.decoder(context)
        reply = whole.collect([*decoder.feed(body), *decoder.close()])
    else:
        reply = dialect.decode_reply(body, context)
    _note_summary(call, Summary(reply.usage, reply.stop_reason))
    if incoming.gatherer is not None:
        incoming.gatherer.take_reply(reply)
    if not call.request.stream:
        return [call.client.encode_reply(reply, call.request)]
    encoder = call.client.encoder(call.request)
    is_opened = call.delivery.is_opened and call.client.opens_early
    pieces = [(event, encoder.encode(event)) for event in whole.play(reply)]
    return [data for event, data in pieces if not (isinstance(event, MessageStart) and is_opened)]
