from typing import Any

import pytest

from ucr.config.kinds import Wrong
from ucr.config.model import Budget
from ucr.config.money import BudgetKind


@pytest.mark.parametrize(
    ("value", "budget"),
    [
        (10, Budget(10.0, "total")),
        (0.5, Budget(0.5, "total")),
        ({"usd": 10}, Budget(10.0, "total")),
        ({"usd": 2.5, "per": "day"}, Budget(2.5, "day")),
        ({"usd": 0, "per": "month"}, Budget(0.0, "month")),
    ],
)
def test_a_budget_is_an_amount_and_for_how_long(value: object, budget: Budget) -> None:
    assert BudgetKind().read(value) == budget
    assert budget.nano == round(budget.usd * 10**9)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("ten", "must be a number"),
        (-1, "must lie between 0"),
        ({"per": "day"}, "a table such as"),
        ({"usd": 1, "per": "week"}, "must be one of day, month, total"),
        ({"usd": 1, "pre": "day"}, "'pre' is unknown"),
        ({"usd": True}, "must be a number"),
    ],
)
def test_what_is_no_budget_is_refused_with_what_would_be(value: object, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        BudgetKind().read(value)


def test_the_schema_knows_both_forms() -> None:
    number, table, reference = BudgetKind().schema()["anyOf"]
    properties: dict[str, Any] = table["properties"]
    assert (number["type"], table["required"], sorted(properties)) == ("number", ["usd"], ["per", "usd"])
    assert reference["type"] == "string"
