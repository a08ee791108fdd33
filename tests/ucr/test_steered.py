import pytest

from ucr.config.model import ModelTarget
from ucr.decision import Steering
from ucr.dialects.roles import Request
from ucr.facts import Facts
from ucr.routing import Claim
from ucr.rules import Ruling
from ucr.steered import CUSTOM, Advice, Steered

RULED = Claim("rules", "rule:r", (ModelTarget("a"),))
CHOSEN = Advice((ModelTarget("b"),), "chosen")


@pytest.mark.parametrize(
    ("ruling", "advice", "expected"),
    [
        (Ruling(), None, Steering()),
        (Ruling(RULED), None, Steering((RULED,))),
        (Ruling(RULED), CHOSEN, Steering((RULED,))),
        (Ruling(model="m"), None, Steering(model="m")),
        (Ruling(), CHOSEN, Steering((Claim("rules", CUSTOM, CHOSEN.targets),))),
        (Ruling(), Advice((), "timeout"), Steering()),
    ],
)
def test_rules_go_before_the_custom_router(ruling: Ruling, advice: Advice | None, expected: Steering) -> None:
    facts = Facts(Request("anthropic", b"{}", {}, "m", False, {}))
    assert Steered(facts, (), ruling, advice).steering == expected
