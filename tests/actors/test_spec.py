from types import MappingProxyType

import pytest

from actors.breaker import BreakerStatus
from actors.spec import ProviderState, ProviderStatus


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
