from typing import Any

import pytest

from ucr.config.model import ModelTarget
from ucr.config.rule_model import FieldTest, Rewrite, Rule, Span, Weight, When
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.routing import Claim
from ucr.rules import Looked, Rules, Ruling

CHEAP, DEAR = ModelTarget("a", "cheap"), ModelTarget("b")
CAP = Rewrite(removals=(("temperature",),))


def facts(model: str = "m", session: str | None = None, raw: bytes = b"{}", client: str | None = None) -> Facts:
    body: dict[str, Any] = {"max_tokens": 5}
    return Facts(Request("anthropic", raw, body, model, False, {}, session), client)


RULES = Rules(
    (
        Rule("cap", rewrite=CAP),
        Rule("small", When(model=("*-mini",), body=(FieldTest(("max_tokens",), "less", 9.0),)), (CHEAP, DEAR)),
        Rule("late", When(time=Span(22 * 60, 23 * 60)), (DEAR,)),
        Rule("renamed", When(model=("old-*",)), rewrite=Rewrite("new")),
        Rule("never", targets=(DEAR,)),
    )
)


def test_the_first_rule_that_decides_ends_it_and_rewrites_go_along() -> None:
    assert RULES.ruling(facts("x-mini"), 0.0) == Ruling(
        Claim("rules", "rule:small", (CHEAP, DEAR)),
        None,
        (("cap", CAP),),
        (Looked("cap", None), Looked("small", None)),
    )


def test_each_rule_that_does_not_hold_says_why() -> None:
    ruling = RULES.ruling(facts("x"), 0.0)
    assert ruling.looked == (
        Looked("cap", None),
        Looked("small", "model"),
        Looked("late", "time"),
        Looked("renamed", "model"),
        Looked("never", None),
    )
    assert ruling.claim == Claim("rules", "rule:never", (DEAR,))
    assert ruling.decides


def test_the_time_is_an_argument() -> None:
    ruling = RULES.ruling(facts("x"), 22.5 * 3600)
    assert ruling.claim == Claim("rules", "rule:late", (DEAR,))


def test_a_new_name_decides_without_a_claim() -> None:
    ruling = RULES.ruling(facts("old-1"), 0.0)
    assert (ruling.claim, ruling.model, ruling.decides) == (None, "new", True)
    assert ruling.rewrites == (("cap", CAP), ("renamed", Rewrite("new")))


def test_for_a_request_whose_name_decides_rules_only_rewrite() -> None:
    ruling = RULES.ruling(facts("x-mini"), 0.0, is_named=True)
    assert ruling == Ruling(rewrites=(("cap", CAP),), looked=(Looked("cap", None),))
    assert not ruling.decides


def test_without_rules_nothing_is_said() -> None:
    assert Rules(()).ruling(facts(), 0.0) == Ruling()
    assert (repr(Rules(())), repr(RULES)) == ("<Rules: none>", "<Rules: cap, small, late, renamed, never>")


AB = Rule("ab", weights=(Weight(CHEAP, 80.0), Weight(DEAR, 20.0)))


def first(rule: Rule, seen: Facts) -> ModelTarget:
    claim = Rules((rule,)).ruling(seen, 0.0).claim
    assert claim is not None
    assert sorted(map(str, claim.targets)) == ["a/cheap", "b"]
    return claim.targets[0]


def test_sessions_share_the_arms_by_weight_and_each_keeps_its_own() -> None:
    arms = [first(AB, facts(session=f"s{number}")) for number in range(1000)]
    assert 760 < arms.count(CHEAP) < 840
    assert arms == [first(AB, facts("other", f"s{number}", b"[]", "ci")) for number in range(1000)]


def test_without_a_session_the_same_request_of_a_client_keeps_its_arm() -> None:
    arms = [first(AB, facts(raw=b"%d" % number)) for number in range(1000)]
    assert 760 < arms.count(CHEAP) < 840
    assert arms == [first(AB, facts(raw=b"%d" % number)) for number in range(1000)]
    assert arms != [first(AB, facts(raw=b"%d" % number, client="ci")) for number in range(1000)]


@pytest.mark.parametrize("other", ["ac"])
def test_another_experiment_deals_its_arms_anew(other: str) -> None:
    sessions = [facts(session=f"s{number}") for number in range(200)]
    again = Rule(other, weights=AB.weights)
    assert [first(AB, seen) for seen in sessions] != [first(again, seen) for seen in sessions]
