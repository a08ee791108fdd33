from dataclasses import replace

from ucr.config.plan import plan_of
from ucr.stress.plan import make_plan
from ucr.stress.settings import BUDGETED, FREE, GONE, RATED, config_of, cost_nano, rpm_of

PLAN = replace(make_plan(1, 60, 10), has_limits=True)


def test_each_tenant_has_its_own_limits() -> None:
    clients = {client.name: client for client in config_of(PLAN).clients}
    assert (clients[FREE].rpm, clients[FREE].budget) == (None, None)
    assert clients[RATED].rpm == rpm_of(PLAN)
    assert clients[BUDGETED].budget is not None


def test_a_plan_without_limits_has_none() -> None:
    clients = config_of(replace(PLAN, has_limits=False)).clients
    assert all(client.rpm is None and client.budget is None for client in clients)


def test_reloads_change_what_can_be_changed_while_requests_run() -> None:
    before = config_of(PLAN)
    assert plan_of(before, config_of(PLAN, "limits")).restarts == ()
    fewer = config_of(PLAN, "fewer")
    assert GONE not in {provider.id for provider in fewer.providers}
    assert config_of(PLAN, "all") == before


def test_every_token_costs_something() -> None:
    assert cost_nano(3) > cost_nano(2) > 0
