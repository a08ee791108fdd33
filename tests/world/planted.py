"""Bugs that are planted into a router, to see that the simulator finds them.

Each one takes the place of a part of the router that works; nothing else is touched.
"""

from collections.abc import Mapping
from types import MappingProxyType

from actors.borrower import Borrower
from actors.breakers import Breakers, Passes
from actors.lease import Abandoned, Lease, Outcome, Success
from actors.ledger import Ledger
from actors.lending import Want
from ucr import sse
from ucr.cache_key import Keys
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.roles import Request
from ucr.errors import ApiError
from ucr.routing import Candidate
from ucr.stress.simulation import Sabotage
from ucr.worker import Worker

_LATE = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"late"}}'


class LeakyLedger(Ledger):
    """Keeps the permit of whoever is cancelled."""

    def _settle(self, lease: Lease) -> None:
        if not isinstance(lease.outcome, Abandoned):
            super()._settle(lease)


class StuckBreakers(Breakers):
    """Never hears that a probe went well."""

    def settle(self, passes: Passes, outcome: Outcome, now: float, dice: float) -> None:
        is_good_probe = passes.is_probe and isinstance(outcome, Success)
        super().settle(passes, Abandoned() if is_good_probe else outcome, now, dice)


class SharedKeys(Keys):
    """Gives one tenant what another one asked for."""

    def of(self, request: Request, choices: tuple[Candidate, ...], client: str, kind: str = "answer") -> bytes:
        return super().of(request, choices, "", kind)


class Chatterer(AnthropicClient):
    """Says a little more after it has said that it failed."""

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes:
        return super().encode_stream_error(error, request_id) + sse.encode(_LATE, "content_block_delta")


class DoubleGiver(Borrower):
    """Gives back twice what was taken once."""

    def give_back(self, key: str, amount: int = 1) -> None:
        super().give_back(key, 2 * amount)


class Forgetful(Borrower):
    """Takes no rate from anybody."""

    async def take(self, *wants: Want) -> None:
        await super().take(*(want for want in wants if want.kind != "rate"))


def leak_leases(worker: Worker) -> None:
    for child in worker.tree.children.values():
        child.ledger.__class__ = LeakyLedger


def stick_breakers(worker: Worker) -> None:
    for child in worker.tree.children.values():
        child.health.breakers.__class__ = StuckBreakers


def share_keys(worker: Worker) -> None:
    answers = worker.api.generation.router.answers
    if answers is not None:
        answers.keys.__class__ = SharedKeys


def talk_after_errors(worker: Worker) -> None:
    worker.api._clients = MappingProxyType({**worker.api._clients, "anthropic": Chatterer()})


def give_twice(worker: Worker) -> None:
    worker.api.limits.borrower.__class__ = DoubleGiver


def forget_rates(worker: Worker) -> None:
    worker.api.limits.borrower.__class__ = Forgetful


PLANTED: Mapping[str, Sabotage] = MappingProxyType(
    {
        "a lease leaked on cancel": leak_leases,
        "a breaker that never closes": stick_breakers,
        "a cache key without the tenant": share_keys,
        "a chunk sent after an error": talk_after_errors,
        "a permit given back twice": give_twice,
        "a rate that nobody keeps": forget_rates,
    }
)
