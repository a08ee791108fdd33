"""What a budget may be in the configuration."""

from dataclasses import dataclass
from typing import Any

from ucr.config.kinds import REFERENCE, Choice, Number, Schema, Wrong
from ucr.config.model import Budget

PERIODS = ("day", "month", "total")
_USD = Number(0, 10**9)
_PER = Choice(PERIODS)
_SAYS = 'must be an amount in USD, or a table such as { usd = 10.0, per = "day" }'


@dataclass(frozen=True, slots=True)
class BudgetKind:
    """An amount in USD, for ever, or a table that says for how long."""

    is_secret: bool = False

    @property
    def word(self) -> str:
        return "number, or table of `usd` and `per` (`day`, `month` or `total`)"

    def read(self, value: object) -> Budget:
        if not isinstance(value, dict):
            return Budget(_USD.read(value))
        unknown = sorted(value.keys() - {"usd", "per"})
        if unknown or "usd" not in value:
            raise Wrong(f"{_SAYS}; {unknown[0]!r} is unknown" if unknown else _SAYS)
        period: Any = _PER.read(value.get("per", "total"))
        return Budget(_USD.read(value["usd"]), period)

    def schema(self) -> Schema:
        table = {
            "type": "object",
            "properties": {"usd": _USD.schema(), "per": _PER.schema()},
            "required": ["usd"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "number", "minimum": 0}, table, dict(REFERENCE)]}
