import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ucr.test_routing import CONFIG, A, C, configs
from ucr.config.model import Config
from ucr.decision import NAME_CHARS, Decisions, decide
from ucr.dialects.roles import Request
from ucr.errors import ApiError
from ucr.facts import Facts
from ucr.routing import plan


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


@given(
    configs(), st.lists(st.sampled_from(("m", "fast", "p/m", "claude-sonnet-4-5-20250929", "zzz")), max_size=6)
)
@settings(max_examples=200)
def test_what_is_kept_is_what_would_be_decided(config: Config, models: list[str]) -> None:
    decisions = Decisions(config, limit=2)
    for model in models:
        try:
            fresh = decide(config, Facts(asked(model)))
        except ApiError:
            with pytest.raises(ApiError):
                decisions.decide(asked(model))
        else:
            assert decisions.decide(asked(model)) == fresh


def test_a_decision_begins_with_whom_the_routing_chose() -> None:
    assert decide(Config(providers=(A,)), Facts(asked("a-1"))).candidates[0].provider is A
