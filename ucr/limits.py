"""The limits of a client: requests and tokens in a minute, requests at one time, and money.

A request enters before its body is read. Its tokens are estimated when the body is there and corrected by what
the provider reports, so that a stream is never cut for a limit: the next request pays.
"""

import math
from collections.abc import Callable
from types import TracebackType

import trio

from actors import ActorError, Borrower, LimitReached, Want
from actors.errors import AllowanceSpent
from actors.purse import Holding, Purse
from ucr import access, ratelimits
from ucr.config.model import Budget, Client
from ucr.dialects.roles import HeaderList, Request
from ucr.errors import ApiError
from ucr.estimate import quick_estimate
from ucr.pricing import GIVEN_AGAIN, Pricing
from ucr.record import Record
from ucr.routing import Candidate, plain_name
from ucr.spending import account_of, estimated, overspent

_WORDS: tuple[tuple[str, ratelimits.Kind | None, str], ...] = (
    ("rpm", "requests", "{limit} requests a minute are used up"),
    ("tpm", "tokens", "{limit} tokens a minute are used up"),
    ("concurrency", None, "{limit} requests at one time are running"),
)

WHOLE_S = 61.0
"""After so long nothing of a minute's limit is used, if nobody uses it again."""


class Entry:
    """One request of a client, from its admission to its end. Leaving the block gives the permit back."""

    __slots__ = ("_client", "_estimate", "_holding", "_limits", "_pricing", "_record", "_spent_at")

    def __init__(self, limits: "ClientLimits", client: Client, record: Record) -> None:
        self._limits = limits
        self._client = client
        self._record = record
        self._holding: Holding | None = None
        self._pricing: Pricing | None = None
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
        if client.concurrency is not None:
            self._limits.borrower.give_back(key_of(client, "concurrency"))
        if client.tpm is not None and self._estimate:
            self._correct(client, client.tpm)
        if self._holding is not None:
            self._holding.settle(self._cost(self._holding))

    async def spend(
        self, request: Request, choices: tuple[Candidate, ...], pricing: Pricing
    ) -> tuple[Candidate, ...]:
        """Spend what a request is likely to take; return who of the candidates may serve it.

        Raises `ApiError` 403 for a model that the client may not ask for, or whose price must be known and is not,
        429 when tokens or money are not there, and 529 when nobody knows.
        """
        client = self._client
        access.check_model(client, plain_name(self._record.model_asked))
        if client.tpm is not None:
            await self._spend_tokens(client, client.tpm, quick_estimate(request.raw))
        if client.budget is not None:
            estimate = estimated(client, request, quick_estimate(request.raw), choices, pricing)
            self._pricing, choices = pricing, estimate.choices
            self._holding = await self._limits.hold(client, client.budget, estimate.amount)
        self._record.limit_headers = self._limits.headers(client, self._record.dialect)
        return choices

    async def _spend_tokens(self, client: Client, tpm: int, estimate: int) -> None:
        try:
            await self._limits.borrower.take(Want(key_of(client, "tpm"), "rate", tpm, estimate))
        except LimitReached as reached:
            raise self._limits.refused(client, self._record, reached) from None
        self._estimate, self._spent_at = min(estimate, tpm), trio.current_time()

    def _cost(self, holding: Holding) -> int:
        """Return what is to be paid: all that was held, where a provider answered and nobody knows how much it was."""
        record = self._record
        cost = None if self._pricing is None else self._pricing.cost_of(record)
        if cost is not None:
            return cost
        was_served = record.attempts > 0 and record.status in (0, 200) and record.cache not in GIVEN_AGAIN
        return holding.amount if was_served else 0

    def _correct(self, client: Client, tpm: int) -> None:
        difference = tokens_used(self._record, self._estimate) - self._estimate
        want = Want(key_of(client, "tpm"), "rate", tpm, abs(difference))
        if difference > 0:
            self._limits.borrower.charge(want)
        elif difference < 0:
            self._limits.borrower.refund(want, self._spent_at)


class OpenEntry(Entry):
    """That of every request of no client: there is nothing to count, and nothing to give back."""

    __slots__ = ()

    def __init__(self) -> None:
        """Belong to nobody."""

    async def spend(
        self, request: Request, choices: tuple[Candidate, ...], pricing: Pricing
    ) -> tuple[Candidate, ...]:
        return choices


class ClientLimits:
    """Admits requests of clients. What is limited is borrowed: other processes count along."""

    def __init__(self, borrower: Borrower, purse: Purse, unix_time: Callable[[], float]) -> None:
        self.borrower = borrower
        self._purse = purse
        self._unix_time = unix_time
        self.nobody = OpenEntry()

    async def enter(self, client: Client, record: Record) -> Entry:
        """Admit a request, to be used in a `with` at once; raise `ApiError` 429 for one too many."""
        record.client = client.name
        if wants := wants_of(client):
            await self._take(client, record, wants)
        return Entry(self, client, record)

    async def _take(self, client: Client, record: Record, wants: tuple[Want, ...]) -> None:
        try:
            await self.borrower.take(*wants)
        except LimitReached as reached:
            raise self.refused(client, record, reached) from None

    async def hold(self, client: Client, budget: Budget, amount: int) -> Holding:
        """Hold an amount of a client's budget; raise `ApiError` when it is not there, or nobody knows."""
        now_s = self._unix_time()
        account = account_of(client, budget, now_s)
        try:
            return await self._purse.hold(account.name, account.until_s, budget.nano, amount)
        except AllowanceSpent as short:
            left_s = account.until_s - now_s
            raise overspent(client, budget, amount, short.spent, short.held, left_s) from None
        except ActorError:
            words = f"client {client.name!r}: what is left of its budget cannot be known now; try again"
            raise ApiError("overloaded_error", words, retry_after_s=1) from None

    def headers(self, client: Client, dialect: str) -> HeaderList:
        """Return what tells a client how much is left of its requests and tokens; nothing where none is limited.

        A limit is whole again when the minute has passed in which this request was made.
        """
        headers: HeaderList = ()
        for limit, kind, _ in _WORDS:
            allowed: int | None = getattr(client, limit)
            if allowed is not None and kind is not None:
                left = self.borrower.remaining(Want(key_of(client, limit), "rate", allowed))
                headers += ratelimits.own(dialect, kind, allowed, left, WHOLE_S, self._unix_time())
        return headers

    def refused(self, client: Client, record: Record, reached: LimitReached) -> ApiError:
        """Return what a client is told that is over one of its limits."""
        name = reached.key.rpartition("/")[2]
        kind, words = next((kind, words) for limit, kind, words in _WORDS if limit == name)
        limit: int = getattr(client, name)
        seconds = max(1, math.ceil(reached.retry_after_s))
        headers: HeaderList = ()
        if kind is not None:
            headers = ratelimits.own(record.dialect, kind, limit, 0, seconds, self._unix_time())
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
    was answered from the cache or shared another's answer included.
    """
    if record.cache in GIVEN_AGAIN:
        return 0
    usage = record.summary.usage
    if usage.input_tokens is not None:
        return usage.input_tokens + (usage.output_tokens or 0) + (usage.cache_creation_tokens or 0)
    return estimate if 200 <= record.status < 300 else 0
