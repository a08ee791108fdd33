"""Makes `ucr/prices.json` of the data in the package `genai-prices`, which is well kept and asks nobody.

    pip install genai-prices && python scripts/price_list.py > ucr/prices.json

The package itself takes half a second and 40 MB to load, so that no worker does; the file holds what a router
needs of it: prices of tokens, what they depend on, and by which names models are known.
"""

import importlib.metadata
import json
import re
import sys
from datetime import UTC, datetime
from typing import Any

COLUMNS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")


def main() -> None:
    """Write the file to standard output."""
    from genai_prices.data import providers

    about = {
        "source": f"genai-prices {importlib.metadata.version('genai-prices')}, https://github.com/pydantic/genai-prices",
        "licence": "MIT, see prices.LICENSE",
        "made": datetime.now(UTC).date().isoformat(),
        "unit": "USD per million tokens: [from input tokens, input, output, cache read, cache write, cache write 1h]",
    }
    # One provider a line: a change of prices is then a change of few lines.
    lines = ",\n".join(
        json.dumps(one, separators=(",", ":")) for one in map(_provider, providers) if one["models"]
    )
    sys.stdout.write(f'{{"about":{json.dumps(about)},\n"providers":[\n{lines}\n]}}\n')


def _provider(provider: Any) -> dict[str, Any]:
    models = [one for one in map(_model, provider.models) if one["prices"]]
    fallback = list(provider.fallback_model_providers or ())
    return {"id": provider.id, "url": provider.api_pattern, "fallback": fallback, "models": models}


def _model(model: Any) -> dict[str, Any]:
    given = model.prices if isinstance(model.prices, list) else [None]
    sheets = [_sheet(model.prices if one is None else one.prices, one) for one in given]
    return {"match": _match(model.match), "prices": [sheet for sheet in sheets if sheet is not None]}


def _sheet(prices: Any, condition: Any) -> dict[str, Any] | None:
    """Return the prices that hold under one condition; None where tokens have none."""
    columns = [getattr(prices, name, None) for name in COLUMNS]
    if columns[0] is None and columns[1] is None:
        return None
    starts = sorted({0, *(tier.start for column in columns for tier in getattr(column, "tiers", ()))})
    sheet: dict[str, Any] = {"usd": [[start, *(_at(column, start) for column in columns)] for start in starts]}
    constraint: Any = getattr(condition, "constraint", None)
    if hasattr(constraint, "start_date"):
        sheet["since"] = constraint.start_date.isoformat()
    elif constraint is not None:
        sheet["minutes"] = [_minute(constraint.start_time), _minute(constraint.end_time)]
    return sheet


def _at(column: Any, start: int) -> float | None:
    if column is None:
        return None
    price = getattr(column, "base", column)
    for tier in getattr(column, "tiers", ()):
        price = tier.price if tier.start <= start else price
    return float(price)


def _minute(time: Any) -> int:
    return int(time.hour) * 60 + int(time.minute)


def _match(clause: Any) -> dict[str, Any]:
    """Return a clause as a table of one key: how, and what with."""
    [(name, value)] = vars(clause).items()
    if name in ("or_", "and_"):
        return {name[:-1]: [_match(part) for part in value]}
    if name == "regex":
        re.compile(value)
    return {name: value if name == "regex" else value.lower()}


if __name__ == "__main__":
    main()
