import pytest

from ucr.stress.real.outages import in_flight


@pytest.mark.parametrize(
    "view",
    [
        {"providers": [{"in_flight": 2, "waiting": 1}, {"in_flight": None}]},
        {"data": [{"status": {"in_flight": 2, "waiting": 1}}, {}]},
    ],
)
def test_what_is_in_flight_and_waits_is_added_up_over_the_providers(view: object) -> None:
    assert in_flight(view) == 3
