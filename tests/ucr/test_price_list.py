from datetime import UTC, datetime

import msgspec
import pytest

from tests.world.sources import ROOT
from ucr.price_list import FILE, PriceList, Rates, Sheet

WRITTEN = (ROOT / "ucr" / FILE).read_bytes()
URLS = {
    "mine": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
    "azure": "https://me.openai.azure.com/openai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "office": "https://models.office.example/v1",
}
LIST = PriceList(URLS, WRITTEN)
RATES = (Rates(0, 1.0, 2.0, None, None, None),)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_model_of_a_provider_at_a_known_url_has_its_prices() -> None:
    (sheet,) = LIST.sheets("mine", "claude-opus-4-5-20251101")
    assert sheet == Sheet((Rates(0, 5000.0, 25000.0, 500.0, 6250.0, 10000.0),))


def test_prices_above_a_size_are_rates_of_their_own() -> None:
    (sheet,) = LIST.sheets("mine", "claude-sonnet-4-5")
    assert [(rates.from_tokens, rates.input, rates.output) for rates in sheet.rates] == [
        (0, 3000.0, 15000.0),
        (200_000, 6000.0, 22500.0),
    ]


def test_a_name_is_found_whatever_its_case_and_the_form_of_its_date() -> None:
    assert LIST.sheets("mine", "CLAUDE-OPUS-4-5") == LIST.sheets("mine", "claude-opus-4-5")
    assert LIST.sheets("openai", "gpt-4o-20241120") == LIST.sheets("openai", "gpt-4o-2024-11-20") != ()


def test_a_provider_that_sells_the_models_of_another_falls_back_on_its_prices() -> None:
    assert LIST.sheets("azure", "claude-opus-4-5") == LIST.sheets("mine", "claude-opus-4-5")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("office", "claude-opus-4-5"),
        ("mine", "gpt-5"),
        ("nobody", "gpt-5"),
        ("openai", ""),
        ("openai", "x" * 9999),
    ],
)
def test_what_the_list_does_not_know_has_no_prices(provider: str, model: str) -> None:
    assert LIST.sheets(provider, model) == ()


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-11-25T03:59", False),
        ("2026-11-25T04:00", True),
        ("2026-11-25T09:59", True),
        ("2026-11-25T10:00", False),
    ],
)
def test_prices_of_some_hours_hold_in_them(at: str, holds: bool) -> None:
    assert Sheet(RATES, minutes=(240, 600)).holds(moment(at)) is holds


@pytest.mark.parametrize(
    ("at", "holds"), [("2026-11-25T23:30", True), ("2026-11-25T00:29", True), ("2026-11-25T12:00", False)]
)
def test_hours_may_lie_round_midnight(at: str, holds: bool) -> None:
    assert Sheet(RATES, minutes=(990, 30)).holds(moment(at)) is holds


def test_prices_from_a_day_on_do_not_hold_before() -> None:
    sheet = Sheet(RATES, since_s=moment("2026-12-01"))
    assert (sheet.holds(moment("2026-11-30T23:59")), sheet.holds(moment("2026-12-01"))) == (False, True)


def test_the_bundled_list_is_sound_and_says_where_it_comes_from() -> None:
    value = msgspec.json.decode(WRITTEN)
    assert {"source", "licence", "made", "unit"} <= value["about"].keys()
    names = {one["id"] for one in value["providers"]}
    assert all(set(one["fallback"]) <= names for one in value["providers"])
    for one in value["providers"]:
        for model in one["models"]:
            for sheet in model["prices"]:
                starts = [row[0] for row in sheet["usd"]]
                assert starts[0] == 0
                assert starts == sorted(set(starts))
                assert all(price is None or price >= 0 for row in sheet["usd"] for price in row[1:])


def test_every_match_of_the_list_is_understood() -> None:
    def words(clause: dict[str, object]) -> set[str]:
        ((how, what),) = clause.items()
        below = what if isinstance(what, list) else ()
        return {how}.union(*(words(part) for part in below))

    found = {
        word
        for one in msgspec.json.decode(WRITTEN)["providers"]
        for model in one["models"]
        for word in words(model["match"])
    }
    assert found <= {"equals", "starts_with", "ends_with", "contains", "regex", "or", "and"}


@pytest.mark.parametrize(
    ("clause", "names", "others"),
    [
        ({"equals": "a"}, ["a", "A"], ["ab"]),
        ({"starts_with": "a"}, ["ab"], ["ba"]),
        ({"ends_with": "a"}, ["ba"], ["ab"]),
        ({"contains": "a"}, ["bab"], ["b"]),
        ({"regex": "^a[0-9]$"}, ["a1"], ["a12"]),
        (
            {"and": [{"contains": "a"}, {"or": [{"contains": "b"}, {"contains": "c"}]}]},
            ["ab", "ca"],
            ["a", "bc"],
        ),
        ({"unheard_of": "a"}, [], ["a"]),
    ],
)
def test_names_are_matched_as_the_clauses_say(clause: object, names: list[str], others: list[str]) -> None:
    models = [{"match": clause, "prices": [{"usd": [[0, 1, 2, None, None, None]]}]}]
    provider = {"id": "p", "url": "https://p", "fallback": [], "models": models}
    made = PriceList({"p": "https://p"}, msgspec.json.encode({"about": {}, "providers": [provider]}))
    assert all(made.sheets("p", name) for name in names)
    assert not any(made.sheets("p", name) for name in others)
