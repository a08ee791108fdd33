"""What becomes of requests that do not fit."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ucr.test_routing import provider
from ucr.errors import ApiError
from ucr.facts import OUTPUT_COUNTED_TOKENS
from ucr.quirks import Quirks
from ucr.routing import TIERS, Candidate, Tier
from ucr.window import Size, fit, fitting, narrowest


def candidate(name: str, window: int | None, tier: Tier = "optimal", route: str = "default") -> Candidate:
    return Candidate(provider(name, quirks=Quirks(context_window=window)), "m", route, tier)


def names(*found: Candidate) -> list[str]:
    return [c.provider.id for c in found]


SMALL, LARGE = candidate("small", 1000), candidate("large", 50_000)
UNKNOWN = candidate("unknown", None)
SIMPLE, LAST = candidate("simple", 50_000, "simple"), candidate("last", 50_000, "emergency")
UNKNOWN_LAST = candidate("unknown-last", None, "emergency")
LONG = candidate("long", 90_000, route="long_context")


@pytest.mark.parametrize(
    ("one", "size", "expected"),
    [
        pytest.param(SMALL, Size(900, 100), "roomy", id="exactly"),
        pytest.param(SMALL, Size(900, 101), "tight", id="no-room-for-the-answer"),
        pytest.param(SMALL, Size(1100, 0), "tight", id="perhaps"),
        pytest.param(SMALL, Size(1101, 0), "too small", id="certainly-not"),
        pytest.param(LARGE, Size(41_000, 128_000), "roomy", id="a-limit-is-no-expectation"),
        pytest.param(LARGE, Size(50_000 - OUTPUT_COUNTED_TOKENS + 1, 128_000), "tight", id="but-some-room"),
        pytest.param(UNKNOWN, Size(10**7, 0), "roomy", id="not-known"),
        pytest.param(UNKNOWN_LAST, Size(1, 0), "unknown", id="not-known-and-not-chosen"),
    ],
)
def test_a_request_finds_room_or_not(one: Candidate, size: Size, expected: str) -> None:
    assert fit(one, size) == expected


@pytest.mark.parametrize(
    ("candidates", "instead", "tokens", "expected"),
    [
        pytest.param((SMALL, LARGE), (LONG,), 500, ["small", "large"], id="fits"),
        pytest.param((LARGE, SMALL, UNKNOWN), (LONG,), 5000, ["large", "unknown"], id="a-fallback-too-small"),
        pytest.param((SMALL, LARGE), (LONG,), 5000, ["long", "large"], id="long-context-first"),
        pytest.param((SMALL, LARGE), (), 5000, ["large"], id="else-a-fallback"),
        pytest.param((SMALL, LARGE), (), 1050, ["large", "small"], id="who-may-have-room-comes-later"),
        pytest.param((SMALL, SIMPLE), (), 1050, ["simple"], id="not-before-who-has-room"),
        pytest.param((SMALL, SIMPLE, UNKNOWN_LAST), (), 5000, ["simple", "unknown-last"], id="the-next-tier"),
        pytest.param((SMALL, LAST), (), 5000, ["last"], id="the-last-tier-where-room-is-known"),
        pytest.param((SMALL, UNKNOWN_LAST), (), 1050, ["small", "unknown-last"], id="perhaps"),
        pytest.param((SMALL, LARGE), (LARGE,), 5000, ["large"], id="once"),
        pytest.param((SMALL, LARGE), (candidate("tiny", 10),), 5000, ["large"], id="a-small-long-context"),
    ],
)
def test_who_has_room_is_asked(
    candidates: tuple[Candidate, ...], instead: tuple[Candidate, ...], tokens: int, expected: list[str]
) -> None:
    assert names(*fitting(candidates, Size(tokens, 0), instead)) == expected


@pytest.mark.parametrize("others", [(), (UNKNOWN_LAST,), (candidate("tiny", 10, "simple"),)])
def test_what_fits_nobody_is_told_in_the_words_at_which_claude_code_compacts(
    others: tuple[Candidate, ...],
) -> None:
    with pytest.raises(ApiError) as caught:
        fitting((SMALL, *others), Size(5000, 0))
    error = caught.value
    assert error.message == "prompt is too long: 5000 tokens > 1000 maximum"
    assert (error.status, error.type, error.code) == (400, "invalid_request_error", "context_length_exceeded")


def test_the_narrowest_window_is_the_least_that_is_known() -> None:
    assert narrowest((LARGE, UNKNOWN, SMALL)) == 1000
    assert narrowest((UNKNOWN,)) == sys.maxsize


WINDOWS = st.none() | st.integers(1, 30_000)


@given(
    st.lists(st.tuples(WINDOWS, st.sampled_from(TIERS)), max_size=5),
    st.lists(WINDOWS, max_size=2),
    st.integers(1, 40_000),
)
@settings(max_examples=60)
def test_nobody_is_asked_who_is_certainly_too_small(
    found: list[tuple[int | None, Tier]], others: list[int | None], tokens: int
) -> None:
    named = [candidate(f"p{number}", window, tier) for number, (window, tier) in enumerate(found)]
    instead = [candidate(f"long{number}", window) for number, window in enumerate(others)]
    size = Size(tokens, 500)
    candidates = tuple(sorted((SMALL, *named), key=lambda one: TIERS.index(one.tier)))
    everybody = (*candidates, *instead)
    try:
        asked = fitting(candidates, size, tuple(instead))
    except ApiError:
        assert all(fit(one, size) in ("too small", "unknown") for one in everybody)
        return
    assert asked
    assert all(fit(one, size) != "too small" for one in asked)
    assert all(one in everybody for one in asked)
    if any(fit(one, size) == "roomy" for one in asked):
        first = next(one for tier in TIERS for one in asked if one.tier == tier)
        assert fit(first, size) == "roomy"
