"""Rendezvous hashing: whoever ranks the same members for the same group gets the same order, without any state.

A member that is gone takes only its own groups with it, which spread over the others.

Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996). A plain CRC would not do: it
is linear, so that of three members one gets half of the groups. With weights: Schindelhauer and Schomaker, "Weighted
Distributed Hash Tables" (2005), the logarithmic method.
"""

import math
from collections.abc import Iterable
from hashlib import blake2b
from typing import TypeVar

Member = TypeVar("Member")

_BITS = 52
"""So many bits, and half a step: the largest number below 1 is then below 1 as a float, too."""


def rank(group: str, member: object) -> bytes:
    """Return where a member stands for a group; the least stands first. Members differ by their text."""
    return blake2b(f"{group}\0{member}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


def ranked(group: str, members: Iterable[Member]) -> list[Member]:
    """Return the members in the order that a group has for them."""
    return sorted(members, key=lambda member: rank(group, member))


def weighted(group: str, members: Iterable[tuple[Member, float]]) -> list[Member]:
    """Return the members in the order that a group has for them, each first for its share of the groups.

    Its share is its weight among all weights; who has no weight is left out. With other weights only as many
    groups have another first as must.
    """
    scored = [(_score(group, member, weight), member) for member, weight in members if weight > 0]
    return [member for _, member in sorted(scored, key=lambda pair: pair[0])]


def _score(group: str, member: object, weight: float) -> float:
    point = ((int.from_bytes(rank(group, member), "big") >> (64 - _BITS)) + 0.5) / (1 << _BITS)
    return -math.log(point) / weight
