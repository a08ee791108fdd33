"""Errors: their statuses and what they show."""

import pytest

from ucr.errors import (
    STATUS_OF,
    ApiError,
    ClientGone,
    ConfigError,
    ErrorType,
    Problem,
    UcrError,
    UpstreamError,
    status_of,
)


@pytest.mark.parametrize(("type_", "status"), STATUS_OF)
def test_types_and_statuses_belong_together(type_: ErrorType, status: int) -> None:
    assert status_of(type_) == status
    assert ApiError(type_, "words").status == status


def test_a_status_of_its_own_wins() -> None:
    error = UpstreamError(
        "api_error", "words", fault="gateway", status=503, upstream_status=502, retry_after_s=3
    )
    assert (error.status, error.upstream_status, error.retry_after_s, error.fault) == (503, 502, 3, "gateway")
    assert repr(error) == "UpstreamError(503 api_error: 'words')"
    assert str(error) == "words"


def test_all_problems_of_a_configuration_are_told_at_once() -> None:
    problems = (
        Problem("ucr.toml", "server.port", "x", "give a number"),
        Problem("ucr.toml", "router", "", "give one"),
    )
    error = ConfigError(problems)
    assert str(error) == "ucr.toml: server.port = x: give a number\nucr.toml: router: give one"
    assert error.problems == problems


@pytest.mark.parametrize("error", [ClientGone(), ConfigError(()), ApiError("api_error", "x")])
def test_one_root_catches_every_error(error: Exception) -> None:
    assert isinstance(error, UcrError)
