"""The bundled list of prices: which providers and models it knows, and what their tokens cost.

How this works. `prices.json` holds a line for each provider: a pattern of its URLs, and its models in order, each with
a clause that says by which names it is known. Only the providers that a configuration has are decoded, and of a model
only what `Sheet` needs; the file's bytes are not kept. Pure: they are an argument.

The list is made by `scripts/price_list.py` of the data of `genai-prices` (MIT, see `prices.LICENSE`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

FILE = "prices.json"
"""The list's file, beside this module."""

_DAY_S = 86_400
_COMPACT_DATE = re.compile(r"-(20[0-9]{2})([0-9]{2})([0-9]{2})$")


@dataclass(frozen=True, slots=True)
class Rates:
    """What one token costs, in billionths of a US dollar, which is USD per million tokens times a thousand.

    They hold for requests of more than `from_tokens` input tokens. None is a price that is not known.
    """

    from_tokens: int
    input: float | None
    output: float | None
    cache_read: float | None
    cache_write: float | None
    cache_write_1h: float | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Prices that hold from a moment on, at some minutes of the day (UTC); `rates` by size, the smallest first."""

    rates: tuple[Rates, ...]
    since_s: float = 0.0
    minutes: tuple[int, int] | None = None

    def holds(self, unix_s: float) -> bool:
        """True when these prices hold at this moment."""
        if unix_s < self.since_s:
            return False
        if self.minutes is None:
            return True
        minute, (start, end) = int(unix_s % _DAY_S) // 60, self.minutes
        return start <= minute < end if start <= end else minute >= start or minute < end


Sheets = tuple[Sheet, ...]
"""The last one that holds is the one; where none does, the first."""


class _Listed(msgspec.Struct):
    usd: list[tuple[int, float | None, float | None, float | None, float | None, float | None]]
    since: str | None = None
    minutes: tuple[int, int] | None = None


class _Model(msgspec.Struct):
    match: dict[str, Any]
    prices: list[_Listed]


class _Provider(msgspec.Struct):
    id: str
    url: str
    fallback: list[str]
    models: msgspec.Raw


class _File(msgspec.Struct):
    about: dict[str, str]
    providers: list[_Provider]


class PriceList:
    """The prices of the providers that are at these URLs, as far as the list in `written` knows them."""

    def __init__(self, base_urls: Mapping[str, str], written: bytes) -> None:
        listed = msgspec.json.decode(written, type=_File).providers
        by_id = {one.id: one for one in listed}
        self._models: dict[str, tuple[_Model, ...]] = {}
        self._sources: dict[str, tuple[str, ...]] = {}
        for provider, url in base_urls.items():
            source = next((one for one in listed if re.match(one.url, url)), None)
            if source is not None:
                self._sources[provider] = (source.id, *source.fallback)
        for name in {name for names in self._sources.values() for name in names}:
            self._models[name] = tuple(msgspec.json.decode(by_id[name].models, type=list[_Model]))

    def __repr__(self) -> str:
        return f"<PriceList of {', '.join(self._sources) or 'nobody'}>"

    def sheets(self, provider: str, model: str) -> Sheets:
        """Return the prices of a provider's model; none when the list does not know it."""
        name = model.lower()
        for spelled in dict.fromkeys((name, _COMPACT_DATE.sub(r"-\1-\2-\3", name))):
            for found in self._candidates(provider):
                if _fits(found.match, spelled):
                    return tuple(_sheet(one) for one in found.prices)
        return ()

    def _candidates(self, provider: str) -> Iterator[_Model]:
        for source in self._sources.get(provider, ()):
            yield from self._models[source]


def _fits(clause: Mapping[str, Any], name: str) -> bool:
    """Return whether a clause of the list, a table of one key, is true of a name in lower case."""
    ((how, what),) = clause.items()
    match how:
        case "equals":
            return bool(name == what)
        case "starts_with":
            return name.startswith(what)
        case "ends_with":
            return name.endswith(what)
        case "contains":
            return what in name
        case "regex":
            return re.search(what, name) is not None
        case "or":
            return any(_fits(part, name) for part in what)
        case "and":
            return all(_fits(part, name) for part in what)
        case _:
            return False


def _sheet(listed: _Listed) -> Sheet:
    since_s = (
        0.0 if listed.since is None else datetime.fromisoformat(listed.since).replace(tzinfo=UTC).timestamp()
    )
    return Sheet(tuple(rates_of(start, prices) for start, *prices in listed.usd), since_s, listed.minutes)


def rates_of(from_tokens: int, usd: Iterable[float | None]) -> Rates:
    """Make rates of prices in USD per million tokens: input, output, cache read, cache write, cache write for 1 h."""
    return Rates(from_tokens, *(None if price is None else price * 1000 for price in usd))
