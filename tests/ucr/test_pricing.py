from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world import answers
from tests.world.router import EPOCH, config_of, open_router, provider
from tests.world.sources import ROOT
from ucr.config.model import Config, Price
from ucr.dialects.roles import Summary
from ucr.events import Usage
from ucr.price_list import FILE, Rates, Sheet
from ucr.pricing import MAX_NAMES, Pricing, cost, usd
from ucr.record import Record
from ucr.usage import NAME_CHARS

WRITTEN = (ROOT / "ucr" / FILE).read_bytes()
SONNET = Rates(0, 3000.0, 15000.0, 300.0, 3750.0, 6000.0)
LARGE = Rates(200_000, 6000.0, 22500.0, 600.0, 7500.0, 12000.0)
PLAIN = Sheet((SONNET,))
NOW_S = EPOCH.timestamp()
TOKENS = st.integers(0, 10**7)
ASK = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


def pricing(*prices: Price, now_s: float = NOW_S, **urls: str) -> Pricing:
    providers = tuple(provider(name, "anthropic", base_url=url) for name, url in urls.items())
    return Pricing(Config(providers=providers, prices=prices), lambda: now_s, WRITTEN)


def record(usage: Usage, provider: str = "up", model: str = "m") -> Record:
    made = Record("req_1", "0", 0.0, lambda: 0.0, provider=provider, model_used=model)
    made.summary = Summary(usage)
    return made


@pytest.mark.parametrize(
    ("usage", "usd_cost"),
    [
        (Usage(1_000_000, 0), 3.0),
        (Usage(0, 1_000_000), 15.0),
        (Usage(10, 20, thinking_tokens=15), 0.00033),
        (Usage(0, 0, cache_read_tokens=1_000_000), 0.3),
        (Usage(0, 0, cache_creation_tokens=1_000_000), 3.75),
        (Usage(0, 0, cache_creation_tokens=1_000_000, cache_creation_1h_tokens=1_000_000), 6.0),
        (Usage(0, 0, cache_creation_tokens=1_000_000, cache_creation_1h_tokens=400_000), 4.65),
        (Usage(0, 0, cache_creation_tokens=10, cache_creation_1h_tokens=999), 0.00006),
        (Usage(5, None), 0.000015),
    ],
)
def test_each_kind_of_token_has_its_price(usage: Usage, usd_cost: float) -> None:
    found = cost(usage, PLAIN)
    assert found is not None
    assert usd(found) == pytest.approx(usd_cost, abs=1e-9)


@pytest.mark.parametrize(
    ("usage", "usd_cost"),
    [
        (Usage(200_000, 1000), 0.615),
        (Usage(200_001, 1000), 1.222506),
        (Usage(1, 0, cache_read_tokens=200_000), 0.120006),
        (Usage(0, 0, cache_read_tokens=100_000, cache_creation_tokens=100_000), 0.405),
    ],
)
def test_the_size_of_the_whole_input_decides_over_all_prices(usage: Usage, usd_cost: float) -> None:
    found = cost(usage, Sheet((SONNET, LARGE)))
    assert found is not None
    assert usd(found) == pytest.approx(usd_cost, abs=1e-9)


def test_a_cache_without_a_price_costs_what_comes_next_to_it() -> None:
    sheet = Sheet((Rates(0, 2000.0, 1.0, None, None, None),))
    assert cost(Usage(0, 0, 10, 20, cache_creation_1h_tokens=5), sheet) == 60_000
    sheet = Sheet((Rates(0, 2000.0, 1.0, None, 3000.0, None),))
    assert cost(Usage(0, 0, 0, 20, cache_creation_1h_tokens=5), sheet) == 60_000


def test_tokens_without_a_known_price_give_no_cost() -> None:
    assert cost(Usage(1, 1), Sheet((Rates(0, None, 5.0, None, None, None),))) is None
    assert cost(Usage(1, 1), Sheet((Rates(0, 5.0, None, None, None, None),))) is None
    assert cost(Usage(1, 0), Sheet((Rates(0, 5.0, None, None, None, None),))) == 5


@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_more_tokens_never_cost_less(fresh: int, answered: int, read: int, more: int) -> None:
    sheet = Sheet((SONNET, LARGE))
    less = cost(Usage(fresh, answered, read), sheet)
    assert less is not None
    for usage in (
        Usage(fresh + more, answered, read),
        Usage(fresh, answered + more, read),
        Usage(fresh, answered, read + more),
    ):
        found = cost(usage, sheet)
        assert found is not None
        assert found >= less


