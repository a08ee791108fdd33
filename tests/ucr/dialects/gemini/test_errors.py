"""Errors in Google's shape."""

import json

from ucr.dialects.gemini.errors import STATUSES, body_of
from ucr.errors import STATUS_OF, ApiError


def test_every_type_has_a_status_name() -> None:
    assert set(STATUSES) == {name for name, _ in STATUS_OF}


def test_an_error_is_written_as_google_writes_it() -> None:
    error = ApiError("not_found_error", "no such model")
    assert json.loads(body_of(error)) == {
        "error": {"code": 404, "message": "no such model", "status": "NOT_FOUND"}
    }


def test_a_wait_stands_among_the_details() -> None:
    written = json.loads(body_of(ApiError("rate_limit_error", "slow", retry_after_s=35)))["error"]
    assert (written["code"], written["status"]) == (429, "RESOURCE_EXHAUSTED")
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "35s"}
    assert written["details"] == [wait]
