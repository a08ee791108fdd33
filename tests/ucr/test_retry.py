"""Whether a provider is asked once more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucr.errors import ApiError, Fault, UpstreamError
from ucr.retry import LONGEST_PAUSE_S, LONGEST_WAIT_S, pause_s

PASSING: tuple[Fault, ...] = ("connect", "reset", "gateway", "server", "overload")
LASTING: tuple[Fault, ...] = (
    "timeout", "rate_limit", "quota", "auth", "protocol", "midstream", "request", "overflow", "model",
)  # fmt: skip


def failed(fault: Fault, retry_after_s: int | None = None) -> UpstreamError:
    status = None if retry_after_s is None else 503
    return UpstreamError("api_error", "no", fault=fault, retry_after_s=retry_after_s, upstream_status=status)


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_may_pass_is_tried_again(fault: Fault) -> None:
    assert pause_s(failed(fault), 1, 0.5) == 0.125


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_is_not(fault: Fault) -> None:
    assert pause_s(failed(fault), 1, 0.5) is None


def test_what_the_router_itself_refuses_is_not_tried_again() -> None:
    assert pause_s(ApiError("api_error", "no"), 1, 0.5) is None


def test_a_reset_is_tried_again_once() -> None:
    assert pause_s(failed("reset"), 1, 1.0) is not None
    assert pause_s(failed("reset"), 2, 1.0) is None


@given(times=st.integers(1, 50), dice=st.floats(0, 1))
def test_the_pause_grows_and_is_anywhere_below_its_limit(times: int, dice: float) -> None:
    pause = pause_s(failed("server"), times, dice)
    assert pause is not None
    assert 0 <= pause <= min(LONGEST_PAUSE_S, 0.25 * 2 ** (times - 1))


@given(asked=st.integers(0, 10**9), dice=st.floats(0, 1))
def test_a_wait_that_is_asked_for_is_kept_or_not_begun(asked: int, dice: float) -> None:
    pause = pause_s(failed("overload", asked), 1, dice)
    assert (pause is None) == (asked > LONGEST_WAIT_S)
    assert pause is None or pause >= asked


def test_a_refusal_of_the_routers_own_is_not_waited_for() -> None:
    refused = UpstreamError("overloaded_error", "no", fault="overload", retry_after_s=1)
    assert pause_s(refused, 1, 0.5) is None
