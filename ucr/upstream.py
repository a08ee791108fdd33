"""From a built request to a provider's answer: the one place where the actors' errors become UCR's own."""

import math
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import urlsplit

import trio

from actors import (
    Abandoned,
    ActorError,
    AskTimeout,
    BreakerOpen,
    CoolingDown,
    Draining,
    Failure,
    KeyFault,
    Lease,
    MailboxFull,
    Origin,
    PoolError,
    ProviderSpec,
    Pump,
    Take,
    Timers,
    UpstreamResponse,
    Urgency,
)
from actors import (
    Provider as ProviderChild,
)
from ucr import fields, ratelimits
from ucr.address import Address
from ucr.config.model import Provider
from ucr.dialects.roles import Headers, Outgoing
from ucr.errors import ErrorType, UpstreamError
from ucr.patience import Patience
from ucr.redaction import WHOLE_WORD_BELOW, holds_secret
from ucr.secret import Secret
from ucr.watchdog import Watchdog, pool_fault

BUSY_RETRY_S = 2
LONGEST_WAIT_S = 60
RESTING: Mapping[KeyFault, tuple[ErrorType, str]] = MappingProxyType(
    {
        "rate_limit": ("rate_limit_error", "is at its rate limit"),
        "quota": ("billing_error", "has no credit left for its key"),
        "auth": ("permission_error", "refuses its key; correct the key in the configuration"),
    }
)
"""What the client is told while every key of a provider has to rest."""
KEY_MASK = "[key]"
CONNECTIONS = 100
"""A provider may have as many, and more when it may be asked more at once."""


def spec_of(provider: Provider) -> ProviderSpec:
    """Return what the actors must know of a provider: where it is and how much it may be asked at once."""
    return ProviderSpec(
        provider.id,
        origin_of(provider.base_url),
        provider.max_requests,
        provider.max_pending,
        provider.wait_s,
        max_connections=max(CONNECTIONS, provider.max_requests),
        keys=max(1, len(provider.api_keys)),
        breaker=provider.breaker,
        adaptive=provider.adaptive_limit,
        http2=provider.http2,
        proxy=provider.proxy,
    )


def origin_of(base_url: str) -> Origin:
    """Return the server of a base URL, which the configuration has checked."""
    parts = urlsplit(base_url)
    if parts.scheme == "http":
        return Origin("http", parts.hostname or "", parts.port or 80)
    return Origin("https", parts.hostname or "", parts.port or 443)


def mask_own_keys(error: UpstreamError, provider: Provider) -> None:
    """Take the provider's keys out of the words with which it refused them, whatever they look like."""
    headers = (value for name, value in provider.headers.items() if holds_secret(name.lower()))
    for secret in (*(key.reveal() for key in provider.secrets), *headers):
        if len(secret) >= WHOLE_WORD_BELOW:
            error.message = error.message.replace(secret, KEY_MASK)
            error.body = error.body and error.body.replace(secret.encode(), KEY_MASK.encode())


def request_id_of(headers: Headers, provider: Provider) -> str | None:
    """Return the provider's own id of the request; None for one that holds its key, or is no id."""
    found = ratelimits.upstream_request_id(headers)
    if found is None or any(key.reveal() in found for key in provider.secrets):
        return None
    return found


async def admitted(
    child: ProviderChild,
    provider: Provider,
    model: str,
    request_id: str,
    patience: Patience,
    *,
    is_side_call: bool = False,
) -> Lease:
    """Wait for a permit of the provider; raise `UpstreamError` when it takes no more work."""
    lease = child.try_admit(request_id, model=model, is_side_call=is_side_call)
    if lease is not None:
        return lease
    return await queued(child, provider, model, request_id, patience, "interactive", is_side_call=is_side_call)


async def queued(
    child: ProviderChild,
    provider: Provider,
    model: str,
    request_id: str,
    patience: Patience,
    urgency: Urgency,
    *,
    is_side_call: bool = False,
    key_group: str = "",
) -> Lease:
    """Wait for a permit that is not free at once; raise as `admitted` does."""
    try:
        with patience.wait():
            return await child.admit(
                request_id,
                deadline=patience.deadline,
                model=model,
                urgency=urgency,
                is_side_call=is_side_call,
                key_group=key_group,
            )
    except (BreakerOpen, CoolingDown) as refusal:
        raise refused(provider, model, refusal) from None
    except MailboxFull:
        why = f"provider '{provider.id}' has {provider.max_requests} requests running and no room for more"
    except Draining:
        why = f"provider '{provider.id}' is shutting down"
    except AskTimeout:
        why = f"provider '{provider.id}' could not be asked before the time of the request was over"
        raise UpstreamError("timeout_error", why, fault="timeout") from None
    except ActorError as error:
        why = f"provider '{provider.id}' is not available: {error}"
    raise UpstreamError("overloaded_error", why, fault="overload", retry_after_s=BUSY_RETRY_S)


