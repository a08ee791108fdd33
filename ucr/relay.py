"""The story of one request, from the client's bytes to the client's bytes.

    bytes → parse → route → share → cache → for each candidate: admit → build → send → decode → encode → bytes

`relay` is the story. Candidates come in three tiers, and each tier is left only when nobody in it could serve:
first everybody is asked once (`_answer`), then those whose fault may have passed are asked again
(`_ask_again`). What is decided is decided by pure functions (`routing`, `retry`, `verdict`, the dialects); one
candidate's part is `Attempt`. Where it waits, in `patience.wait()` or under a `Watchdog`, the request ends when its
time is up.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from ucr import again, coalescing, retry, shape, verdict
from ucr.attempt import Attempt
from ucr.caching import Place
from ucr.call import Call, Router, note_request
from ucr.choice import chosen
from ucr.delivery import Delivery
from ucr.dialects.faults import mask_keys
from ucr.dialects.roles import ClientDialect
from ucr.errors import ApiError, UpstreamError
from ucr.exchange import Exchange
from ucr.flight import Seat
from ucr.hedge import hedged
from ucr.limits import Entry
from ucr.parsing import parsed
from ucr.patience import Patience
from ucr.record import Record
from ucr.routing import TIERS, Candidate, Tier

NO_NOTES: tuple[str, ...] = ()

Answering = Callable[[Call, Sequence[Candidate]], Awaitable[None]]

_OVERFLOW_WORDS = (b"prompt is too long", b"context_length_exceeded")
"""What clients compact at: an overflow worded otherwise is told in the router's words."""


async def relay(
    exchange: Exchange,
    client: ClientDialect,
    router: Router,
    record: Record,
    patience: Patience,
    entry: Entry,
) -> None:
    """Answer one request. Raises `ApiError` only for what is wrong with the request itself."""
    # Nothing but the call holds the request: see `Call.let_go`.
    came_later = exchange.whole is None  # else the API has looked whether it was there before
    raw = await exchange.body(router.config.server.body_limit_bytes)
    if came_later and (known := again.find(exchange, router, raw)) is not None:
        return await again.give(known, exchange, record, patience.now())
    request = await parsed(router, client.parse, raw, exchange.headers)
    del raw
    note_request(record, request)
    decision, notes = None, NO_NOTES
    if router.steer is not None:
        request, notes, decision = await router.steer.routed(request, record.client, client.parse)
    call = Call(router, client, request, record, Delivery(exchange, client, record, router.timers), patience)
    call.notes = notes
    del request
    decision = decision or router.decisions.decide(call.request, record.client)
    choices = chosen(router.config, decision, call.request)
    record.considered = choices = await entry.spend(call.request, choices, router.pricing)
    answers, place = router.answers, None
    if answers is not None:
        place = answers.glance(call.request, decision.candidates, record)
    if place is not None and place.kept is not None:
        again.remember(place, exchange, call, choices)
        return await call.delivery.replay(place.kept, place.age_s)
    entered = coalescing.enter(router.flights, exchange, call, choices)
    if isinstance(entered, Seat):
        entered = await coalescing.follow(entered, exchange, call, choices)
        if entered is None:
            return None
    try:
        if place is None:
            return await _from_candidates(call, choices)
        return await _through(place, call, choices)
    finally:
        if entered is not None:
            entered.close()


async def _through(place: Place, call: Call, choices: Sequence[Candidate]) -> None:
    """Answer from the cache, or bring the answer there."""
    with await place.look_up(call.patience):
        if place.kept is not None:
            return await call.delivery.replay(place.kept, place.age_s)
        call.delivery.copy = place.copy
        try:
            return await _from_candidates(call, choices)
        finally:  # also when the client leaves as soon as it has its answer
            place.keep(call.delivery.replied)


def _from_candidates(call: Call, choices: Sequence[Candidate]) -> Awaitable[None]:
    """Answer from the candidates, keeping a silent stream alive."""
    call.bridge = call.router.bridges.over(call, choices)
    answer = _answer if call.bridge is None else partial(call.bridge.run, _answer)
    return _kept_alive(answer, call, choices) if call.request.stream else answer(call, choices)


async def _kept_alive(answer: Answering, call: Call, choices: Sequence[Candidate]) -> None:
    call.delivery.keep_alive()
    try:
        return await answer(call, choices)
    finally:
        call.delivery.leave_alone()


async def _answer(call: Call, choices: Sequence[Candidate]) -> None:
    """Ask everybody in a tier once, in order, then some of them again, until one has served."""
    failed: list[Attempt] = []
    for tier in TIERS:
        waiting = deque([choice for choice in choices if choice.tier == tier])
        while waiting and _goes_on(call, failed):
            candidate = waiting.popleft()
            while _can_serve(call, candidate):
                attempt = Attempt(call, candidate)
                if await _ask(call, attempt, waiting, failed):
                    return
                if not (_goes_on(call, failed) and attempt.has_another_key):
                    break
        if await _ask_again(call, tier, choices, failed):
            return
    await _tell(call, failed)


