from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import pytest

from ucr.config.model import Client, Config, Logging, ModelTarget, Provider, Router, Server, Timeouts
from ucr.config.plan import LIVE, LIVE_PROVIDER, LIVE_SERVER, PARENT_SERVER, Plan, is_same, plan_of
from ucr.secret import Secret

ONE = Provider("one", "anthropic", "http://one.test")
TWO = Provider("two", "openai-chat", "http://two.test/v1")
CONFIG = Config(providers=(ONE, TWO))


def planned(**changes: Any) -> Plan:
    return plan_of(CONFIG, replace(CONFIG, **changes))


def test_nothing_changed_is_nothing_to_do() -> None:
    assert plan_of(CONFIG, CONFIG) == Plan()
    assert is_same(CONFIG, replace(CONFIG, source="elsewhere", warnings=("x",)))


def test_providers_come_and_go() -> None:
    assert planned(providers=(TWO, Provider("three", "anthropic", "http://three.test"))) == Plan(
        added=("three",), removed=("one",)
    )


def test_a_provider_that_is_switched_off_is_removed_and_one_switched_on_is_added() -> None:
    off = replace(CONFIG, providers=(replace(ONE, enabled=False), TWO))
    assert plan_of(CONFIG, off) == Plan(removed=("one",))
    assert plan_of(off, CONFIG) == Plan(added=("one",))


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "http://other.test"},
        {"api_keys": (Secret("k"),)},
        {"max_requests": 3},
        {"max_pending": 0},
        {"dialect": "openai-chat"},
    ],
)
def test_what_a_providers_actor_knows_of_changes_it(change: dict[str, Any]) -> None:
    assert planned(providers=(replace(ONE, **change), TWO)) == Plan(changed=("one",))


@pytest.mark.parametrize(
    "change",
    [
        {"headers": MappingProxyType({"x": "y"})},
        {"timeouts": Timeouts(idle_s=1)},
        {"models": ("m",)},
        {"priority": 3},
    ],
)
def test_what_every_request_reads_anew_changes_no_actor(change: dict[str, Any]) -> None:
    changed = replace(CONFIG, providers=(replace(ONE, **change), TWO))
    assert plan_of(CONFIG, changed) == Plan()
    assert not is_same(CONFIG, changed)


@pytest.mark.parametrize(
    "change",
    [
        {"models": MappingProxyType({"m": (ModelTarget("one"),)})},
        {"router": Router(default=(ModelTarget("two"),))},
        {"clients": (Client("me", "0" * 64),)},
        {"admin_key_sha256": "0" * 64},
        {"timeouts": Timeouts(total_s=1)},
        {"logging": Logging("debug")},
        {"server": Server(grace_s=1, allowed_hosts=("a",), allowed_origins=("b",))},
    ],
)
def test_what_can_change_while_it_runs_needs_no_new_worker(change: dict[str, Any]) -> None:
    assert planned(**change) == Plan()


def test_what_a_worker_takes_at_its_start_needs_new_workers() -> None:
    plan = planned(server=Server(keep_alive_s=1, body_limit_bytes=9))
    assert plan == Plan(restarts=("server.body_limit_bytes", "server.keep_alive_s"))


@pytest.mark.parametrize("change", [{"port": 4000}, {"host": "::1"}])
def test_another_address_needs_new_sockets(change: dict[str, Any]) -> None:
    assert planned(server=replace(Server(), **change)) == Plan(rebinds=True)


def test_another_number_of_workers_is_the_parents_business() -> None:
    assert planned(server=Server(workers=3)) == Plan(resizes=True)


def test_the_names_in_the_lists_are_names_of_fields() -> None:
    assert {field.name for field in fields(Config)} >= LIVE
    assert {field.name for field in fields(Server)} >= LIVE_SERVER | PARENT_SERVER
    assert {field.name for field in fields(Provider)} >= LIVE_PROVIDER
