"""The limits of a client: requests and tokens in a minute, and requests at one time.

A request enters before its body is read. Its tokens are estimated when the body is there and corrected by what
the provider reports, so that a stream is never cut for a limit: the next request pays.
"""

import math
from collections.abc import Callable
from types import TracebackType

import trio

from actors import Borrower, LimitReached, Want
from ucr import ratelimits
from ucr.config.model import Client
from ucr.dialects.roles import HeaderList
from ucr.errors import ApiError
from ucr.estimate import quick_estimate
from ucr.record import Record

_WORDS: tuple[tuple[str, ratelimits.Kind | None, str], ...] = (
    ("rpm", "requests", "{limit} requests a minute are used up"),
    ("tpm", "tokens", "{limit} tokens a minute are used up"),
    ("concurrency", None, "{limit} requests at one time are running"),
)


class Entry:
    """One request of a client, from its admission to its end. Leaving the block gives the permit back."""

    __slots__ = ("_borrower", "_client", "_estimate", "_record", "_refuse", "_spent_at")

    def __init__(
        self,
        borrower: Borrower,
        client: Client | None,
        record: Record,
        refuse: Callable[[Client, Record, LimitReached], ApiError],
    ) -> None:
        self._borrower = borrower
        self._client = client
        self._record = record
        self._refuse = refuse
        self._estimate = 0
        self._spent_at = 0.0

    def __enter__(self) -> "Entry":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        client = self._client
        if client is not None and client.concurrency is not None:
            self._borrower.give_back(key_of(client, "concurrency"))
        if client is not None and client.tpm is not None and self._estimate:
            self._correct(client, client.tpm)

    async def spend(self, raw: bytes) -> None:
        """Spend the tokens that a body is likely to be; raise `ApiError` 429 when they are not there."""
        client = self._client
        if client is None or client.tpm is None:
            return
        estimate = quick_estimate(raw)
        try:
            await self._borrower.take(Want(key_of(client, "tpm"), "rate", client.tpm, estimate))
        except LimitReached as reached:
            raise self._refuse(client, self._record, reached) from None
        self._estimate, self._spent_at = min(estimate, client.tpm), trio.current_time()

    def _correct(self, client: Client, tpm: int) -> None:
        difference = tokens_used(self._record, self._estimate) - self._estimate
        want = Want(key_of(client, "tpm"), "rate", tpm, abs(difference))
        if difference > 0:
            self._borrower.charge(want)
        elif difference < 0:
            self._borrower.refund(want, self._spent_at)


class ClientLimits:
    """Admits requests of clients. What is limited is borrowed: other processes count along."""

    def __init__(self, borrower: Borrower, unix_time: Callable[[], float]) -> None:
        self._borrower = borrower
        self._unix_time = unix_time

    async def enter(self, client: Client | None, record: Record) -> Entry:
        """Admit a request, to be used in a `with` at once; raise `ApiError` 429 for one too many."""
        if client is not None:
            record.client = client.name
            if wants := wants_of(client):
                await self._take(client, record, wants)
        return Entry(self._borrower, client, record, self.refused)

    async def _take(self, client: Client, record: Record, wants: tuple[Want, ...]) -> None:
        try:
            await self._borrower.take(*wants)
        except LimitReached as reached:
            raise self.refused(client, record, reached) from None

    def refused(self, client: Client, record: Record, reached: LimitReached) -> ApiError:
        """Return what a client is told that is over one of its limits."""
        name = reached.key.rpartition("/")[2]
        kind, words = next((kind, words) for limit, kind, words in _WORDS if limit == name)
        limit: int = getattr(client, name)
        seconds = max(1, math.ceil(reached.retry_after_s))
        headers: HeaderList = ()
        if kind is not None:
            headers = ratelimits.own(record.dialect, kind, limit, seconds, self._unix_time())
        return ApiError(
            "rate_limit_error",
            f"client {client.name!r}: {words.format(limit=limit)}; try again in {seconds} s",
            retry_after_s=seconds,
            headers=headers,
        )


def key_of(client: Client, limit: str) -> str:
    """Return the name under which a limit is lent."""
    return f"client/{client.name}/{limit}"


def wants_of(client: Client) -> tuple[Want, ...]:
    """Return what a request needs before it is read."""
    wants = []
    if client.rpm is not None:
        wants.append(Want(key_of(client, "rpm"), "rate", client.rpm))
    if client.concurrency is not None:
        wants.append(Want(key_of(client, "concurrency"), "permits", client.concurrency))
    return tuple(wants)


def tokens_used(record: Record, estimate: int) -> int:
    """Return what a request counts for, now that it has ended.

    What was read from a provider's cache is free, as in the providers' own limits. An answer that says
    nothing of its tokens counts as estimated. A request that no provider answered counts for nothing, one that
    was answered from the cache included.
    """
    if record.cache == "hit":
        return 0
    usage = record.summary.usage
    if usage.input_tokens is not None:
        return usage.input_tokens + (usage.output_tokens or 0) + (usage.cache_creation_tokens or 0)
    return estimate if 200 <= record.status < 300 else 0
