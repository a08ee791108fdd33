import json
import tracemalloc
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.ucr.test_routing import CONFIG, A, C, configs, provider
from ucr.config.model import Config, ModelTarget, Provider, Router
from ucr.config.rule_model import Rule
from ucr.decision import KEPT_CANDIDATES, NAME_CHARS, UNSTEERED, Decisions, Steering, decide
from ucr.dialects.roles import Request
from ucr.errors import ApiError
from ucr.facts import Facts
from ucr.routing import Claim, plan


def asked(model: str) -> Request:
    return Request("anthropic", b"{}", {"messages": []}, model, stream=False, headers={})


def test_a_decision_is_made_once() -> None:
    decisions = Decisions(CONFIG)
    first = decisions.decide(asked("fast"))
    assert first == decide(CONFIG, Facts(asked("fast")))
    assert decisions.decide(asked("fast")) is first


def test_a_decision_says_who_and_why() -> None:
    decision = decide(CONFIG, Facts(asked("shared")))
    assert decision.candidates == plan(CONFIG, "shared")
    assert decision.route == "listed"
    assert [step.step for step in decision.trail] == ["alias", "provider", "rules", "task", "listed"]
    assert not decision.goes_by_name
    assert decide(CONFIG, Facts(asked("fast"))).goes_by_name


def test_of_many_decisions_the_latest_are_kept() -> None:
    decisions = Decisions(CONFIG, limit=3)
    kept = decisions.decide(asked("m2"))
    for number in range(3, 5):
        decisions.decide(asked(f"m{number}"))
    assert decisions.decide(asked("m2")) is kept
    decisions.decide(asked("m5"))
    assert decisions.decide(asked("m2")) is not kept
    assert repr(decisions) == "<Decisions: 3>"


def test_what_is_kept_is_bounded_however_many_providers_there_are() -> None:
    many = tuple(provider(f"p{number}", models=("m", "n"), default_model="o") for number in range(100))
    config = Config(providers=many, router=Router(default=(ModelTarget("p0"),)))
    decisions = Decisions(config)
    names = [f"name-{number}" for number in range(30)]
    tracemalloc.start()
    for name in names:
        decisions.decide(asked(name))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert repr(decisions) == f"<Decisions: {KEPT_CANDIDATES // 300}>"
    assert kept < 5_000_000


def test_no_decision_is_kept_for_a_name_that_is_longer_than_any() -> None:
    decisions = Decisions(CONFIG)
    name = "m" * (NAME_CHARS + 1)
    assert decisions.decide(asked(name)).candidates == plan(CONFIG, name)
    assert repr(decisions) == "<Decisions: 0>"


def test_a_request_for_nobody_is_refused_each_time() -> None:
    decisions = Decisions(Config(providers=(C,)))
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            decisions.decide(asked("m"))
        assert caught.value.status == 404


NAMES = ("m", "fast", "p/m", "q/claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "claude-haiku-4-5", "zzz")
IMAGE = {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "aGk="}}]}
PARTS: tuple[dict[str, Any], ...] = (
    {"thinking": {"type": "enabled", "budget_tokens": 1}},
    {"output_config": {"effort": "max"}},
    {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    {"stop_sequences": ["</block>"]},
    {"messages": [IMAGE]},
    {"messages": [{"role": "user", "content": "step by step " * 100}]},
)


def shown(model: str, hint: str | None, agent: str | None, *parts: dict[str, Any]) -> Request:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
    for part in parts:
        body |= part
    headers = {} if hint is None else {"x-claude-code-request-class": hint}
    return Request("anthropic", json.dumps(body).encode(), body, model, False, headers, None, agent)


REQUESTS = tuple(
    shown(model, hint, agent, *parts)
    for model in NAMES
    for hint, agent in ((None, None), (None, "a"), ("main", None), ("auxiliary", None), ("odd", None))
    for parts in ((), *((part,) for part in PARTS), *combinations(PARTS, 2))
)


@given(
    configs(),
    st.lists(st.sampled_from(REQUESTS), max_size=6),
    st.integers(1, 300),
    st.booleans(),
    st.integers(1, 4),
)
@settings(max_examples=50, deadline=None)
def test_what_is_kept_is_what_would_be_decided(
    config: Config, asked: list[Request], threshold: int, keywords: bool, limit: int
) -> None:
    router = replace(config.router, token_threshold=threshold, keywords=keywords)
    config = replace(config, router=router)
    decisions = Decisions(config, limit=limit)
    for request in asked:
        try:
            fresh = decide(config, Facts(request))
        except ApiError:
            with pytest.raises(ApiError):
                decisions.decide(request)
        else:
            assert decisions.decide(request) == fresh


def test_a_name_that_decides_is_not_looked_at_twice() -> None:
    config = replace(CONFIG, router=replace(CONFIG.router, tasks={"think": (ModelTarget("c"),)}))
    decisions = Decisions(config)
    thinks = structs.replace(asked("b/x"), body={"thinking": {"type": "enabled"}})
    first = decisions.decide(thinks)
    assert first.goes_by_name
    assert decisions.decide(asked("b/x")) is first
    assert decisions.decide(structs.replace(thinks, model="m")) is not decisions.decide(asked("m"))


def test_a_decision_begins_with_whom_the_routing_chose() -> None:
    assert decide(Config(providers=(A,)), Facts(asked("a-1"))).candidates[0].provider is A


STEERED = Steering((Claim("rules", "rule:r", (ModelTarget("b", "ruled"),)),))


@pytest.mark.parametrize(
    ("model", "steering", "expected"),
    [
        pytest.param("m", UNSTEERED, "default", id="nobody-steers"),
        pytest.param("m", STEERED, "rule:r", id="a-claim"),
        pytest.param("a/x", STEERED, "provider", id="a-name-goes-before"),
        pytest.param("m", Steering(model="a/x"), "provider", id="another-name"),
    ],
)
def test_what_steers_decides_alike_whether_it_is_kept_or_not(
    model: str, steering: Steering, expected: str
) -> None:
    providers = (Provider("a", "anthropic", "http://a.test"), Provider("b", "anthropic", "http://b.test"))
    rules = (Rule("r", targets=(ModelTarget("b", "ruled"),)),)
    config = Config(providers=providers, router=Router(default=(ModelTarget("a"),), rules=rules))
    decisions, seen = Decisions(config), Facts(Request("anthropic", b"{}", {}, model, False, {}))
    for _ in range(2):
        assert decisions.decide_steered(seen, STEERED) == decide(config, seen, STEERED)
        assert decisions.decide_steered(seen, steering) == decide(config, seen, steering)
    assert decisions.decide_steered(seen, steering).route == expected