@given(TOKENS, TOKENS, st.floats(0, 1))
def test_no_request_costs_more_than_was_reckoned_for_its_size(tokens: int, answered: int, part: float) -> None:
    prices = pricing(up="https://api.anthropic.com")
    most = prices.most_for("up", "claude-sonnet-4-5", tokens, answered)
    written = int(tokens * part)
    for usage in (
        Usage(tokens - written, answered, written),
        Usage(tokens - written, answered, cache_creation_tokens=written),
        Usage(tokens - written, answered, cache_creation_tokens=written, cache_creation_1h_tokens=written),
    ):
        found = prices.cost_of(record(usage, model="claude-sonnet-4-5"))
        assert found is not None
        assert most is not None
        assert found <= most


def test_the_configuration_goes_before_the_list_and_its_first_table_that_fits_before_the_others() -> None:
    own = (
        Price(9, 9, "other"),
        Price(1, 2, "up", "claude-Opus*"),
        Price(5, 5, None, "*-haiku"),
    )
    prices = pricing(*own, up="https://api.anthropic.com")
    usage = Usage(1_000_000, 1_000_000)
    assert prices.cost_of(record(usage, model="claude-opus-4-5")) == 3_000_000_000
    assert prices.cost_of(record(usage, model="x-haiku")) == 10_000_000_000
    assert prices.cost_of(record(usage, model="claude-sonnet-4-6")) == 18_000_000_000


def test_what_is_not_known_costs_nothing_that_could_be_said() -> None:
    prices = pricing(up="https://api.anthropic.com", office="https://models.office.example")
    assert prices.cost_of(record(Usage(10, 10), "office", "claude-opus-4-5")) is None
    assert prices.cost_of(record(Usage(), model="claude-opus-4-5")) is None
    assert prices.most_for("office", "claude-opus-4-5", 1, 1) is None


def test_a_price_of_zero_is_known() -> None:
    assert pricing(Price(0, 0, "up"), up="http://127.0.0.1").cost_of(record(Usage(10, 10))) == 0


@pytest.mark.parametrize(("hour", "cost_nano"), [(3, 1_320_000), (5, 660_000), (7, 1_320_000), (12, 660_000)])
def test_the_hour_decides_where_prices_have_hours(hour: int, cost_nano: int) -> None:
    prices = pricing(up="https://api.deepseek.com/v1", now_s=NOW_S + hour * 3600)
    assert prices.cost_of(record(Usage(1000, 0), model="deepseek-v4-pro")) == cost_nano


def test_only_so_many_names_are_remembered() -> None:
    prices = pricing(up="https://api.anthropic.com")
    for number in range(MAX_NAMES + 10):
        prices.sheets("up", f"m{number}")
    known = prices.sheets("up", "claude-sonnet-4-5")
    assert repr(prices) == f"<Pricing of {MAX_NAMES} models>"
    assert prices.sheets("up", "claude-sonnet-4-5") is known, "the latest are remembered"


def test_a_name_that_is_longer_than_any_models_is_looked_up_in_no_list_and_not_remembered() -> None:
    prices = pricing(Price(1, 2, "up", "own-*"), up="https://api.anthropic.com")
    assert prices.sheets("up", "claude-sonnet-4-5" + "-" * NAME_CHARS) == ()
    (own,) = prices.sheets("up", "own-" + "x" * NAME_CHARS)
    assert own.rates[0].input == 1000
    assert repr(prices) == "<Pricing of 0 models>"


@pytest.mark.usefixtures("both_lanes")
async def test_the_log_and_the_metrics_say_what_requests_cost(autojump_clock: object) -> None:
    reply: Any = answers.chat_reply()
    reply["usage"] = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
    config = replace(config_of(provider("up", "openai-chat")), prices=(Price(2, 5, "up"),))
    async with open_router(config, up=answers.says(200, reply)) as world:
        for _ in range(2):
            assert (await world.ask("/v1/messages", ASK)).status == 200
        page = await world.ask("/metrics", method="GET")
    assert [line["cost_usd"] for line in world.finished] == [0.003, 0.003]
    assert b'ucr_cost_usd_total{provider="up",model="up-model"} 0.006\n' in page.body


@pytest.mark.usefixtures("both_lanes")
async def test_a_request_without_a_known_price_says_nothing_of_its_cost(autojump_clock: object) -> None:
    async with open_router(
        config_of(provider("up", "openai-chat")), up=answers.says(200, answers.chat_reply())
    ) as world:
        await world.ask("/v1/messages", ASK)
        page = await world.ask("/metrics", method="GET")
    assert world.finished[0]["cost_usd"] is None
    assert b"ucr_cost_usd_total" not in page.body
