"""Requests that are like one on its way share its answer, whole or streamed.

How this works. Every request leads a flight until another one is like it; see `ucr.flight` for who leads when, and
`ucr.lead` for what changes when somebody follows. What everybody gets are the same bytes. So the ids of messages and
the keep-alives of a stream are the leader's, and errors, which name their request, are written for each. A follower
that falls behind what is kept is cut off: with an error, or with a call of its own if it had nothing yet.
"""

from ucr.cache_key import TOLD
from ucr.caching import wish_of
from ucr.call import Call
from ucr.dialects.roles import Request, Summary, is_strict
from ucr.errors import ApiError
from ucr.exchange import Exchange
from ucr.flight import Ask, Flight, Flights, Seat
from ucr.lead import Lead, lagging
from ucr.record import Record
from ucr.routing import Candidate

_ENDED = "the request whose answer this one shared has failed in the router"


def enter(
    flights: Flights | None, exchange: Exchange, call: Call, choices: tuple[Candidate, ...]
) -> Lead | Seat | None:
    """Return a seat for who can share the answer to a request like this, the lead for who is the first of its kind.

    None where nothing is shared, and for a request that wants an answer of its own.
    """
    request = call.request
    if flights is None or wish_of(request.headers) != "use":
        return None
    ask = ask_of(request, call.record.client or "", choices)
    key = ask.key
    return flights.join(key, ask) or Lead(flights.begin(key, ask), exchange, call)


async def follow(seat: Seat, exchange: Exchange, call: Call, choices: tuple[Candidate, ...]) -> Lead | None:
    """Wait for the answer and deliver it; return the lead if this request has to be answered by itself."""
    entered: Lead | Seat | None = seat
    while isinstance(entered, Seat):
        if await _delivered(entered, call):
            return None
        if entered.is_heir:
            return Lead(entered.flight, exchange, call)
        entered = enter(call.router.flights, exchange, call, choices)
    return entered


def ask_of(request: Request, client: str, choices: tuple[Candidate, ...]) -> Ask:
    """Return what the answer to a request depends on."""
    told = [item for item in request.headers.items() if item[0].startswith(TOLD)]
    if request.beside:
        told.append(("", request.beside))
    is_strict_reader = request.stream and is_strict(request.headers.get("user-agent", ""))
    return Ask(client, request.dialect, request.raw, request.stream, is_strict_reader, tuple(told), choices)


async def _delivered(seat: Seat, call: Call) -> bool:
    """Deliver the answer; False when this request has to be answered by itself."""
    try:
        with seat:
            return await _served(seat, call)
    except ApiError as error:  # the time of this request is up
        if not call.delivery.is_started:
            raise
        await call.delivery.fail(error, None)
        return True


async def _served(seat: Seat, call: Call) -> bool:
    while not seat.is_heir:
        flight = seat.flight
        if flight.stream and (data := seat.reader.take()):
            flight.tell_taken()
            _note(call.record, flight)
            await call.delivery.write(data)
        elif seat.reader.is_cut:
            return await _told(call, lagging())
        elif flight.state == "flying":
            with call.patience.wait():
                await flight.wait_news()
        else:
            return await _end(call, flight)
    return False


async def _end(call: Call, flight: Flight) -> bool:
    """Deliver the end of a flight."""
    if flight.error is not None:
        _note(call.record, flight)
        await call.delivery.fail(*flight.error)
        return True
    if flight.body is not None:
        _note(call.record, flight)
        await call.delivery.reply(flight.body)
        return True
    if flight.state == "told" and call.delivery.is_started:
        _note(call.record, flight)
        await call.delivery.end()
        return True
    return await _told(call, ApiError("api_error", _ENDED))


async def _told(call: Call, error: ApiError) -> bool:
    """Tell a client that its stream cannot go on; False for one that had nothing of it yet."""
    if call.delivery.is_started:
        await call.delivery.fail(error, None)
    return call.delivery.is_started


def _note(record: Record, flight: Flight) -> None:
    """Make the record speak of the leader's answer; its tokens are counted in the leader's."""
    made = flight.record
    if made is None:
        return
    record.cache = "coalesced"
    record.provider, record.model_used = made.provider, made.model_used
    record.route, record.tier, record.notes = made.route, made.tier, made.notes
    record.upstream_request_id, record.error_type = made.upstream_request_id, made.error_type
    record.summary = Summary(stop_reason=made.summary.stop_reason)
