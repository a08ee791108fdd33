import pytest

from ucr.ratelimits import own, passed_on, upstream_request_id, without

NOW = 1_795_600_000.5
"""2026-11-25 09:46:40 UTC and a half second."""

OPENAI = {
    "content-type": "application/json",
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1m30s",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-tokens": "6ms",
    "set-cookie": "a=b",
}
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-25T09:47:00Z",
    "anthropic-ratelimit-tokens-remaining": "9000",
    "anthropic-organization-id": "org",
    "server": "cloudflare",
}


@pytest.mark.parametrize(
    "name", ["request-id", "x-request-id", "x-amzn-requestid", "mistral-correlation-id", "apim-request-id"]
)
def test_a_providers_own_request_id_is_found_under_each_of_its_names(name: str) -> None:
    assert upstream_request_id({"date": "today", name: "id-7"}) == "id-7"


@pytest.mark.parametrize("value", ["Bearer sk-123", "a b", "a\x9b", "é", "x" * 201, "<b>"])
def test_what_is_not_made_of_an_ids_characters_is_none(value: str) -> None:
    assert upstream_request_id({"request-id": value}) is None


def test_an_empty_request_id_is_none() -> None:
    assert upstream_request_id({"request-id": "", "x-request-id": "second"}) == "second"
    assert upstream_request_id({}) is None


def test_the_same_dialect_gets_its_headers_unchanged_and_no_others() -> None:
    assert passed_on(ANTHROPIC, "anthropic", "anthropic", NOW) == tuple(ANTHROPIC.items())[:5]
    assert passed_on(OPENAI, "openai-chat", "openai-chat", NOW) == tuple(OPENAI.items())[1:6]


def test_an_anthropic_client_gets_limits_in_its_names_and_resets_as_moments() -> None:
    assert passed_on(OPENAI, "anthropic", "openai-chat", NOW) == (
        ("anthropic-ratelimit-requests-limit", "60"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2026-11-25T09:48:10Z"),
        ("anthropic-ratelimit-tokens-remaining", "149984"),
        ("anthropic-ratelimit-tokens-reset", "2026-11-25T09:46:41Z"),
    )


def test_an_openai_client_gets_limits_in_its_names() -> None:
    assert passed_on(ANTHROPIC, "openai-chat", "anthropic", NOW) == (
        ("x-ratelimit-limit-requests", "50"),
        ("x-ratelimit-remaining-requests", "49"),
        ("x-ratelimit-remaining-tokens", "9000"),
    )


def test_a_limit_of_the_routers_own_is_said_in_either_dialect() -> None:
    assert own("anthropic", "tokens", 900, 0, 29.5, NOW) == (
        ("anthropic-ratelimit-tokens-limit", "900"),
        ("anthropic-ratelimit-tokens-remaining", "0"),
        ("anthropic-ratelimit-tokens-reset", "2026-11-25T09:47:10Z"),
    )
    assert own("openai-chat", "requests", 60, 0, 29.5, NOW) == (
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "30s"),
    )


@pytest.mark.parametrize("reset", ["soon", "-1", "", "nan", "inf", "999999999h", "9" * 400])
def test_a_reset_that_means_nothing_is_left_out(reset: str) -> None:
    headers = {"x-ratelimit-reset-requests": reset}
    assert passed_on(headers, "anthropic", "openai-chat", NOW) == ()


def test_what_is_left_of_an_own_limit_stands_in_the_place_of_the_providers() -> None:
    mine = own("anthropic", "requests", 60, 12, 61, NOW)
    assert dict(mine)["anthropic-ratelimit-requests-remaining"] == "12"
    theirs = (("anthropic-ratelimit-requests-remaining", "4999"), ("anthropic-ratelimit-tokens-limit", "9"))
    assert without(theirs, mine) == (("anthropic-ratelimit-tokens-limit", "9"),)
