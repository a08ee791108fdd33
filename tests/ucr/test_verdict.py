import pytest

from ucr import verdict
from ucr.errors import ErrorType, Fault, UpstreamError


def failed(fault: Fault, type_: ErrorType = "api_error", **details: int) -> UpstreamError:
    return UpstreamError(type_, f"it was {fault}", fault=fault, **details)


@pytest.mark.parametrize("fault", ["request", "overflow", "model"])
def test_a_fault_of_the_request_is_the_same_at_every_provider(fault: Fault) -> None:
    assert not verdict.tries_next(failed(fault))


@pytest.mark.parametrize(
    "fault",
    [
        "connect",
        "timeout",
        "reset",
        "gateway",
        "server",
        "overload",
        "rate_limit",
        "quota",
        "auth",
        "protocol",
        "midstream",
    ],
)
def test_every_other_fault_goes_to_the_next_candidate(fault: Fault) -> None:
    assert verdict.tries_next(failed(fault))


@pytest.mark.parametrize("upstream_status", [pytest.param(401, id="edge-166"), 403])
def test_a_refused_key_is_a_403_and_is_not_tried_again(upstream_status: int) -> None:
    told = verdict.for_client(failed("auth", "permission_error", upstream_status=upstream_status))
    assert (told.status, told.type) == (403, "permission_error")
    assert told.should_retry is False


def test_a_refused_connection_is_an_overload_that_passes_soon() -> None:
    told = verdict.for_client(failed("connect", "overloaded_error"))
    assert (told.status, told.type, told.retry_after_s) == (529, "overloaded_error", 1)
    assert told.should_retry is None


@pytest.mark.parametrize(
    ("fault", "type_"),
    [
        ("request", "invalid_request_error"),
        ("overflow", "invalid_request_error"),
        ("model", "not_found_error"),
        ("rate_limit", "rate_limit_error"),
        ("quota", "billing_error"),
        ("overload", "overloaded_error"),
    ],
)
def test_what_a_client_understands_by_itself_passes_as_it_is(fault: Fault, type_: ErrorType) -> None:
    error = failed(fault, type_, retry_after_s=86_400)
    assert verdict.for_client(error) is error


@pytest.mark.parametrize(
    ("fault", "type_", "status"),
    [
        pytest.param("server", "api_error", 500, id="edge-176"),
        ("gateway", "api_error", 500),
        ("reset", "api_error", 500),
        ("protocol", "api_error", 500),
        ("midstream", "api_error", 500),
        ("timeout", "timeout_error", 504),
    ],
)
def test_what_was_tried_everywhere_is_not_to_be_tried_again(
    fault: Fault, type_: ErrorType, status: int
) -> None:
    told = verdict.for_client(failed(fault, type_))
    assert (told.status, told.type, told.message) == (status, type_, f"it was {fault}")
    assert told.should_retry is False


def test_a_wait_that_the_provider_names_is_not_forbidden() -> None:
    told = verdict.for_client(failed("server", retry_after_s=7))
    assert (told.retry_after_s, told.should_retry) == (7, None)


def test_what_is_told_keeps_what_the_provider_said() -> None:
    error = UpstreamError("api_error", "no", fault="server", upstream_status=500, code="boom")
    told = verdict.for_client(error)
    assert isinstance(told, UpstreamError)
    assert (told.fault, told.upstream_status, told.code) == ("server", 500, "boom")


def test_the_error_that_waiting_helps_most_is_told() -> None:
    limited = failed("rate_limit", "rate_limit_error", retry_after_s=30)
    errors = [failed("auth"), limited, failed("connect")]
    assert verdict.to_tell(errors) is limited


def test_of_two_alike_the_later_is_told() -> None:
    first, second = failed("overload", "overloaded_error"), failed("overload", "overloaded_error")
    assert verdict.to_tell([first, second]) is second


def test_a_fault_of_the_request_is_told_before_every_other() -> None:
    wrong = failed("request", "invalid_request_error")
    assert verdict.to_tell([failed("rate_limit", "rate_limit_error"), wrong]) is wrong
