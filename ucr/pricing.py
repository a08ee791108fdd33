"""What a request costs: the configuration's own prices first, then the bundled list's. Pure.

Amounts are whole billionths of a US dollar, so that sums are exact. A price that is not known gives no cost, never a
cost of 0.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase

from ucr.config.model import Config, Price
from ucr.events import Usage
from ucr.price_list import PriceList, Rates, Sheet, Sheets, rates_of
from ucr.record import Record
from ucr.usage import NAME_CHARS

NANO = 1_000_000_000
GIVEN_AGAIN = frozenset({"hit", "coalesced"})
"""Answers that another request has paid for."""

MAX_NAMES = 1000
"""For how many models prices are remembered, the latest that were asked for first; clients make names up."""


class Pricing:
    """The prices of one configuration; `written` is the bundled list."""

    def __init__(self, config: Config, unix_time: Callable[[], float], written: bytes) -> None:
        self._own = config.prices
        self._list = PriceList({one.id: one.base_url for one in config.providers if one.enabled}, written)
        self._unix_time = unix_time
        self._known: dict[tuple[str, str], Sheets] = {}

    def __repr__(self) -> str:
        return f"<Pricing of {len(self._known)} models>"

    def cost_of(self, record: Record) -> int | None:
        """Return what a request has cost; None when nothing is known of it."""
        usage = record.summary.usage
        if usage.input_tokens is None or record.cache in GIVEN_AGAIN:
            return record.side_nano or None
        sheets = self._known.get((record.provider, record.model_used))
        if sheets is None:
            sheets = self.sheets(record.provider, record.model_used)
        own = cost(usage, sheets[0] if len(sheets) == 1 else self._present(sheets)) if sheets else None
        return own + record.side_nano if own is not None else record.side_nano or None

    def most_for(self, provider: str, model: str, input_tokens: int, output_tokens: int) -> int | None:
        """Return what a request of so many tokens costs at most, all of it written to a cache; None: not known."""
        sheets = self.sheets(provider, model)
        if not sheets:
            return None
        costs = [
            cost(usage, self._present(sheets))
            for usage in (
                Usage(input_tokens, output_tokens),
                Usage(
                    0, output_tokens, cache_creation_tokens=input_tokens, cache_creation_1h_tokens=input_tokens
                ),
            )
        ]
        return max((one for one in costs if one is not None), default=None)

    def sheets(self, provider: str, model: str) -> Sheets:
        """Return the prices of a provider's model; none when they are not known.

        No model of the list has a longer name than is kept anywhere.
        """
        known = self._known.get((provider, model))
        if known is not None:
            return known
        own = tuple(_sheet_of(price) for price in self._own if _names(price, provider, model))[:1]
        if len(model) > NAME_CHARS:
            return own
        found = own or self._list.sheets(provider, model)
        if len(self._known) >= MAX_NAMES:
            del self._known[next(iter(self._known))]
        self._known[provider, model] = found
        return found

    def _present(self, sheets: Sheets) -> Sheet:
        now_s = self._unix_time()
        return next((sheet for sheet in reversed(sheets) if sheet.holds(now_s)), sheets[0])


def cost(usage: Usage, sheet: Sheet) -> int | None:
    """Return what these tokens cost; None when some of them have no known price.

    A cache without a price of its own costs what other input does, and an hour in it what five minutes do. The size
    of the whole input decides which rates hold for all of it.
    """
    fresh, answered = usage.input_tokens or 0, usage.output_tokens or 0
    read, written = usage.cache_read_tokens or 0, usage.cache_creation_tokens or 0
    rates = sheet.rates[0] if len(sheet.rates) == 1 else _rates_at(sheet, fresh + read + written)
    if rates.input is None or (rates.output is None and answered):
        return None
    amount = fresh * rates.input + answered * (rates.output or 0.0)
    if read:
        amount += read * (rates.input if rates.cache_read is None else rates.cache_read)
    if written:
        long = min(usage.cache_creation_1h_tokens or 0, written)
        short_rate = rates.input if rates.cache_write is None else rates.cache_write
        long_rate = short_rate if rates.cache_write_1h is None else rates.cache_write_1h
        amount += (written - long) * short_rate + long * long_rate
    return round(amount)


def usd(nano: int) -> float:
    """Return an amount in US dollars."""
    return nano / NANO


def _rates_at(sheet: Sheet, tokens: int) -> Rates:
    return next((rates for rates in reversed(sheet.rates) if tokens > rates.from_tokens), sheet.rates[0])


def _names(price: Price, provider: str, model: str) -> bool:
    return price.provider in (None, provider) and fnmatchcase(model.lower(), price.model.lower())


def _sheet_of(price: Price) -> Sheet:
    columns = (price.input, price.output, price.cache_read, price.cache_write, price.cache_write_1h)
    return Sheet((rates_of(0, columns),))