async def _ask_again(call: Call, tier: Tier, choices: Sequence[Candidate], failed: list[Attempt]) -> bool:
    """Ask those of a tier once more whose fault may have passed, after a pause and within their budgets.

    One call is left for the tiers below, if there is anybody in them: they must not starve of retries.
    """
    kept = 1 if any(_may_serve(call, candidate) for candidate in _below(tier, choices)) else 0
    for attempt in [attempt for attempt in failed if attempt.candidate.tier == tier]:
        while call.calls_left > kept and _goes_on(call, failed):
            another = _retry(call, attempt, failed)
            if another is None:
                break
            if await _ask(call, another, deque(), failed):
                return True
            attempt = another
    return False


def _below(tier: Tier, choices: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in choices if TIERS.index(c.tier) > TIERS.index(tier)]


def _retry(call: Call, attempt: Attempt, failed: Sequence[Attempt]) -> Attempt | None:
    """Return another attempt at a candidate that failed; None when it is not to be asked again."""
    times = sum(other.candidate == attempt.candidate for other in failed)
    pause_s = None if attempt.error is None else retry.pause_s(attempt.error, times, call.router.dice())
    now_s = trio.current_time()
    call.patience.limit(attempt.candidate.provider.timeouts.total_s)
    if pause_s is None or now_s + pause_s >= call.patience.deadline:
        return None
    permission = attempt.child.retries.try_spend(now_s)
    return None if permission is None else Attempt(call, attempt.candidate, permission, pause_s)


async def _ask(call: Call, attempt: Attempt, waiting: deque[Candidate], failed: list[Attempt]) -> bool:
    """Ask one candidate, and a second one beside it when the first is silent for too long."""
    policy = call.router.config.router
    hedge_s = policy.hedge_s(attempt.candidate.route) if policy.hedge_after_s else None
    if hedge_s is None:
        await attempt.run()
        if attempt.error is None:
            return True
        attempts, was_served = [attempt], False
    else:
        race = await hedged(attempt, lambda: _hedge(call, waiting), hedge_s)
        attempts, was_served = race.entrants, race.was_served
        if not was_served:  # who lost to an answer that came to nothing still has its turn
            waiting.extend(one.candidate for one in attempts if one.is_lost)
    failed += [one for one in attempts if one.error is not None and not _is_unfit(one)]
    return was_served


def _hedge(call: Call, waiting: deque[Candidate]) -> Attempt | None:
    """Return an attempt at the next candidate that may be asked beside another one.

    Those that may not now stay where they are: their turn comes when the present one fails.
    """
    if not call.may_ask:
        return None
    for candidate in waiting:
        if _may_serve(call, candidate):
            permission = call.router.children[candidate.provider.id].retries.try_spend(trio.current_time())
            if permission is not None:
                waiting.remove(candidate)
                return Attempt(call, candidate, permission)
    return None


def _goes_on(call: Call, failed: Sequence[Attempt]) -> bool:
    if call.calls_left <= 0:
        return False
    return not failed or all(one.error is None or verdict.tries_next(one.error) for one in failed)


def _can_serve(call: Call, candidate: Candidate) -> bool:
    """False for a candidate of the last tier that cannot take what the request holds."""
    is_chosen = candidate.tier != "emergency"
    return is_chosen or shape.fits(candidate.provider, candidate.model, call.request.body)


def _may_serve(call: Call, candidate: Candidate) -> bool:
    """True for a candidate that can serve the request and has neither an open breaker nor resting keys alone."""
    child = call.router.children[candidate.provider.id]
    return _can_serve(call, candidate) and child.is_available(candidate.model)


def _is_unfit(attempt: Attempt) -> bool:
    """True for a candidate of the last tier for which the request could not even be written."""
    return attempt.candidate.tier == "emergency" and attempt.is_unbuilt


async def _tell(call: Call, failed: Sequence[Attempt]) -> None:
    """Tell the client the error of the attempt that leaves most hope, or that is final."""
    told = verdict.to_tell([attempt.error for attempt in failed if attempt.error is not None])
    next(attempt for attempt in failed if attempt.error is told).note()
    words = verdict.for_client(told)
    await call.delivery.fail(words, _own_body(words))


def _own_body(error: ApiError) -> bytes | None:
    """Return the provider's own words, with whatever looks like a key masked; None when others are needed."""
    if not isinstance(error, UpstreamError) or error.body is None or error.status != error.upstream_status:
        return None
    if error.fault == "overflow" and not any(words in error.body for words in _OVERFLOW_WORDS):
        return None
    return mask_keys(error.body.decode("utf-8", "replace")).encode()
