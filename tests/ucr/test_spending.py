import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.world.router import provider
from tests.world.sources import ROOT
from ucr.config.model import Budget, Client, Config, Price
from ucr.dialects.gemini.client import GeminiClient, called
from ucr.dialects.roles import Request
from ucr.errors import ApiError
from ucr.price_list import FILE
from ucr.pricing import Pricing
from ucr.quirks import Quirks
from ucr.routing import Candidate
from ucr.spending import MARGIN, UNKNOWN_OUTPUT_TOKENS, account_of, estimated, overspent

CLIENT = Client("a", "")
CHEAP, DEAR, FREE = (provider(name, "openai-chat") for name in ("cheap", "dear", "free"))
PRICING = Pricing(
    Config(providers=(CHEAP, DEAR), prices=(Price(1, 2, "cheap"), Price(10, 20, "dear"))),
    lambda: 0.0,
    (ROOT / "ucr" / FILE).read_bytes(),
)


def request(**body: Any) -> Request:
    return Request("anthropic", b"", body, "m", False, {})


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("per", "now", "name", "until"),
    [
        ("day", "2026-11-25T00:00", "a/2026-11-25", "2026-11-26"),
        ("day", "2026-12-31T23:59:59", "a/2026-12-31", "2027-01-01"),
        ("month", "2026-01-31T12:00", "a/2026-01", "2026-02-01"),
        ("month", "2026-12-01", "a/2026-12", "2027-01-01"),
        ("month", "2024-02-29", "a/2024-02", "2024-03-01"),
    ],
)
def test_an_account_is_that_of_the_day_or_month_and_ends_with_it(
    per: Any, now: str, name: str, until: str
) -> None:
    account = account_of(CLIENT, Budget(1.0, per), at(now))
    assert (account.name, account.until_s) == (name, at(until))


def test_a_budget_for_ever_has_one_account() -> None:
    account = account_of(CLIENT, Budget(1.0), at("2026-11-25"))
    assert (account.name, account.until_s) == ("a/total", math.inf)


def estimate(body: dict[str, Any], *choices: Candidate, tokens: int = 800) -> Any:
    return estimated(CLIENT, request(**body), tokens, choices, PRICING)


def test_the_most_that_a_request_may_cost_is_its_input_and_all_output_that_it_allows() -> None:
    found = estimate({"max_tokens": 1000}, Candidate(CHEAP, "m", "default"))
    assert found.amount == 800 * MARGIN * 1000 + 1000 * 2000


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ({"max_completion_tokens": 7, "n": 3}, 21),
        ({"max_output_tokens": 7}, 7),
        ({"generationConfig": {"maxOutputTokens": 7}}, 7),
        ({"max_tokens": 9, "max_completion_tokens": 7}, 9),
        ({"max_tokens": 1, "max_completion_tokens": 90_000}, 90_000),
        ({"max_tokens": 90_000, "max_output_tokens": 0}, 90_000),
        ({"max_tokens": 90_000, "generationConfig": {"maxOutputTokens": 1}}, 90_000),
        ({"max_tokens": 90_000.0}, 90_000),
        ({"generation_config": {"max_output_tokens": 7, "candidate_count": 3}}, 21),
        ({"max_tokens": True, "n": False}, UNKNOWN_OUTPUT_TOKENS),
        ({"max_tokens": None, "n": "x"}, UNKNOWN_OUTPUT_TOKENS),
        ({"n": 4}, 4 * UNKNOWN_OUTPUT_TOKENS),
        ({}, UNKNOWN_OUTPUT_TOKENS),
    ],
)
def test_the_output_that_a_request_allows_is_read_in_every_dialect(body: dict[str, Any], output: int) -> None:
    assert estimate(body, Candidate(CHEAP, "m", "default")).amount == 800 * MARGIN * 1000 + output * 2000


def test_what_a_gemini_client_allows_is_read_in_its_own_words_where_they_cannot_be_translated() -> None:
    config = {"maxOutputTokens": 90_000, "candidateCount": 2}
    raw = json.dumps({"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": config}).encode()
    asked = GeminiClient(called("/v1beta/models/m:generateContent", "")).parse(raw, {})
    assert "max_tokens" not in asked.body, "it can be passed on only"
    found = estimated(CLIENT, asked, 0, (Candidate(CHEAP, "m", "default"),), PRICING)
    assert found.amount == 180_000 * 2000


def test_where_a_request_does_not_say_the_limit_of_the_model_holds() -> None:
    small = provider("cheap", "openai-chat", quirks=Quirks(max_output_tokens=50))
    assert estimate({}, Candidate(small, "m", "default")).amount == 800 * MARGIN * 1000 + 50 * 2000


def test_no_fallback_costs_more_than_those_whom_the_routing_chose() -> None:
    cheap, dear = Candidate(CHEAP, "m", "default"), Candidate(DEAR, "m", "listed", "simple")
    assert estimate({"max_tokens": 9}, cheap, dear).choices == (cheap,)
    dear_first = (Candidate(DEAR, "m", "default"), Candidate(CHEAP, "m", "listed", "simple"))
    assert estimate({"max_tokens": 9}, *dear_first).choices == dear_first


def test_who_has_no_known_price_is_not_asked() -> None:
    cheap, free = Candidate(CHEAP, "m", "default"), Candidate(FREE, "m", "default")
    assert estimate({"max_tokens": 9}, free, cheap).choices == (cheap,)
    with pytest.raises(ApiError) as caught:
        estimate({"max_tokens": 9}, free)
    assert (caught.value.status, caught.value.should_retry) == (403, False)
    assert "what free/m costs is not known; add [[prices]]" in caught.value.message


def test_a_client_is_told_what_is_spent_and_when_there_will_be_more() -> None:
    error = overspent(CLIENT, Budget(10.0, "day"), 400_000_000, 9_900_000_000, 0, 3600.2)
    assert (error.status, error.type, error.retry_after_s, error.should_retry) == (
        429,
        "rate_limit_error",
        3601,
        False,
    )
    assert error.message == (
        "client 'a': this request may cost 0.4000 USD, which is not left of the budget of 10 USD a day: 9.9000 USD are "
        "spent; ask for fewer tokens of output, or raise clients.a.budget"
    )


def test_what_running_requests_hold_may_come_back_soon() -> None:
    error = overspent(CLIENT, Budget(10.0, "month"), 10**9, 5 * 10**9, 45 * 10**8, 1e6)
    assert (error.retry_after_s, error.should_retry) == (5, None)
    assert "and running requests hold 4.5000 USD" in error.message


def test_a_budget_for_ever_does_not_come_back() -> None:
    assert overspent(CLIENT, Budget(1.0), 10**9, 10**9, 0, math.inf).retry_after_s is None
