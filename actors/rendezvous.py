"""Rendezvous hashing: whoever ranks the same members for the same group gets the same order, without any state.

A member that is gone takes only its own groups with it, which spread over the others.

Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996). A plain CRC would not do: it
is linear, so that of three members one gets half of the groups.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import TypeVar

Member = TypeVar("Member")


def rank(group: str, member: object) -> bytes:
    """Return where a member stands for a group; the least stands first. Members differ by their text."""
    return blake2b(f"{group}\0{member}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


def ranked(group: str, members: Iterable[Member]) -> list[Member]:
    """Return the members in the order that a group has for them."""
    return sorted(members, key=lambda member: rank(group, member))