def refused(provider: Provider, model: str, refusal: BreakerOpen | CoolingDown) -> UpstreamError:
    """Say in UCR's words that a provider is left alone for a while, and how long it is."""
    seconds = math.ceil(refusal.retry_at - trio.current_time())
    wait_s = min(max(seconds, 1), LONGEST_WAIT_S)
    if isinstance(refusal, BreakerOpen):
        why = f"provider '{provider.id}' failed too often with {model}; it is asked again in {wait_s} s"
        return UpstreamError("overloaded_error", why, fault="overload", retry_after_s=wait_s)
    type_, what = RESTING[refusal.kind]
    why = f"provider '{provider.id}' {what}; it is asked again in {wait_s} s"
    return UpstreamError(type_, why, fault=refusal.kind, retry_after_s=wait_s)


async def opened(
    child: ProviderChild,
    address: Address,
    outgoing: Outgoing,
    lease: Lease,
    patience: Patience,
    timers: Timers,
) -> "Answer":
    """Send a request and return the answer when its head is here; raise `UpstreamError` for every failure."""
    token = None
    if address.tokens is not None:
        with patience.wait():
            await address.renew()
        token = address.token
    try:
        request = address.request(outgoing, lease.key)
    except PoolError as error:
        raise pool_fault(address.provider.id, error) from None
    watchdog = Watchdog(patience, timers, address.provider)
    with watchdog:
        response = await child.pool.start(request, address.limits, watchdog.on_wait)
    if response.status == 200:
        lease.answered(watchdog.waited_s)
    return Answer(response, watchdog, token)


class Answer:
    """A provider's answer, its head here and its body on the way; it holds its connection until `close`.

    Every wait for the body ends in time, and raises `UpstreamError` for every failure. `token` is what it was asked
    with, where that is one that ends.
    """

    __slots__ = ("_response", "headers", "status", "token", "watchdog")

    def __init__(self, response: UpstreamResponse, watchdog: Watchdog, token: Secret | None = None) -> None:
        self.status = response.status
        self.token = token
        self.headers: Headers = fields.joined(response.headers)
        self._response = response
        self.watchdog = watchdog

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._response.close()

    def can_flow(self, pump: Pump) -> bool:
        """True when `flow` may be used."""
        return self._response.can_flow(pump)

    async def flow(self, pump: Pump, take: Take, content_until: float) -> None:
        """Give to `take` what comes, without waking this task, until it or the answer wants otherwise.

        `content_until` is when there must have been content; whoever takes may put that off in the `watchdog`.
        """
        self.watchdog.content_until = content_until
        with self.watchdog:
            self.watchdog.worked_s = await self._response.flow(pump, take)

    async def receive(self, content_until: float | None = None) -> bytes:
        """Return the next bytes, b"" at the end. `content_until` is when there must have been content."""
        data = self._response.receive_now()
        if data is not None:
            return data
        self.watchdog.content_until = content_until
        with self.watchdog:
            return await self._response.receive()

    async def read(self, limit_bytes: int | None = None) -> bytes:
        """Return the rest of the body; raise `UpstreamError` when it has more bytes than that."""
        body = self._response.read_now(limit_bytes)
        if body is not None:
            return body
        with self.watchdog:
            return await self._response.read(limit_bytes)

    @property
    def is_drained(self) -> bool:
        """True when the body has ended well, and all of it was received."""
        return self._response.is_drained

    @property
    def is_ready(self) -> bool:
        """True when `receive` returns, or raises, without waiting."""
        return self._response.is_ready


def outcome_of(error: UpstreamError) -> Failure | Abandoned | None:
    """Return what a failure means for the provider; None when the fault lay in the request.

    Whoever cannot be connected to in time fails for every model, as one who refuses connections. Nothing is known of
    one for whom there was no descriptor here.
    """
    fault = error.fault
    if error.is_shortage:
        return Abandoned()
    if fault == "request" or fault == "overflow" or fault == "model":
        return None
    return Failure("connect" if error.is_unsent else fault, error.retry_after_s)
