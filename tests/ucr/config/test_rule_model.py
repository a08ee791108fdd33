from dataclasses import replace

from ucr.config.model import Config, ModelTarget, Router
from ucr.config.rule_model import (
    FieldTest,
    HeaderTest,
    Rewrite,
    Rule,
    Setting,
    Span,
    Weight,
    When,
)
from ucr.messages import CODEC, Reconfigure

TARGET = ModelTarget("p", "m")
FULL = Rule(
    "full",
    When(
        model=("a*",),
        client=("c",),
        headers=(HeaderTest("x-a", ("b",)),),
        body=(FieldTest(("a", "b"), "equals", True), FieldTest(("c",), "like", ("d",))),
        tokens_greater=5,
        time=Span(60, 120, (0, 6), "Europe/Vienna"),
    ),
    weights=(Weight(TARGET, 0.5),),
    rewrite=Rewrite(None, (Setting(("a",), {"b": [1]}),), (("c", "d"),)),
)


def test_a_rule_decides_when_it_says_where_or_under_which_name() -> None:
    assert Rule("a", targets=(TARGET,)).decides
    assert Rule("a", weights=(Weight(TARGET, 1.0),)).decides
    assert Rule("a", rewrite=Rewrite(model="m")).decides
    assert not Rule("a", rewrite=Rewrite(removals=(("a",),))).decides
    assert not Rule("a").decides


def test_rules_travel_from_the_parent_to_its_workers() -> None:
    config = Config(router=Router(rules=(FULL, Rule("b", targets=(TARGET,))), custom="router.py"))
    received = CODEC.decode(*CODEC.encode(Reconfigure(1, config)))
    first, second = received.config.router.rules
    assert second == config.router.rules[1]
    assert replace(first, when=replace(first.when, body=FULL.when.body)) == FULL
    assert [tuple(test.value) if isinstance(test.value, list) else test.value for test in first.when.body] == [
        True,
        ("d",),
    ]
