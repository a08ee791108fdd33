from dataclasses import dataclass, field, replace

import trio
from trio.testing import MockClock

from actors.admission import Admit
from actors.errors import BreakerOpen, CoolingDown, Draining
from actors.gate import Gate
from actors.lease import Failure, Lease, Outcome, Success
from actors.request import Origin
from actors.spec import Fact, ProviderEvent, ProviderSpec

SPEC = ProviderSpec("up", Origin("http", "up.test", 80), max_requests=2)
ADMIT = Admit("r", 100, model="m")


@dataclass
class Heard:
    """A gate, and what it told."""

    spec: ProviderSpec = SPEC
    events: list[ProviderEvent] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    settled: list[Lease] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = Gate(
            self.spec,
            rng=lambda: 0.0,
            on_event=self.events.append,
            on_fact=self.facts.append,
            on_settled=self.settled.append,
        )

    def grant(self, *, is_side_call: bool = False) -> Lease | None:
        return self.gate.grant_nowait("r", 1, "m", is_side_call, "", trio.current_time())

    def call(self, outcome: Outcome) -> None:
        lease = self.grant()
        assert lease is not None
        with lease:
            lease.outcome = outcome


async def test_a_grant_takes_a_permit_a_key_and_a_place_in_the_budget_until_it_is_settled() -> None:
    heard = Heard()
    first, side = heard.grant(), heard.grant(is_side_call=True)
    assert first is not None
    assert side is not None
    assert heard.grant() is None
    assert repr(heard.gate) == "<Gate of 'up': <Ledger 2/2 out, 2 granted>>"
    with first, side:
        pass
    assert heard.settled == [side, first]
    assert heard.gate.ledger.in_flight == 0


async def test_what_a_call_found_out_is_told_once_and_refuses_the_next(autojump_clock: MockClock) -> None:
    heard = Heard()
    for _ in range(5):
        heard.call(Failure("server"))
    refusal = heard.gate.refusal(ADMIT, 0)
    assert isinstance(refusal, BreakerOpen)
    assert not heard.gate.is_available("m")
    assert heard.gate.retry_at("m") == refusal.retry_at
    assert [event.name for event in heard.events] == ["breaker.opened"]
    assert heard.grant() is None


async def test_a_key_that_was_turned_away_is_a_fact_for_others_too(autojump_clock: MockClock) -> None:
    heard = Heard()
    heard.call(Failure("rate_limit", 9))
    assert [(fact.kind, fact.key) for fact in heard.facts] == [("rate_limit", 0)]
    refusal = heard.gate.refusal(ADMIT, heard.facts[0].until - 9)
    assert isinstance(refusal, CoolingDown)
    heard.gate.apply_fact(replace(heard.facts[0], until=heard.facts[0].until + 5))
    assert len(heard.facts) == 1
    assert [event.name for event in heard.events] == ["key.cooled", "key.cooled"]


async def test_who_gets_no_lease_is_counted_by_reason() -> None:
    heard = Heard()
    heard.gate.ledger.close()
    refusal = heard.gate.refusal(ADMIT, 0)
    assert isinstance(refusal, Draining)
    for reason in (refusal, BreakerOpen("b", 1), CoolingDown("c", 1, "auth"), CoolingDown("c", 1, "auth")):
        heard.gate.count_refused(reason)
    assert heard.gate.shed == {"draining": 1, "breaker_open": 1, "cooling_down": 2}


async def test_the_smaller_of_limit_and_share_counts() -> None:
    heard = Heard()
    heard.gate.apply_share(1)
    assert (heard.gate.most, heard.gate.ledger.permits) == (2, 1)
    heard.gate.apply_share(5)
    assert heard.gate.ledger.permits == 2
    heard.gate.apply(replace(SPEC, max_requests=4))
    assert (heard.gate.most, heard.gate.ledger.permits) == (4, 4)


async def test_an_adaptive_limit_is_followed_when_a_call_has_ended() -> None:
    heard = Heard(replace(SPEC, max_requests=10, adaptive=True))
    assert heard.gate.ledger.permits == 10
    heard.call(Failure("overload"))
    assert heard.gate.ledger.permits == heard.gate.most == 9
    heard.call(Success())
    assert heard.gate.ledger.permits == 9


async def test_a_call_to_which_nothing_has_to_be_chosen_is_granted_as_any_other() -> None:
    heard = Heard()
    assert heard.gate.grant_freely("r", 1, "m", trio.current_time()) is None, "nothing is known of the model"
    heard.call(Success())
    first, second = (heard.gate.grant_freely("r", 1, "m", trio.current_time()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert heard.gate.grant_freely("r", 1, "m", trio.current_time()) is None, "all permits are out"
    with first, second:
        second.outcome = Success()
    ledger = heard.gate.ledger
    assert (ledger.granted, ledger.succeeded, ledger.abandoned, ledger.in_flight) == (3, 2, 1, 0)
    assert heard.settled[1:] == [second, first]
