"""The names of tools at a provider that allows 64 letters, digits, `_` and `-`.

A name that does not fit becomes its fitting beginning and a hash of the whole name. It depends on the name
alone, so that it stays the same when other tools come and go, and prompt caches stay valid.
"""

import hashlib
import re
from collections.abc import Mapping, Set
from types import MappingProxyType

NAME_CHARS = 64
HASH_CHARS = 8

NO_NAMES: Mapping[str, str] = MappingProxyType({})
_FITS = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


def provider_names(wanted: Set[str]) -> Mapping[str, str]:
    """Map every name to one that fits, no two to the same; a name that fits is mapped to itself."""
    if not wanted:
        return NO_NAMES
    mapped = {name: name for name in wanted if _FITS.fullmatch(name)}
    if len(mapped) == len(wanted):
        return MappingProxyType(mapped)
    taken = set(mapped)
    for name in sorted(wanted - taken):
        salt = 0
        while (short := _shortened(name, salt)) in taken:
            salt += 1
        taken.add(short)
        mapped[name] = short
    return MappingProxyType(mapped)


def restored_names(mapped: Mapping[str, str]) -> Mapping[str, str]:
    """Return the way back, for the names that differ."""
    if not mapped:
        return NO_NAMES
    return MappingProxyType({short: name for name, short in mapped.items() if short != name})


def _shortened(name: str, salt: int) -> str:
    seed = f"{name}\n{salt}" if salt else name
    digest = hashlib.blake2b(seed.encode("utf-8", "replace"), digest_size=HASH_CHARS // 2).hexdigest()
    return f"{_UNFIT.sub('_', name)[: NAME_CHARS - HASH_CHARS - 1]}_{digest}"
