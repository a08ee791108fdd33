"""Which content coding an answer may have, by what its client accepts (RFC 9110, 12.5.3)."""

import re
from typing import Literal

Coding = Literal["gzip", "deflate"]

CODINGS: tuple[Coding, ...] = ("gzip", "deflate")
"""Those that answers are written in, the preferred one first."""

_ITEM = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
_ITEMS = 20


def coding_for(accept_encoding: str) -> Coding | None:
    """Return the coding that the client likes best; None when it wants, or may only have, the plain answer."""
    weights = _weights(accept_encoding.lower())
    others = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda coding: weights.get(coding, others))
    weight = weights.get(best, others)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _weights(accept_encoding: str) -> dict[str, float]:
    """Return the weight of each coding that is named; what cannot be read names none."""
    weights: dict[str, float] = {}
    for item in accept_encoding.split(",", _ITEMS)[:_ITEMS]:
        match = _ITEM.fullmatch(item.strip(" \t"))
        if match is not None:
            name = match[1].removeprefix("x-")
            weights[name] = 1.0 if match[2] is None else float(match[2])
    return weights
