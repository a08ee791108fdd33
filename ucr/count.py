"""Counting the tokens of a request without sending it.

The provider counts where it offers to; otherwise the local estimate does. A provider that refuses, fails, is slow or
has no place free only costs the exactness: the estimate answers, because clients do without a count badly.
"""

from functools import partial

import trio

from actors import Provider as ProviderChild
from actors import Success, Timers
from ucr import upstream
from ucr.access import check_model
from ucr.address import Address
from ucr.caching import LARGEST_REQUEST_BYTES, wish_of
from ucr.call import Router, note_request
from ucr.config.model import Client
from ucr.dialects import registry
from ucr.dialects.anthropic.provider import AnthropicProvider
from ucr.dialects.bedrock.provider import BedrockProvider
from ucr.dialects.gemini.provider import GeminiProvider
from ucr.dialects.openai_responses.provider import OpenAIResponsesProvider
from ucr.dialects.roles import Outgoing, Request
from ucr.errors import ApiError, UpstreamError
from ucr.estimate import estimate
from ucr.exchange import Exchange
from ucr.jsontext import JsonError, loads
from ucr.large import beside
from ucr.parsing import Parse, parsed
from ucr.patience import Patience
from ucr.record import Record
from ucr.rests import LARGE_BYTES
from ucr.routing import Candidate, plain_name

LONGEST_WAIT_S = 10.0
"""How long a count is waited for: whoever asks for one waits to begin with the request itself."""

COUNTING = (AnthropicProvider, BedrockProvider, GeminiProvider)
"""The dialects in which a provider can be asked to count."""

Counting = AnthropicProvider | BedrockProvider | GeminiProvider | OpenAIResponsesProvider
RESPONSES = OpenAIResponsesProvider()
"""OpenAI counts for all its models here, whatever they are asked in."""

_ANSWER_BYTES = 64 * 1024
_COUNTS = ("input_tokens", "totalTokens", "inputTokens")

_SLOW_BYTES = 256 * 1024
"""To estimate the tokens of this much takes up to a tenth of a second, when it is all in small turns."""


async def count_tokens(
    exchange: Exchange,
    router: Router,
    record: Record,
    patience: Patience,
    parse: Parse,
    caller: Client | None = None,
) -> int:
    """Return the number of input tokens; raise `ApiError` for a request that is not one, or not the client's.

    `parse` reads the client's question as a request whose body is canonical.
    """
    raw = await exchange.body(router.config.server.body_limit_bytes)
    request = await parsed(router, parse, raw, exchange.headers)
    note_request(record, request)
    check_model(caller, plain_name(request.model))
    if router.steer is None:
        decision = router.decisions.decide(request, record.client)
    else:
        decision = await router.steer.decided(request, record.client)
    candidate = decision.candidates[0]
    record.provider, record.model_used, record.route = (
        candidate.provider.id,
        candidate.model,
        candidate.route,
    )
    counted = await _known(router, request, candidate, record, patience)
    return await _estimated(router, request, candidate) if counted is None else counted


async def _estimated(router: Router, request: Request, candidate: Candidate) -> int:
    """Return the local estimate, which is made beside the loop where it takes long."""
    judge = partial(estimate, request.body, candidate.provider.dialect)
    return judge() if len(request.raw) < _SLOW_BYTES else await beside(router.reading, judge)


async def _known(
    router: Router, request: Request, candidate: Candidate, record: Record, patience: Patience
) -> int | None:
    """Return what the provider counts, or has counted before; None when it does not count."""
    answers, wish = router.answers, wish_of(request.headers)
    if (
        answers is None
        or _counter(candidate) is None
        or wish == "nothing"
        or len(request.raw) > LARGEST_REQUEST_BYTES
    ):
        return await _native(router, request, candidate, record, patience)
    key = answers.keys.of(request, (candidate,), record.client or "", kind="count")
    known = await answers.count(key) if wish == "use" else None
    record.cache = "miss" if known is None else "hit"
    if known is not None:
        return known
    counted = await _native(router, request, candidate, record, patience)
    if counted is not None:
        answers.note_count(key, counted)
    return counted


def _counter(candidate: Candidate) -> Counting | None:
    """Return the dialect in which a provider is asked to count; None when it does not count."""
    dialect = registry.PROVIDERS[candidate.provider.dialect]
    if isinstance(dialect, COUNTING):
        return dialect
    if candidate.provider.quirks.count_input and candidate.provider.dialect.startswith("openai-"):
        return RESPONSES
    return None


async def _native(
    router: Router, request: Request, candidate: Candidate, record: Record, patience: Patience
) -> int | None:
    provider, counter = candidate.provider, _counter(candidate)
    if counter is None:
        return None
    child = router.children[provider.id]
    if child.status.in_flight >= child.status.limit:
        return None
    build = partial(counter.build_count, request, candidate.target)
    try:
        outgoing = build() if len(request.raw) < LARGE_BYTES else await beside(router.reading, build)
    except ApiError:
        return None
    with trio.move_on_after(LONGEST_WAIT_S):
        return await _asked(
            child, router.addresses[provider.id], outgoing, candidate.model, record, patience, router.timers
        )
    return None


async def _asked(
    child: ProviderChild,
    address: Address,
    outgoing: Outgoing,
    model: str,
    record: Record,
    patience: Patience,
    timers: Timers,
) -> int | None:
    """Ask the provider; its failure says nothing of what a real request would meet."""
    try:
        with await upstream.admitted(
            child, address.provider, model, record.request_id, patience, is_side_call=True
        ) as lease:
            record.attempts = 1
            with await upstream.opened(child, address, outgoing, lease, patience, timers) as answer:
                body = await answer.read(_ANSWER_BYTES)
                lease.outcome = Success()
                return _number(body) if answer.status == 200 else None
    except UpstreamError:
        return None


def _number(body: bytes) -> int | None:
    try:
        value = loads(body)
        tokens = next((value[key] for key in _COUNTS if key in value), None)
    except (JsonError, AttributeError, TypeError):
        return None
    return tokens if isinstance(tokens, int) else None
