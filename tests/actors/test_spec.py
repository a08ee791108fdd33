from types import MappingProxyType

import pytest

from actors.breaker import BreakerStatus
from actors.spec import Fact, ProviderEvent, ProviderState, ProviderStatus


@pytest.mark.parametrize(
    ("state", "in_flight", "drained"),
    [("serving", 0, False), ("draining", 1, False), ("draining", 0, True), ("stopped", 0, True)],
)
def test_a_provider_is_drained_when_it_takes_no_work_and_has_none(
    state: ProviderState, in_flight: int, drained: bool
) -> None:
    empty = MappingProxyType({})
    breaker = BreakerStatus("closed", None, 0, 0)
    status = ProviderStatus(state, in_flight, 0, 0, 0, 0, empty, 1, breaker, empty, (), empty, 0, 0)
    assert status.drained is drained


@pytest.mark.parametrize(
    ("status", "name", "for_s"),
    [
        (BreakerStatus("open", 40.0, 5, 1), "breaker.opened", 30),
        (BreakerStatus("half_open", 5.0, 5, 1), "breaker.half_opened", None),
        (BreakerStatus("closed", None, 0, 1), "breaker.closed", None),
    ],
)
def test_a_breaker_that_changes_is_an_event(status: BreakerStatus, name: str, for_s: float | None) -> None:
    event = ProviderEvent.of_breaker("p", "m", status, 10.0)
    assert (event.name, event.provider, event.model, event.for_s) == (name, "p", "m", for_s)


def test_a_key_that_begins_to_rest_is_an_event() -> None:
    event = ProviderEvent.of_key("p", Fact("quota", 1, 70.0), 10.0)
    assert event == ProviderEvent("key.cooled", "p", key=1, kind="quota", for_s=60.0)
